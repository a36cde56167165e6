/*
 * How answers and refusals look, and in which language.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/api_parts.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/messages.h"

/* Codes for programs; docs/openapi.yaml lists them. */
static const char *
code_name(enum rx_code code)
{
    switch (code) {
    case RX_OK: return "ok";
    case RX_INVALID: return "invalid_request";
    case RX_UNAUTHENTICATED: return "unauthenticated";
    case RX_DENIED: return "forbidden";
    case RX_NOT_FOUND: return "not_found";
    case RX_CONFLICT: return "conflict";
    case RX_TOO_BIG: return "too_big";
    case RX_LIMITED: return "rate_limited";
    case RX_UNAVAILABLE: return "unavailable";
    case RX_CANCELLED:
    case RX_UPSTREAM:
    case RX_TIMEOUT:
    case RX_INTERNAL: return "internal";
    }
    return "internal";
}

void
api_write_error(struct rx_buf *out, const char *code, const char *message,
    const char *field, rx_str more)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    rx_json_open_object(&w, "error");
    rx_json_put_text(&w, "code", code);
    rx_json_put_text(&w, "message", message);
    if (field[0] != '\0')
        rx_json_put_text(&w, "field", field);
    if (more.len > 0)
        rx_json_put_raw(&w, "errors", more);
    rx_json_close(&w);
    rx_json_close(&w);
}

/* Count it, and make the head of its answer. */
static void
begin_reply(
    struct api_call *c, int status, const char *type, struct rx_buf *head)
{
    uint64_t ms = rx_clock_ms() - c->began_ms;

    rx_buf_init(head, 16 << 10);
    rx_buf_addf(head,
        "content-type: %s\r\n%sx-content-type-options: nosniff\r\n", type,
        c->keeps_cache_headers ? "" : "cache-control: no-store\r\n");
    rx_buf_add(head, rx_buf_str(&c->headers));
    ++*c->api->answers[status >= 100 && status < 600 ? status / 100 : 5];
    rx_histogram_add(c->api->durations, ms);
    const struct rx_httpd_head *in = rx_httpd_head(c->req);
    rx_debug("admin.request",
        "method=" RX_STR_FMT " path=%s status=%d ms=%" PRIu64,
        RX_STR_ARG(in->method), rx_log_quote_str(in->path), status, ms);
}

void
api_reply(struct api_call *c, int status)
{
    struct rx_buf head;

    begin_reply(c, status,
        c->raw_type != NULL ? c->raw_type : "application/json; charset=utf-8",
        &head);
    rx_httpd_reply(c->req, status, rx_buf_str(&head), rx_buf_str(&c->out));
    rx_buf_fini(&head);
}

/*
 * The reason in the caller's language, behind the field's name; if it is known
 * in English only, with what the code means before it.
 */
static void
say(struct api_call *c, const char *code, const char *reason,
    struct rx_buf *words)
{
    rx_str accept =
        rx_httpd_header(rx_httpd_head(c->req), RX_S("accept-language"));
    enum rx_lang lang = rx_lang_of_header(accept);
    rx_str left = field_text(reason), field = field_text(c->field);

    rx_buf_addf(&c->headers,
        "content-language: %s\r\nvary: accept-language\r\n",
        rx_lang_name(lang));
    if (lang == RX_LANG_EN) {
        rx_buf_add(words, left);
        return;
    }
    size_t skip = field.len + 2;
    bool named = field.len > 0 && left.len >= skip &&
                 rx_str_starts(left, field) &&
                 memcmp(left.ptr + field.len, ": ", 2) == 0;
    if (named) {
        left = (rx_str){ left.ptr + skip, left.len - skip };
        rx_buf_addf(words, RX_STR_FMT "：", RX_STR_ARG(field));
    }
    if (rx_phrase_add(words, lang, left))
        return;
    rx_message_add(words, lang, code, NULL);
    rx_buf_addf(words, "（" RX_STR_FMT "）", RX_STR_ARG(left));
}

/* What the store says of a name that is taken begins with the field, too. */
static void
name_field(struct api_call *c, enum rx_code code, const char *message)
{
    size_t n = strspn(message, "abcdefghijklmnopqrstuvwxyz_");

    if (code == RX_CONFLICT && c->field[0] == '\0' && n > 0 &&
        n < sizeof(c->field) && message[n] == ':')
        snprintf(c->field, sizeof(c->field), "%.*s", (int)n, message);
}

void
api_reply_error(struct api_call *c, enum rx_code code, const struct rx_err *err)
{
    int status = c->fail_status != 0 ? c->fail_status : rx_code_http(code);
    const char *name = c->fail_code != NULL ? c->fail_code : code_name(code);
    const char *message =
        err->text[0] != '\0' ? err->text : rx_code_words(code);

    name_field(c, code, message);
    if (status >= 500)
        rx_error("admin.failed", "path=%s reason=%s",
            rx_log_quote_str(rx_httpd_head(c->req)->path),
            rx_log_quote(message));
    c->raw_type = NULL;
    rx_buf_clear(&c->out);
    struct rx_buf words;
    rx_buf_init(&words, 4096);
    say(c, name, message, &words);
    api_write_error(&c->out, name, words.ptr, c->field, c->fail_errors);
    rx_buf_fini(&words);
    api_reply(c, status);
}

void
api_stream(struct api_call *c, const char *type)
{
    struct rx_buf head;

    begin_reply(c, c->status, type, &head);
    rx_httpd_start(c->req, c->status, rx_buf_str(&head), RX_HTTPD_CHUNKED);
    rx_buf_fini(&head);
}
