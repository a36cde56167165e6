#include "controlplane/api.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/api_audit.h"
#include "controlplane/api_replay.h"
#include "controlplane/live.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/messages.h"
#include "shared/secret.h"

#define BODY_MAX        ((uint64_t)1 << 20)
/* A client's request, sent to be explained, is as large as clients' are. */
#define CLIENT_BODY_MAX ((uint64_t)32 << 20)
/* A configuration, or a price file, has thousands of everything. */
#define DOCUMENT_MAX    ((uint64_t)32 << 20)
#define DOCUMENT_VALUES ((size_t)2 << 20)
#define ANSWER_MAX      ((size_t)32 << 20)
#define ARENA_MAX       ((size_t)128 << 20)

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH",
    "DELETE" };

struct api {
    struct api_world world;
    struct rx_httpd *httpd;
    struct rx_stat *stat;
    uint64_t *answers[6]; /* by first digit of the status */
    struct rx_histogram *durations;
    struct caller_tokens tokens;
    uint64_t began_ms;
};

/* ---- answering ---- */

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

static void
write_error(struct rx_buf *out, const char *code, const char *message,
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

static void
reply(struct api_call *c, int status)
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

static void
reply_error(struct api_call *c, enum rx_code code, const struct rx_err *err)
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
    write_error(&c->out, name, words.ptr, c->field, c->fail_errors);
    rx_buf_fini(&words);
    reply(c, status);
}

/* ---- calls ---- */

static struct api_call *
call_new(struct api *api, struct rx_httpd_req *req)
{
    struct api_call *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->api = api;
    c->world = &api->world;
    c->store = api->world.store;
    c->req = req;
    c->arena = rx_arena_new(ARENA_MAX);
    c->status = 200;
    c->began_ms = rx_clock_ms();
    rx_buf_init(&c->out, ANSWER_MAX);
    rx_buf_init(&c->headers, 8 << 10);
    rx_httpd_set_user(req, c);
    return c;
}

static void
call_free(struct api_call *c)
{
    if (c->out.ptr != NULL)
        rx_wipe(c->out.ptr, c->out.len); /* it may show a new key */
    rx_buf_fini(&c->out);
    rx_buf_fini(&c->headers);
    rx_arena_free(c->arena);
    free(c);
}

/* ---- paths ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* %41 -> A, and in a query + -> blank.  False: not decodable, or a NUL. */
static bool
decode(struct api_call *c, rx_str s, bool in_query, rx_str *out)
{
    char *to = field_room(c->arena, 1, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '+' && in_query) {
            ch = ' ';
        } else if (ch == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            ch = (char)(high * 16 + low);
            i += 2;
        }
        if (ch == '\0')
            return false;
        to[n++] = ch;
    }
    *out = (rx_str){ to, n };
    return true;
}

/* Does `path` fit the pattern?  The {…} parts go, undecoded, into params. */
static bool
path_fits(rx_str path, const char *pattern, rx_str *params)
{
    rx_str left = path, right = field_text(pattern);
    rx_str have, want;
    size_t n = 0;

    for (bool more = true; more;) {
        rx_str all = left;
        more = rx_str_cut(left, '/', &have, &left);
        bool more_wanted = rx_str_cut(right, '/', &want, &right);
        if (rx_str_eq(want, RX_S("{path}"))) {
            params[n] = all;
            return true;
        }
        if (more != more_wanted)
            return false;
        bool open = want.len > 0 && want.ptr[0] == '{';
        if (open ? have.len == 0 : !rx_str_eq(have, want))
            return false;
        if (open)
            params[n++] = have;
    }
    return true;
}

static bool
method_fits(rx_str asked, const char *method)
{
    return rx_str_eq(asked, field_text(method)) ||
           (rx_str_eq(asked, RX_S("HEAD")) && strcmp(method, "GET") == 0);
}

