/*
 * The server: calls come and go.
 */
#include "controlplane/api.h"

#include <stdlib.h>

#include "controlplane/api_parts.h"
#include "controlplane/live.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define BODY_MAX        ((uint64_t)1 << 20)
/* A client's request, sent to be explained, is as large as clients' are. */
#define CLIENT_BODY_MAX ((uint64_t)32 << 20)
/* A configuration, or a price file, has thousands of everything. */
#define DOCUMENT_MAX    ((uint64_t)32 << 20)
#define ANSWER_MAX      ((size_t)32 << 20)
#define ARENA_MAX       ((size_t)128 << 20)

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

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    struct api_call *c = call_new(arg, req);
    struct rx_err err = { 0 };
    enum rx_code code = api_find_route(c, &err);

    if (code == RX_OK)
        code = api_authenticate(c, &err);
    if (code != RX_OK)
        api_reply_error(c, code, &err);
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
    api_run(rx_httpd_user(req));
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
    api_write_error(&out, status == 413 ? "too_big" : "invalid_request", reason,
        "", (rx_str){ 0 });
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
