#include "tests/demo/fault.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What each dialect calls a status. */
static const struct row {
    int status;
    const char *anthropic;
    const char *openai_type;
    const char *openai_code;
    const char *google;
    const char *message;
} rows[] = {
    { 400, "invalid_request_error", "invalid_request_error", NULL,
        "INVALID_ARGUMENT", "the demo provider finds this request wrong" },
    { 401, "authentication_error", "invalid_request_error", "invalid_api_key",
        "UNAUTHENTICATED", "invalid x-api-key" },
    { 402, "billing_error", "insufficient_quota", "insufficient_quota",
        "FAILED_PRECONDITION", "no credit left" },
    { 403, "permission_error", "permission_error", NULL, "PERMISSION_DENIED",
        "not allowed" },
    { 404, "not_found_error", "invalid_request_error", "model_not_found",
        "NOT_FOUND", "not found" },
    { 413, "request_too_large", "invalid_request_error", NULL,
        "INVALID_ARGUMENT", "request too large" },
    { 422, "invalid_request_error", "invalid_request_error", NULL,
        "INVALID_ARGUMENT", "cannot be processed" },
    { 429, "rate_limit_error", "requests", "rate_limit_exceeded",
        "RESOURCE_EXHAUSTED", "rate limit reached" },
    { 500, "api_error", "server_error", NULL, "INTERNAL",
        "internal server error" },
    { 502, "api_error", "server_error", NULL, "INTERNAL", "bad gateway" },
    { 503, "api_error", "server_error", NULL, "UNAVAILABLE",
        "the service is unavailable" },
    { 504, "timeout_error", "server_error", NULL, "DEADLINE_EXCEEDED",
        "timed out" },
    { 529, "overloaded_error", "server_error", NULL, "UNAVAILABLE",
        "Overloaded" },
};

/* The row of a status; of its class when it has none of its own. */
static const struct row *
row_of(int status)
{
    int otherwise = status < 500 ? 400 : 500;
    const struct row *found = &rows[0];

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rows[i].status == status)
            return &rows[i];
        if (rows[i].status == otherwise)
            found = &rows[i];
    }
    return found;
}

static const char *
given(const char *text, const char *otherwise)
{
    return text != NULL && text[0] != '\0' ? text : otherwise;
}

static void
add_text(struct rx_buf *b, const char *before, const char *text)
{
    rx_buf_addf(b, "%s\"", before);
    rx_buf_add_json(b, (rx_str){ text, strlen(text) });
    rx_buf_addc(b, '"');
}

static void
add_anthropic(struct rx_buf *b, const struct row *row, int status,
    const char *type, const char *message)
{
    (void)status;
    add_text(b, "{\"type\":\"error\",\"error\":{\"type\":",
        given(type, row->anthropic));
    add_text(b, ",\"message\":", message);
    rx_buf_add(b, RX_S("},\"request_id\":\"req_demo\"}"));
}

static void
add_openai(struct rx_buf *b, const struct row *row, int status,
    const char *type, const char *message)
{
    const char *code = given(type, row->openai_code);

    (void)status;
    add_text(b, "{\"error\":{\"message\":", message);
    add_text(b, ",\"type\":", row->openai_type);
    rx_buf_add(b, RX_S(",\"param\":null,\"code\":"));
    if (code != NULL)
        add_text(b, "", code);
    else
        rx_buf_add(b, RX_S("null"));
    rx_buf_add(b, RX_S("}}"));
}

static void
add_google(struct rx_buf *b, const struct row *row, int status,
    const char *type, const char *message)
{
    rx_buf_addf(b, "{\"error\":{\"code\":%d", status);
    add_text(b, ",\"message\":", message);
    add_text(b, ",\"status\":", given(type, row->google));
    rx_buf_add(b, RX_S("}}"));
}

static void (*const writers[])(struct rx_buf *b, const struct row *row,
    int status, const char *type, const char *message) = {
    [DEMO_ANTHROPIC] = add_anthropic,
    [DEMO_CHAT] = add_openai,
    [DEMO_RESPONSES] = add_openai,
    [DEMO_GEMINI] = add_google,
};

static void
add_error(struct rx_buf *b, enum demo_dialect dialect, int status,
    const char *type, const char *message)
{
    const struct row *row = row_of(status);

    writers[dialect](b, row, status, type, given(message, row->message));
}

void
fault_reply(struct script *s, enum demo_dialect dialect, int status,
    const char *type, const char *message)
{
    script_json(s, status);
    add_error(&s->body, dialect, status, type, message);
}

void
fault_by_recipe(
    struct script *s, enum demo_dialect dialect, const struct recipe *r)
{
    int status = r->status > 999 ? 500 : (int)r->status;

    if (r->retry_after_s != RECIPE_NEVER)
        rx_buf_addf(
            &s->headers, "retry-after: %" PRIu64 "\r\n", r->retry_after_s);
    s->status = status;
    if (strcmp(r->body, "html") == 0) {
        script_header(s, "content-type", "text/html");
        rx_buf_addf(&s->body,
            "<html><head><title>%d</title></head><body><h1>%d</h1>"
            "</body></html>\n",
            status, status);
    } else if (strcmp(r->body, "garbage") == 0) {
        script_header(s, "content-type", "application/json");
        rx_buf_add(&s->body, RX_S("{\"error\": {\"mess"));
    } else if (strcmp(r->body, "empty") != 0) {
        fault_reply(s, dialect, status, r->error, r->message);
    }
}