static enum rx_code
refuse_method(struct api_call *c, rx_str path, struct rx_err *err)
{
    struct rx_buf allow;
    rx_str unused[API_PARAMS_MAX];

    rx_buf_init(&allow, 1024);
    for (size_t m = 0; m < RX_COUNT(methods); m++) {
        for (const struct api_route *r = api_routes; r->method != NULL; r++) {
            if (method_fits(field_text(methods[m]), r->method) &&
                path_fits(path, r->path, unused))
                rx_buf_addf(
                    &allow, "%s%s", allow.len == 0 ? "" : ", ", methods[m]);
        }
    }
    rx_buf_addf(&c->headers, "allow: %s\r\n", allow.ptr);
    c->fail_status = 405;
    c->fail_code = "method_not_allowed";
    rx_fail(err, RX_INVALID, "this path takes %s", allow.ptr);
    rx_buf_fini(&allow);
    return RX_INVALID;
}

static enum rx_code
find_route(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str params[API_PARAMS_MAX] = { 0 };
    bool path_known = false;

    for (const struct api_route *r = api_routes; r->method != NULL; r++) {
        if (!path_fits(head->path, r->path, params))
            continue;
        path_known = true;
        if (!method_fits(head->method, r->method))
            continue;
        c->route = r;
        for (size_t i = 0; i < API_PARAMS_MAX; i++) {
            if (!decode(c, params[i], false, &c->params[i]))
                return rx_fail(err, RX_INVALID, "the path is badly encoded");
        }
        return RX_OK;
    }
    if (path_known)
        return refuse_method(c, head->path, err);
    return rx_fail(err, RX_NOT_FOUND,
        "there is nothing here; /api/openapi.json describes what there is");
}

static enum rx_code
read_query(struct api_call *c, struct rx_err *err)
{
    rx_str rest = rx_httpd_head(c->req)->query;
    rx_str pair, name, value;

    for (bool more = rest.len > 0; more;) {
        more = rx_str_cut(rest, '&', &pair, &rest);
        if (pair.len == 0)
            continue;
        if (c->query_count == API_QUERY_MAX)
            return rx_fail(err, RX_INVALID, "too many parameters");
        rx_str_cut(pair, '=', &name, &value);
        if (!decode(c, name, true, &c->query[c->query_count].name) ||
            !decode(c, value, true, &c->query[c->query_count].value))
            return rx_fail(err, RX_INVALID, "the query is badly encoded");
        c->query_count++;
    }
    return RX_OK;
}

/* ---- credentials ---- */

static bool
writes(const struct api_call *c)
{
    return strcmp(c->route->method, "GET") != 0;
}

/* Another site's page can make a browser send the cookie, but cannot know the
 * token that goes with it. */
static enum rx_code
check_csrf(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str shown = rx_httpd_header(head, RX_S("x-csrf-token"));

    if (c->who.session.len == 0 || !writes(c))
        return RX_OK;
    if (caller_is_same_site(head) && session_csrf_fits(c->who.session, shown))
        return RX_OK;
    c->fail_code = "csrf";
    return rx_fail(err, RX_DENIED,
        "X-CSRF-Token: is missing or not this session's; GET /api/session "
        "tells it");
}

static enum rx_code
check_role(struct api_call *c, struct rx_err *err)
{
    rx_str area = scope_area(field_text(c->route->path));

    if (scope_allows(&c->who, c->route->role, area, writes(c)))
        return RX_OK;
    const char *role = scope_role_name(c->route->role);
    return rx_fail(err, RX_DENIED,
        c->who.kind == CALLER_TOKEN
            ? "the scopes of this token do not cover this; it takes the role "
              "of %s"
            : "your role does not allow this; it takes %s",
        role != NULL ? role : "somebody");
}

static enum rx_code
authenticate(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);

    c->address = caller_address(head);
    if (c->route->role == API_PUBLIC)
        return RX_OK;
    enum rx_code code =
        caller_find(c->store, c->arena, &c->api->tokens, head, &c->who, err);
    if (code == RX_UNAUTHENTICATED)
        rx_buf_add(&c->headers, RX_S("www-authenticate: Bearer\r\n"));
    if (code == RX_OK)
        code = check_csrf(c, err);
    return code == RX_OK ? check_role(c, err) : code;
}

/* ---- running ---- */

