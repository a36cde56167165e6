/*
 * cJSON is lenient where we are not: it takes 01 for a number, raw control
 * characters and broken UTF-8 in strings, and cuts a string at its first
 * escaped NUL.  It also nests 1000 deep and has no bound on the number of
 * values.  So every text is walked by check_*() first, which is strict, and
 * cJSON only builds the tree of what has been accepted.
 */
#include "shared/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/clock.h"

/* Nobody reads more than this at a time. */
#define FAULTS_MAX 100

/* Set in cJSON's type word, beside the kind (low byte) and its own flags. */
#define ASKED (1 << 20)

struct rx_json_doc {
    cJSON *root;
    bool camel;
    struct rx_json_fault *faults;
    size_t fault_count;
};

/* ---- the strict walk ---- */

struct check {
    const unsigned char *at;
    const unsigned char *start;
    const unsigned char *end;
    size_t depth;
    size_t values;
    struct rx_json_limits limits;
    enum rx_code code;
    struct rx_err *err;
};

static bool check_value(struct check *c);

static bool
refuse(struct check *c, enum rx_code code, const char *why)
{
    if (c->code == RX_OK)
        c->code = rx_fail(
            c->err, code, "byte %zu: %s", (size_t)(c->at - c->start), why);
    return false;
}

static bool
bad(struct check *c, const char *why)
{
    return refuse(c, RX_INVALID, c->at == c->end ? "ends too early" : why);
}

static void
skip_blanks(struct check *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' ||
                                 *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool
next_is(struct check *c, char ch)
{
    if (c->at == c->end || *c->at != (unsigned char)ch)
        return false;
    c->at++;
    return true;
}

static bool
check_word(struct check *c, const char *word)
{
    for (; *word != '\0'; word++) {
        if (!next_is(c, *word))
            return bad(c, "unknown word");
    }
    return true;
}

static bool
check_digits(struct check *c)
{
    const unsigned char *from = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > from || bad(c, "not a number");
}

static bool
check_number(struct check *c)
{
    const unsigned char *from = c->at;

    next_is(c, '-');
    if (!next_is(c, '0') && !check_digits(c))
        return false;
    if (next_is(c, '.') && !check_digits(c))
        return false;
    if (next_is(c, 'e') || next_is(c, 'E')) {
        if (!next_is(c, '+'))
            next_is(c, '-');
        if (!check_digits(c))
            return false;
    }
    /* cJSON reads at most 63 characters and takes the rest for garbage. */
    return c->at - from < 63 || bad(c, "number is too long");
}

/* Four hex digits; -1 when they are not. */
static int
take_hex4(struct check *c)
{
    int n = 0;

    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end)
            return -1;
        unsigned char ch = *c->at;
        if (ch >= '0' && ch <= '9')
            n = n * 16 + (ch - '0');
        else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
            n = n * 16 + ((ch | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return n;
}

static bool
check_unicode_escape(struct check *c)
{
    int unit = take_hex4(c);

    if (unit < 0)
        return bad(c, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return refuse(c, RX_INVALID, "U+0000 is not accepted in a string");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return bad(c, "half a surrogate pair");
    if (unit < 0xD800 || unit > 0xDBFF)
        return true;
    if (!next_is(c, '\\') || !next_is(c, 'u'))
        return bad(c, "half a surrogate pair");
    unit = take_hex4(c);
    return (unit >= 0xDC00 && unit <= 0xDFFF) ||
           bad(c, "half a surrogate pair");
}

static bool
check_escape(struct check *c)
{
    if (next_is(c, 'u'))
        return check_unicode_escape(c);
    if (c->at == c->end || *c->at == '\0' ||
        strchr("\"\\/bfnrt", *c->at) == NULL)
        return bad(c, "unknown escape");
    c->at++;
    return true;
}

/* Shortest form only, no surrogates, nothing beyond U+10FFFF. */
size_t
rx_json_rune(rx_str s)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *at = (const unsigned char *)s.ptr;

    if (s.len == 0 || at[0] < 0x80)
        return s.len == 0 ? 0 : 1;
    size_t n = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || s.len < n)
        return 0;
    uint32_t rune = at[0] & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        rune = rune << 6 | (at[i] & 0x3FU);
    }
    bool wrong = rune < least[n] || rune > 0x10FFFF ||
                 (rune >= 0xD800 && rune <= 0xDFFF);
    return wrong ? 0 : n;
}

static bool
check_utf8(struct check *c)
{
    size_t n =
        rx_json_rune((rx_str){ (const char *)c->at, (size_t)(c->end - c->at) });

    c->at += n;
    return n > 0 || refuse(c, RX_INVALID, "not UTF-8");
}

/* From behind the opening quote to behind the closing one. */
static bool
check_string(struct check *c)
{
    while (c->at < c->end) {
        unsigned char ch = *c->at;
        if (ch >= 0x80) {
            if (!check_utf8(c))
                return false;
            continue;
        }
        if (ch < 0x20)
            return bad(c, "control character in a string");
        c->at++;
        if (ch == '"')
            return true;
        if (ch == '\\' && !check_escape(c))
            return false;
    }
    return bad(c, "");
}

