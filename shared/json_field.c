/*
 * Reading the fields of a document, and what was found wrong with them.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/json_parts.h"

/* Nobody reads more than this at a time. */
#define FAULTS_MAX 100

struct path {
    char *to;
    size_t size;
    size_t len;
};

static void
path_add(struct path *p, const char *text)
{
    size_t n = strnlen(text, p->size - 1 - p->len);

    memcpy(p->to + p->len, text, n);
    p->len += n;
    p->to[p->len] = '\0';
}

static void
path_add_step(struct path *p, rx_json child, size_t index)
{
    char step[32];

    if (rx_json_name(child).ptr != NULL) {
        path_add(p, p->len == 0 ? "" : ".");
        path_add(p, rx_json_name(child).ptr);
        return;
    }
    snprintf(step, sizeof(step), "[%zu]", index);
    path_add(p, step);
}

/* Nodes do not know their parents; look from the root.  Faults are rare. */
static bool
path_find(struct path *p, rx_json from, rx_json wanted)
{
    size_t index = 0;

    if (from.node == wanted.node)
        return true;
    for (rx_json c = rx_json_first(from); rx_json_there(c);
         c = rx_json_next(c)) {
        size_t before = p->len;
        path_add_step(p, c, index++);
        if (path_find(p, c, wanted))
            return true;
        p->len = before;
        p->to[before] = '\0';
    }
    return false;
}

RX_PRINTF(3, 0)
static void
note(rx_json v, const char *member, const char *fmt, va_list ap)
{
    struct rx_json_fault f = { 0 };
    struct path p = { f.field, sizeof(f.field), 0 };
    struct rx_json_doc *doc = v.doc;

    if (doc->fault_count == FAULTS_MAX)
        return;
    path_find(&p, rx_json_root(doc), v);
    if (member != NULL) {
        path_add(&p, p.len == 0 ? "" : ".");
        path_add(&p, member);
    }
    vsnprintf(f.text, sizeof(f.text), fmt, ap);
    for (size_t i = 0; i < doc->fault_count; i++) {
        if (strcmp(doc->faults[i].field, f.field) == 0)
            return; /* the first word about a field is the one that helps */
    }
    doc->faults =
        realloc(doc->faults, (doc->fault_count + 1) * sizeof(*doc->faults));
    if (doc->faults == NULL)
        abort();
    doc->faults[doc->fault_count++] = f;
}

void
rx_json_wrong(rx_json v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(v, NULL, fmt, ap);
    va_end(ap);
}

void
rx_json_wrong_member(rx_json object, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(object, name, fmt, ap);
    va_end(ap);
}

const struct rx_json_fault *
rx_json_fault(const struct rx_json_doc *doc)
{
    return doc->fault_count > 0 ? &doc->faults[0] : NULL;
}

size_t
rx_json_fault_count(const struct rx_json_doc *doc)
{
    return doc->fault_count;
}

const struct rx_json_fault *
rx_json_fault_at(const struct rx_json_doc *doc, size_t i)
{
    return i < doc->fault_count ? &doc->faults[i] : NULL;
}

/* ---- reading ----------------------------------------------------------- */

bool
rx_json_want(rx_json v, enum rx_json_kind kind)
{
    if (rx_json_kind(v) == kind)
        return true;
    rx_json_wrong(v, "must be %s", rx_json_kind_words(kind));
    return false;
}

/* The member, if it is there, not null, and of the kind. */
static bool
get(rx_json object, const char *name, enum rx_json_kind kind, rx_json *out)
{
    rx_json v = rx_json_member(object, name);

    if (!rx_json_there(v) || rx_json_kind(v) == RX_JSON_NULL)
        return false;
    if (!rx_json_want(v, kind))
        return false;
    *out = v;
    return true;
}

bool
rx_json_get_str(rx_json object, const char *name, rx_str *out)
{
    rx_json v;

    if (!get(object, name, RX_JSON_STRING, &v))
        return false;
    *out = rx_json_str(v);
    return true;
}

bool
rx_json_need_str(rx_json object, const char *name, rx_str *out)
{
    rx_json v = rx_json_member(object, name);

    if (!rx_json_there(v) || rx_json_kind(v) == RX_JSON_NULL) {
        rx_json_wrong_member(object, name, "is required");
        return false;
    }
    if (!rx_json_get_str(object, name, out))
        return false;
    if (out->len == 0) {
        rx_json_wrong(v, "must not be empty");
        return false;
    }
    return true;
}

bool
rx_json_get_bool(rx_json object, const char *name, bool *out)
{
    rx_json v;

    if (!get(object, name, RX_JSON_BOOL, &v))
        return false;
    *out = rx_json_bool(v);
    return true;
}

bool
rx_json_get_u64(
    rx_json object, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
    rx_json v;
    uint64_t n;

    if (!get(object, name, RX_JSON_NUMBER, &v))
        return false;
    if (!rx_json_u64(v, &n) || n < min || n > max) {
        rx_json_wrong(
            v, "must be a whole number from %" PRIu64 " to %" PRIu64, min, max);
        return false;
    }
    *out = n;
    return true;
}

bool
rx_json_get_i64(
    rx_json object, const char *name, int64_t min, int64_t max, int64_t *out)
{
    rx_json v;
    int64_t n;

    if (!get(object, name, RX_JSON_NUMBER, &v))
        return false;
    if (!rx_json_whole(v, &n) || n < min || n > max) {
        rx_json_wrong(
            v, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
        return false;
    }
    *out = n;
    return true;
}

bool
rx_json_get_number(
    rx_json object, const char *name, double min, double max, double *out)
{
    rx_json v;

    if (!get(object, name, RX_JSON_NUMBER, &v))
        return false;
    double n = rx_json_number(v);
    if (!(n >= min && n <= max)) {
        rx_json_wrong(v, "must be a number from %g to %g", min, max);
        return false;
    }
    *out = n;
    return true;
}

bool
rx_json_get_array(rx_json object, const char *name, rx_json *out)
{
    return get(object, name, RX_JSON_ARRAY, out);
}

bool
rx_json_get_object(rx_json object, const char *name, rx_json *out)
{
    return get(object, name, RX_JSON_OBJECT, out);
}

/* The first member of that name. */
static bool
first_of_name(rx_json object, rx_json member)
{
    rx_json c = rx_json_first(object);

    while (!rx_str_eq(rx_json_name(c), rx_json_name(member)))
        c = rx_json_next(c);
    return c.node == member.node;
}

void
rx_json_no_more(rx_json object)
{
    if (!rx_json_want(object, RX_JSON_OBJECT))
        return;
    for (rx_json c = rx_json_first(object); rx_json_there(c);
         c = rx_json_next(c)) {
        if (rx_json_asked(c))
            continue;
        rx_json_wrong(c, first_of_name(object, c) ? "is not a known field"
                                                  : "is there twice");
        return;
    }
}