static enum rx_code
read_body(struct api_call *c, struct rx_err *err)
{
    rx_str text = rx_httpd_body(c->req);
    struct rx_json_doc *doc;

    if (text.len == 0)
        return RX_OK;
    bool prices = c->route->handle == api_prices_load;
    bool large = prices || c->route->handle == api_config_import;
    struct rx_json_limits limits = { .values = large ? DOCUMENT_VALUES : 0 };
    enum rx_code code = rx_json_parse(&doc, text, &limits, err);
    if (code != RX_OK)
        return code;
    field_adopt(c->arena, doc);
    if (!prices)
        rx_json_accept_camel(doc);
    c->body = rx_json_root(doc);
    return RX_OK;
}

enum rx_code
api_query_done(struct api_call *c, struct rx_err *err)
{
    for (size_t i = 0; i < c->query_count; i++) {
        rx_str asked = c->query[i].name;
        if (c->query[i].asked || c->route->role == API_PUBLIC)
            continue;
        char name[96];
        snprintf(name, sizeof(name), "%.*s",
            (int)(asked.len < 64 ? asked.len : 64), asked.ptr);
        return api_wrong(c, err, name, "is not a known parameter");
    }
    return RX_OK;
}

/* A body where none is taken is somebody's mistake. */
static enum rx_code
check_body_unused(struct api_call *c, struct rx_err *err)
{
    bool reads = strcmp(c->route->method, "GET") == 0 ||
                 strcmp(c->route->method, "DELETE") == 0;

    if (reads && rx_json_there(c->body))
        return rx_fail(err, RX_INVALID, "this request takes no body");
    return RX_OK;
}

static enum rx_code
run_handler(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    rx_buf_clear(&c->out);
    c->w = rx_json_out(&c->out);
    rx_json_open_object(&c->w, NULL);
    enum rx_code code = handle(c, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK || c->later || c->raw_type != NULL)
        return code;
    rx_json_close(&c->w);
    if (c->out.full)
        return rx_fail(err, RX_TOO_BIG, "the answer is too long; ask for less");
    return RX_OK;
}

/* Handler, audit line and kept answer: all or nothing. */
static enum rx_code
run_change(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    bool replayed = false;
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    code = api_replay_find(c, &replayed, err);
    if (code == RX_OK && !replayed) {
        api_audit_before(c);
        code = run_handler(c, handle, err);
        if (code == RX_OK)
            code = api_replay_keep(c, err);
    }
    if (code == RX_OK && !replayed)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

static void
run(struct api_call *c)
{
    struct rx_err err = { 0 };
    enum rx_code code = read_body(c, &err);

    if (code == RX_OK)
        code = read_query(c, &err);
    if (code == RX_OK)
        code = check_body_unused(c, &err);
    if (code == RX_OK)
        code = c->route->changes ? run_change(c, c->route->handle, &err)
                                 : run_handler(c, c->route->handle, &err);
    if (code != RX_OK)
        reply_error(c, code, &err);
    else if (!c->later)
        reply(c, c->status);
}

void
api_finish(struct api_call *c, enum rx_code code, struct rx_err *err)
{
    c->cancel = NULL;
    if (code == RX_OK) {
        if (c->raw_type == NULL)
            rx_json_close(&c->w);
        reply(c, c->status);
    } else {
        reply_error(c, code, err);
    }
}

void
api_stream(struct api_call *c, const char *type)
{
    struct rx_buf head;

    begin_reply(c, c->status, type, &head);
    rx_httpd_start(c->req, c->status, rx_buf_str(&head), RX_HTTPD_CHUNKED);
    rx_buf_fini(&head);
}

void
api_resume(struct api_call *c, api_handler *handle)
{
    struct rx_err err = { 0 };

    c->cancel = NULL;
    c->later = false;
    enum rx_code code = run_change(c, handle, &err);
    if (code == RX_OK)
        reply(c, c->status);
    else
        reply_error(c, code, &err);
}

enum rx_code
api_change(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    api_audit_before(c);
    code = handle(c, err);
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

enum rx_code
api_busy(struct api_call *c, uint64_t wait_s, struct rx_err *err)
{
    rx_buf_addf(&c->headers, "retry-after: %" PRIu64 "\r\n", wait_s);
    return rx_fail(err, RX_UNAVAILABLE, "too much to do; try again soon");
}

/* ---- the server's events ---- */

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    struct api_call *c = call_new(arg, req);
    struct rx_err err = { 0 };
    enum rx_code code = find_route(c, &err);

    if (code == RX_OK)
        code = authenticate(c, &err);
    if (code != RX_OK)
        reply_error(c, code, &err);
    else if (c->route->handle == api_routing_test)
        rx_httpd_set_body_limit(req, CLIENT_BODY_MAX);
    else if (c->route->handle == api_config_import ||
             c->route->handle == api_prices_load)
        rx_httpd_set_body_limit(req, DOCUMENT_MAX);
}

static void
on_body(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    run(rx_httpd_user(req));
}

static void
on_drain(void *arg, struct rx_httpd_req *req)
{
    struct api_call *c = rx_httpd_user(req);

    (void)arg;
    if (c != NULL && c->drained != NULL)
        c->drained(c->cancel_arg);
}

static void
on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    struct api_call *c = rx_httpd_user(req);

    (void)arg;
    (void)how;
    if (c == NULL)
        return;
    if (c->cancel != NULL)
        c->cancel(c->cancel_arg);
    call_free(c);
}