static bool
check_member(struct check *c)
{
    skip_blanks(c);
    if (!next_is(c, '"'))
        return bad(c, "a member's name is expected");
    if (!check_string(c))
        return false;
    skip_blanks(c);
    if (!next_is(c, ':'))
        return bad(c, "':' is expected");
    return check_value(c);
}

static bool
check_container(struct check *c, char close, bool (*item)(struct check *c))
{
    if (++c->depth > c->limits.depth)
        return refuse(c, RX_TOO_BIG, "nested too deeply");
    skip_blanks(c);
    if (!next_is(c, close)) {
        do {
            if (!item(c))
                return false;
            skip_blanks(c);
        } while (next_is(c, ','));
        if (!next_is(c, close))
            return bad(c, "',' or the closing bracket is expected");
    }
    c->depth--;
    return true;
}

static bool
check_value(struct check *c)
{
    if (++c->values > c->limits.values)
        return refuse(c, RX_TOO_BIG, "holds too many values");
    skip_blanks(c);
    if (c->at == c->end)
        return bad(c, "");
    switch (*c->at) {
    case '{': c->at++; return check_container(c, '}', check_member);
    case '[': c->at++; return check_container(c, ']', check_value);
    case '"': c->at++; return check_string(c);
    case 't': return check_word(c, "true");
    case 'f': return check_word(c, "false");
    case 'n': return check_word(c, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return check_number(c);
    default: return bad(c, "a value is expected");
    }
}

enum rx_code
rx_json_check(
    rx_str text, const struct rx_json_limits *limits, struct rx_err *err)
{
    struct check c = {
        .at = (const unsigned char *)text.ptr,
        .start = (const unsigned char *)text.ptr,
        .limits = { .depth = RX_JSON_DEPTH_MAX, .values = 100000 },
        .err = err,
    };

    if (text.len == 0)
        return rx_fail(err, RX_INVALID, "empty, where JSON is expected");
    c.end = c.at + text.len;
    if (limits != NULL && limits->depth != 0 &&
        limits->depth < RX_JSON_DEPTH_MAX)
        c.limits.depth = limits->depth;
    if (limits != NULL && limits->values != 0)
        c.limits.values = limits->values;
    if (check_value(&c)) {
        skip_blanks(&c);
        if (c.at < c.end)
            bad(&c, "something follows the document");
    }
    return c.code;
}

/* ---- documents ---- */

enum rx_code
rx_json_parse(struct rx_json_doc **out, rx_str text,
    const struct rx_json_limits *limits, struct rx_err *err)
{
    *out = NULL;
    enum rx_code code = rx_json_check(text, limits, err);
    if (code != RX_OK)
        return err == NULL ? code : rx_because(err, "not valid JSON");

    cJSON *root = cJSON_ParseWithLength(text.ptr, text.len);
    if (root == NULL)
        return rx_fail(err, RX_INVALID, "not valid JSON");
    struct rx_json_doc *doc = calloc(1, sizeof(*doc));
    if (doc == NULL)
        abort();
    doc->root = root;
    *out = doc;
    return RX_OK;
}

void
rx_json_free(struct rx_json_doc *doc)
{
    if (doc == NULL)
        return;
    cJSON_Delete(doc->root);
    free(doc->faults);
    free(doc);
}

static rx_json
value(struct rx_json_doc *doc, cJSON *node)
{
    return (rx_json){ doc, node };
}

static cJSON *
node_of(rx_json v)
{
    return v.node;
}

rx_json
rx_json_root(struct rx_json_doc *doc)
{
    return value(doc, doc->root);
}

static enum rx_json_kind
kind_of(const cJSON *node)
{
    if (node == NULL)
        return RX_JSON_NONE;
    switch (node->type & 0xFF) {
    case cJSON_NULL: return RX_JSON_NULL;
    case cJSON_True:
    case cJSON_False: return RX_JSON_BOOL;
    case cJSON_Number: return RX_JSON_NUMBER;
    case cJSON_String: return RX_JSON_STRING;
    case cJSON_Array: return RX_JSON_ARRAY;
    case cJSON_Object: return RX_JSON_OBJECT;
    default: return RX_JSON_NONE;
    }
}

enum rx_json_kind
rx_json_kind(rx_json v)
{
    return kind_of(v.node);
}

const char *
rx_json_kind_words(enum rx_json_kind kind)
{
    static const char *const words[] = {
        [RX_JSON_NONE] = "nothing",
        [RX_JSON_NULL] = "null",
        [RX_JSON_BOOL] = "true or false",
        [RX_JSON_NUMBER] = "a number",
        [RX_JSON_STRING] = "a string",
        [RX_JSON_ARRAY] = "an array",
        [RX_JSON_OBJECT] = "an object",
    };
    return words[kind];
}

static cJSON *
children(const cJSON *node)
{
    enum rx_json_kind kind = kind_of(node);

    return kind == RX_JSON_ARRAY || kind == RX_JSON_OBJECT ? node->child : NULL;
}

size_t
rx_json_count(rx_json v)
{
    size_t n = 0;

    for (const cJSON *c = children(v.node); c != NULL; c = c->next)
        n++;
    return n;
}

rx_json
rx_json_first(rx_json v)
{
    return value(v.doc, children(v.node));
}

rx_json
rx_json_next(rx_json v)
{
    return value(v.doc, v.node == NULL ? NULL : node_of(v)->next);
}

static rx_str
text_of(const char *s)
{
    return s == NULL ? (rx_str){ 0 } : (rx_str){ s, strlen(s) };
}

rx_str
rx_json_name(rx_json v)
{
    return text_of(v.node == NULL ? NULL : node_of(v)->string);
}

rx_str
rx_json_str(rx_json v)
{
    bool is = rx_json_kind(v) == RX_JSON_STRING;

    return text_of(is ? node_of(v)->valuestring : NULL);
}

bool
rx_json_bool(rx_json v)
{
    return v.node != NULL && (node_of(v)->type & 0xFF) == cJSON_True;
}

double
rx_json_number(rx_json v)
{
    return rx_json_kind(v) == RX_JSON_NUMBER ? node_of(v)->valuedouble : 0;
}

/* A whole number small enough to be exact. */
static bool
whole(rx_json v, int64_t *out)
{
    double n = rx_json_number(v);
    double most = (double)RX_JSON_INT_MAX;

    if (rx_json_kind(v) != RX_JSON_NUMBER || !(n >= -most && n <= most) ||
        trunc(n) != n)
        return false;
    *out = (int64_t)n;
    return true;
}

bool
rx_json_u64(rx_json v, uint64_t *out)
{
    int64_t n;

    if (!whole(v, &n) || n < 0)
        return false;
    *out = (uint64_t)n;
    return true;
}

/* ---- faults ---- */

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
path_add_step(struct path *p, const cJSON *child, size_t index)
{
    if (child->string != NULL) {
        path_add(p, p->len == 0 ? "" : ".");
        path_add(p, child->string);
        return;
    }
    char step[32];
    snprintf(step, sizeof(step), "[%zu]", index);
    path_add(p, step);
}

/* Nodes do not know their parents; look from the root.  Faults are rare. */
static bool
path_find(struct path *p, const cJSON *from, const cJSON *wanted)
{
    size_t index = 0;

    if (from == wanted)
        return true;
    for (const cJSON *c = children(from); c != NULL; c = c->next, index++) {
        size_t before = p->len;
        path_add_step(p, c, index);
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
    path_find(&p, doc->root, v.node);
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

/* ---- reading with faults ---- */

static cJSON *
find_member(const cJSON *object, rx_str name)
{
    if (kind_of(object) != RX_JSON_OBJECT)
        return NULL;
    for (cJSON *c = object->child; c != NULL; c = c->next) {
        if (rx_str_eq(text_of(c->string), name))
            return c;
    }
    return NULL;
}

void
rx_json_accept_camel(struct rx_json_doc *doc)
{
    doc->camel = true;
}

/* "first_byte_s" -> "firstByteS" */
static rx_str
camel_of(const char *name, char to[64])
{
    size_t n = 0;

    for (; *name != '\0' && n < 63; name++) {
        bool raise = *name == '_' && name[1] >= 'a' && name[1] <= 'z';
        if (raise)
            name++;
        to[n++] = raise ? (char)(*name - 'a' + 'A') : *name;
    }
    return (rx_str){ to, n };
}

rx_json
rx_json_member(rx_json object, const char *name)
{
    cJSON *c = find_member(object.node, text_of(name));
    char camel[64];

    if (c == NULL && object.doc->camel)
        c = find_member(object.node, camel_of(name, camel));
    if (c != NULL)
        c->type |= ASKED;
    return value(object.doc, c);
}

static cJSON *
find_element(const cJSON *array, rx_str number)
{
    uint64_t index;
    cJSON *c = children(array);

    if (!rx_str_u64(number, &index))
        return NULL;
    for (; c != NULL && index > 0; index--)
        c = c->next;
    return c;
}

rx_json
rx_json_find(rx_json v, const char *path)
{
    rx_str rest = text_of(path);
    rx_str step;

    for (bool more = true; more && v.node != NULL;) {
        more = rx_str_cut(rest, '.', &step, &rest);
        v.node = rx_json_kind(v) == RX_JSON_ARRAY ? find_element(v.node, step)
                                                  : find_member(v.node, step);
    }
    return v;
}

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
    if (!whole(v, &n) || n < min || n > max) {
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

void
rx_json_no_more(rx_json object)
{
    if (!rx_json_want(object, RX_JSON_OBJECT))
        return;
    for (cJSON *c = node_of(object)->child; c != NULL; c = c->next) {
        if (c->type & ASKED)
            continue;
        cJSON *first = find_member(object.node, text_of(c->string));
        rx_json_wrong(value(object.doc, c),
            first != c ? "is there twice" : "is not a known field");
        return;
    }
}