/* ---- streams that go wrong ---- */

static void
add_error_event(
    struct script *s, enum demo_dialect dialect, const struct recipe *r)
{
    struct rx_buf *b = &s->body;
    const char *message = given(r->message, "Overloaded");
    const char *type = r->error_event;

    switch (dialect) {
    case DEMO_ANTHROPIC:
        script_event(s, "error");
        add_text(b, "{\"type\":\"error\",\"error\":{\"type\":", type);
        add_text(b, ",\"message\":", message);
        rx_buf_add(b, RX_S("}}"));
        break;
    case DEMO_CHAT:
        script_event(s, NULL);
        add_error(b, dialect, 503, type, message);
        break;
    case DEMO_RESPONSES:
        if (strcmp(type, "error") == 0) {
            script_event(s, "error");
            rx_buf_addf(b,
                "{\"type\":\"error\",\"sequence_number\":%zu,"
                "\"code\":\"server_error\",\"param\":null",
                s->count);
            add_text(b, ",\"message\":", message);
            rx_buf_addc(b, '}');
            break;
        }
        script_event(s, "response.failed");
        rx_buf_addf(b,
            "{\"type\":\"response.failed\",\"sequence_number\":%zu,"
            "\"response\":{\"id\":\"resp_demo\",\"object\":\"response\","
            "\"created_at\":%d,\"status\":\"failed\",\"output\":[],"
            "\"incomplete_details\":null,\"error\":{",
            s->count, SCRIPT_CREATED);
        add_text(b, "\"code\":", type);
        add_text(b, ",\"message\":", message);
        rx_buf_add(b, RX_S("},\"usage\":null,\"metadata\":{}}}"));
        break;
    case DEMO_GEMINI:
        script_event(s, NULL);
        add_error(b, dialect, 503, NULL, message);
        break;
    }
    script_event_end(s);
}

/* After how many events the recipe ends a stream early: half-way if not said. */
static size_t
early_end(const struct script *s, const struct recipe *r)
{
    size_t whole = s->terminal < s->count ? s->terminal : s->count;

    if (r->cut_after_events == RECIPE_NEVER)
        return (whole + 1) / 2;
    return r->cut_after_events < whole ? (size_t)r->cut_after_events : whole;
}

/* Take the last brace out of event `n` (from 1): its JSON is then cut short. */
static void
break_event(struct script *s, uint64_t n)
{
    char *brace;
    rx_str event;

    if (n == 0 || n > s->count)
        return;
    event = script_event_bytes(s, (size_t)n - 1);
    brace = memrchr(event.ptr, '}', event.len);
    if (brace != NULL)
        *brace = ' ';
}

/* Compress the body; events stay events, each ends with a flush. */
static void
compress_body(struct script *s)
{
    struct rx_buf packed;
    z_stream z = { 0 };
    size_t whole = s->body.len;
    size_t count = s->count > 0 ? s->count : 1;
    size_t from = 0;

    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8,
            Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    rx_buf_init(&packed, s->body.cap);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 == count ? whole : s->ends[i];
        size_t room = (end - from) + (end - from) / 100 + 512;
        char *to = rx_buf_room(&packed, room);

        if (to == NULL)
            abort();
        memcpy(&z.next_in, &(char *){ s->body.ptr + from }, sizeof(char *));
        z.avail_in = (uInt)(end - from);
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        deflate(&z, i + 1 == count ? Z_FINISH : Z_SYNC_FLUSH);
        rx_buf_grew(&packed, room - z.avail_out);
        from = end;
        if (s->count > 0)
            s->ends[i] = packed.len;
    }
    deflateEnd(&z);
    rx_buf_fini(&s->body);
    s->body = packed;
    script_header(s, "content-encoding", "gzip");
}

void
fault_apply(struct script *s, enum demo_dialect dialect, const struct recipe *r)
{
    if (s->stream && r->error_event[0] != '\0') {
        script_truncate(s, early_end(s, r));
        add_error_event(s, dialect, r);
    }
    if (s->stream && recipe_on(r->no_terminal))
        script_truncate(s, s->terminal);
    if (r->malformed_event != RECIPE_NEVER)
        break_event(s, r->malformed_event);
    if (recipe_on(r->gzip) && s->body.len > 0)
        compress_body(s);
}

size_t
fault_cut_at(const struct script *s, const struct recipe *r)
{
    size_t events;

    if (r->cut_after_bytes != RECIPE_NEVER)
        return r->cut_after_bytes;
    if (r->cut_after_events == RECIPE_NEVER && r->cut[0] == '\0')
        return SIZE_MAX;
    if (s->stream && r->error_event[0] != '\0')
        return SIZE_MAX;
    if (s->count == 0)
        return s->body.len / 2;
    events = early_end(s, r);
    return events == 0 ? 0 : s->ends[events - 1];
}

size_t
fault_stall_at(const struct script *s, const struct recipe *r)
{
    uint64_t events;

    if (r->stall[0] == '\0' || strcmp(r->stall, "head") == 0)
        return SIZE_MAX;
    if (!rx_str_u64((rx_str){ r->stall, strlen(r->stall) }, &events))
        return SIZE_MAX;
    if (events == 0)
        return 0;
    if (s->count == 0)
        return s->body.len / 2;
    return s->ends[(events < s->count ? (size_t)events : s->count) - 1];
}
