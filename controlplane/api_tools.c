/*
 * What handlers share: parameters, pages, preconditions, faults.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/api.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define PAGE_DEFAULT 50

enum rx_code
api_wrong(struct api_call *c, struct rx_err *err, const char *field,
    const char *fmt, ...)
{
    char words[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    snprintf(c->field, sizeof(c->field), "%s", field);
    return rx_fail(err, RX_INVALID, "%.80s: %s", field, words);
}

/* ---- parameters ---- */

rx_str
api_query(struct api_call *c, const char *name)
{
    rx_str found = { 0 };

    for (size_t i = 0; i < c->query_count; i++) {
        if (rx_str_eq(c->query[i].name, field_text(name))) {
            c->query[i].asked = true;
            found = c->query[i].value;
        }
    }
    return found;
}

enum rx_code
api_query_u64(struct api_call *c, const char *name, uint64_t min, uint64_t max,
    uint64_t fallback, uint64_t *out, struct rx_err *err)
{
    rx_str text = api_query(c, name);

    *out = fallback;
    if (text.len == 0)
        return RX_OK;
    if (!rx_str_u64(text, out) || *out < min || *out > max)
        return api_wrong(c, err, name,
            "must be a whole number from %" PRIu64 " to %" PRIu64, min, max);
    return RX_OK;
}

/* "24h": so many ms; 0 when it is no span. */
static uint64_t
span_ms(rx_str s)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 },
        { 'd', 86400000 } };
    uint64_t n;

    if (s.len < 2 || !rx_str_u64((rx_str){ s.ptr, s.len - 1 }, &n) ||
        n > 100000)
        return 0;
    for (size_t i = 0; i < RX_COUNT(units); i++) {
        if (units[i].unit == s.ptr[s.len - 1])
            return n * units[i].ms;
    }
    return 0;
}

enum rx_code
api_query_time(struct api_call *c, const char *name, uint64_t fallback,
    uint64_t *out, struct rx_err *err)
{
    rx_str text = api_query(c, name);
    uint64_t now = rx_clock_wall_ms();
    uint64_t span = span_ms(text);

    *out = fallback;
    if (span > 0)
        *out = span < now ? now - span : 0;
    else if (text.len > 0 && !rx_time_parse(text, out))
        return api_wrong(c, err, name,
            "must be a time like 2027-01-31T00:00:00Z, or a span back from now "
            "like 24h or 7d");
    return RX_OK;
}

enum rx_code
api_page(struct api_call *c, size_t *limit, rx_str *cursor, struct rx_err *err)
{
    struct rx_buf plain;
    rx_str text = api_query(c, "cursor");
    uint64_t n;
    enum rx_code code =
        api_query_u64(c, "limit", 1, API_PAGE_MAX, PAGE_DEFAULT, &n, err);

    *limit = (size_t)n;
    *cursor = (rx_str){ 0 };
    if (code != RX_OK || text.len == 0)
        return code;
    rx_buf_init(&plain, 1024);
    bool good = rx_unbase64url(text, &plain) && plain.len > 0;
    if (good)
        *cursor = field_keep(c->arena, rx_buf_str(&plain));
    rx_buf_fini(&plain);
    return good ? RX_OK : api_wrong(c, err, "cursor", "is not one we gave out");
}

void
api_put_next(struct api_call *c, rx_str cursor)
{
    struct rx_buf text;

    if (cursor.len == 0) {
        rx_json_put_null(&c->w, "next");
        return;
    }
    rx_buf_init(&text, 2048);
    rx_base64url(cursor, &text);
    rx_json_put_str(&c->w, "next", rx_buf_str(&text));
    rx_buf_fini(&text);
}

/* ---- bodies ---- */

enum rx_code
api_body_done(struct api_call *c, struct rx_err *err)
{
    if (!rx_json_there(c->body))
        return rx_fail(err, RX_INVALID, "a JSON object is expected as body");
    rx_json_want(c->body, RX_JSON_OBJECT);
    const struct rx_json_fault *fault = rx_json_fault(c->body.doc);
    if (fault == NULL)
        return RX_OK;
    if (fault->field[0] == '\0')
        return rx_fail(err, RX_INVALID, "the body %s", fault->text);
    return api_wrong(c, err, fault->field, "%s", fault->text);
}

/* ---- preconditions ---- */

void
api_etag(struct api_call *c, uint64_t rev)
{
    rx_buf_addf(&c->headers, "etag: \"%" PRIu64 "\"\r\n", rev);
}

enum rx_code
api_if_match(struct api_call *c, uint64_t rev, struct rx_err *err)
{
    rx_str rest = rx_httpd_header(rx_httpd_head(c->req), RX_S("if-match"));
    char tag[32];
    rx_str one;

    if (rest.len == 0)
        return RX_OK;
    snprintf(tag, sizeof(tag), "\"%" PRIu64 "\"", rev);
    for (bool more = true; more;) {
        more = rx_str_cut(rest, ',', &one, &rest);
        one = rx_str_trim(one);
        if (rx_str_eq(one, RX_S("*")) || rx_str_eq(one, field_text(tag)))
            return RX_OK;
    }
    c->fail_status = 412;
    c->fail_code = "precondition_failed";
    return rx_fail(err, RX_CONFLICT,
        "somebody else changed it meanwhile: it is at %s now", tag);
}

void
api_put_deleted(struct api_call *c, rx_str id)
{
    rx_json_open_object(&c->w, "data");
    rx_json_put_str(&c->w, "id", id);
    rx_json_put_bool(&c->w, "deleted", true);
    rx_json_close(&c->w);
}