/* Head and body errors found by the server itself. */
static void
on_refuse(void *arg, struct rx_httpd_req *req, int status, const char *reason)
{
    struct rx_buf out;

    (void)arg;
    rx_buf_init(&out, 4096);
    write_error(&out, status == 413 ? "too_big" : "invalid_request", reason, "",
        (rx_str){ 0 });
    rx_httpd_reply(req, status, RX_S("content-type: application/json\r\n"),
        rx_buf_str(&out));
    rx_buf_fini(&out);
}

static const struct rx_httpd_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_close = on_close,
};

/* ---- opening ---- */

static void
count_from_zero(struct api *api)
{
    static const char *const classes[] = { "0xx", "1xx", "2xx", "3xx", "4xx",
        "5xx" };

    for (size_t i = 0; i < RX_COUNT(classes); i++)
        api->answers[i] = rx_stat_counter(api->stat,
            "routex_admin_answers_total", "answers of the admin API",
            RX_STAT_LABELS({ "status", i < 2 ? "1xx" : classes[i] }));
    api->durations =
        rx_stat_histogram(api->stat, "routex_admin_duration_seconds",
            "time to answer", RX_STAT_NO_LABELS, rx_stat_ms_bounds, 1000);
}

enum rx_code
api_open(struct api **out, const struct api_world *world,
    const struct api_options *options, struct rx_err *err)
{
    struct api *api = calloc(1, sizeof(*api));
    struct rx_httpd_options server = {
        .host = options->host,
        .port = options->port,
        .server_name = "admin",
        .max_body = BODY_MAX,
        .on_refuse = on_refuse,
    };

    if (api == NULL)
        abort();
    api->world = *world;
    api->began_ms = rx_clock_ms();
    api->stat = rx_stat_new();
    count_from_zero(api);
    api_ops_stats(api->stat, &api->world);
    api->tokens.local = rx_digest(options->local_token);
    if (options->admin_key != NULL && options->admin_key[0] != '\0') {
        api->tokens.has_environment = true;
        api->tokens.environment = rx_digest(field_text(options->admin_key));
    }
    *out = NULL;
    enum rx_code code =
        rx_httpd_open(&api->httpd, world->loop, &server, &handler, api, err);
    if (code != RX_OK) {
        api_close(api);
        return code;
    }
    *out = api;
    return RX_OK;
}

void
api_close(struct api *api)
{
    if (api == NULL)
        return;
    if (api->httpd != NULL)
        rx_httpd_close(api->httpd);
    rx_stat_free(api->stat);
    free(api);
}

uint16_t
api_port(const struct api *api)
{
    return rx_httpd_port(api->httpd);
}

void
api_drain(struct api *api, void (*fn)(void *arg), void *arg)
{
    live_stop(api->world.live);
    rx_httpd_drain(api->httpd, fn, arg);
}

const struct caller_tokens *
api_tokens(const struct api *api)
{
    return &api->tokens;
}

struct rx_stat *
api_stat(struct api *api)
{
    return api->stat;
}

uint64_t
api_uptime_s(const struct api *api)
{
    return (rx_clock_ms() - api->began_ms) / 1000;
}
