#include "dataplane/local.h"

#include <inttypes.h>

#include "dataplane/auth.h"
#include "dataplane/availability.h"
#include "dataplane/models.h"
#include "dataplane/request.h"
#include "shared/clock.h"

#define BODY_MAX ((size_t)16 * 1024 * 1024)

static void
reply_json(struct rx_httpd_req *req, int status, const struct rx_buf *body)
{
    rx_httpd_reply(req, status, RX_S("content-type: application/json\r\n"),
        rx_buf_str(body));
}

static void
count_channels(const struct proxy *p, size_t *enabled, size_t *available)
{
    const struct snapshot *s = follow_snapshot(p->follow);
    uint64_t now = rx_loop_ms(p->loop);

    *enabled = *available = 0;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        bool keyless = false;
        for (size_t d = 0; d < DIALECT_COUNT; d++)
            keyless = keyless || (c->endpoints[d].present &&
                                     c->endpoints[d].auth == AUTH_NONE);
        *enabled += c->enabled;
        *available +=
            c->enabled && !c->paused && (c->credential_count > 0 || keyless) &&
            availability_at_all(p->standing, c, now).reason == ROUTE_OK;
    }
}

void
local_health(const struct proxy *p, struct rx_buf *out, bool *healthy)
{
    const struct snapshot *s = follow_snapshot(p->follow);
    bool connected = follow_connected(p->follow);
    size_t enabled;
    size_t available;

    count_channels(p, &enabled, &available);
    *healthy = s != NULL && connected && available > 0;
    rx_buf_addf(out,
        "{\"status\":\"%s\",\"version\":\"" ROUTEX_VERSION
        "\",\"uptime\":%" PRIu64 ",\"channels\":{\"total\":%zu,\"enabled\":%zu"
        ",\"available\":%zu},\"snapshot\":{\"epoch\":%" PRIu64
        ",\"version\":%" PRIu64 "},\"control\":\"%s\"}",
        *healthy ? "healthy" : "degraded",
        (rx_loop_ms(p->loop) - p->started_ms) / 1000,
        s != NULL ? s->channel_count : 0, enabled, available,
        s != NULL ? s->epoch : 0, s != NULL ? s->version : 0,
        connected ? "connected" : "lost");
}

/* In whose form the list is wanted: contract.md 3. */
static enum dialect
models_dialect(const struct rx_httpd_head *head, const struct path *path)
{
    if (path->dialect == DIALECT_GEMINI ||
        rx_httpd_header(head, RX_S("x-goog-api-key")).len > 0)
        return DIALECT_GEMINI;
    if (rx_httpd_header(head, RX_S("anthropic-version")).len > 0)
        return DIALECT_ANTHROPIC;
    return DIALECT_CHAT;
}

static void
answer_models(
    struct proxy *p, struct rx_httpd_req *req, const struct path *path)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);
    const struct snapshot *s = follow_snapshot(p->follow);
    enum dialect dialect = models_dialect(head, path);
    enum refusal why = REFUSE_NOT_READY;
    const struct client_key *key =
        s != NULL ? auth_check(s, head, rx_clock_wall_ms(), &why) : NULL;
    struct rx_buf body;

    if (key == NULL) {
        ++*p->stats.refused;
        proxy_refuse(req, why, dialect, "a usable API key is needed",
            (rx_str){ 0 }, (rx_str){ 0 });
        return;
    }
    rx_buf_init(&body, BODY_MAX);
    if (path->kind == PATH_MODELS) {
        models_list(s, key, dialect, &body);
        reply_json(req, 200, &body);
    } else if (models_one(s, key, dialect, path->model, &body)) {
        reply_json(req, 200, &body);
    } else {
        proxy_refuse(req, REFUSE_NO_MODEL, dialect,
            "no channel lists a model of that name", (rx_str){ 0 },
            (rx_str){ 0 });
    }
    rx_buf_fini(&body);
}

static void
answer_health(struct proxy *p, struct rx_httpd_req *req)
{
    struct rx_buf body;
    bool healthy;

    rx_buf_init(&body, 4096);
    local_health(p, &body, &healthy);
    reply_json(req, 200, &body);
    rx_buf_fini(&body);
}

static void
answer_method(struct rx_httpd_req *req, const struct path *path)
{
    struct rx_buf allow;

    rx_buf_init(&allow, 128);
    rx_buf_addf(&allow, "allow: %s\r\n", path->allow);
    proxy_refuse(req, REFUSE_METHOD, path->dialect,
        "this path does not take that method", (rx_str){ 0 },
        rx_buf_str(&allow));
    rx_buf_fini(&allow);
}

void
local_answer(struct proxy *p, struct rx_httpd_req *req, const struct path *path)
{
    switch (path->kind) {
    case PATH_HELLO:
        rx_httpd_reply(req, 200, (rx_str){ 0 }, (rx_str){ 0 });
        break;
    case PATH_HEALTH: answer_health(p, req); break;
    case PATH_MODELS:
    case PATH_MODEL: answer_models(p, req, path); break;
    case PATH_METHOD: answer_method(req, path); break;
    case PATH_CONTROL:
        proxy_refuse(req, REFUSE_NO_ROUTE, path->dialect,
            "the control plane is not on this machine", (rx_str){ 0 },
            (rx_str){ 0 });
        break;
    case PATH_PROXY:
    case PATH_UNKNOWN: {
        bool anthropic =
            rx_httpd_header(rx_httpd_head(req), RX_S("anthropic-version")).len >
            0;
        proxy_refuse(req, REFUSE_NO_ROUTE,
            anthropic ? DIALECT_ANTHROPIC : path->dialect,
            "no such path: see the list of paths in the documentation",
            (rx_str){ 0 }, (rx_str){ 0 });
        break;
    }
    }
}
