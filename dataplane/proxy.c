#include "dataplane/proxy.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/handoff.h"
#include "dataplane/local.h"
#include "dataplane/request.h"
#include "shared/log.h"
#include "shared/secret.h"

#define BODY_MAX ((size_t)64 * 1024) /* of an error of ours */
/* Of one plane. */
static const struct memory_limits memory_limits = {
    .bytes = (size_t)16 << 20,
    .entries = 65536,
    .ttl_ms = (uint64_t)3600 * 1000,
};

#define SESSIONS_MAX ((size_t)65536)

/* What the header among `lines` says; 0 without one. */
static uint64_t
retry_after_of(rx_str lines)
{
    static const rx_str name = RX_STR_INIT("retry-after: ");
    uint64_t seconds = 0;

    while (lines.len > 0) {
        const char *end = memchr(lines.ptr, '\r', lines.len);
        size_t len = end != NULL ? (size_t)(end - lines.ptr) : lines.len;
        if (rx_str_starts((rx_str){ lines.ptr, len }, name) &&
            rx_str_u64(
                (rx_str){ lines.ptr + name.len, len - name.len }, &seconds))
            return seconds;
        size_t used = len + 2 < lines.len ? len + 2 : lines.len;
        lines = (rx_str){ lines.ptr + used, lines.len - used };
    }
    return 0;
}

void
proxy_refuse(struct rx_httpd_req *req, enum refusal why, enum dialect dialect,
    const char *words, rx_str request_id, rx_str extra)
{
    struct rx_buf body;
    struct rx_buf headers;

    rx_buf_init(&body, BODY_MAX);
    rx_buf_init(&headers, BODY_MAX);
    refusal_body(&body, why, dialect, (rx_str){ words, strlen(words) },
        request_id, retry_after_of(extra));
    rx_buf_addf(&headers,
        "content-type: application/json\r\nx-routex-reason: %s\r\n",
        refusal_reason(why));
    rx_buf_add(&headers, extra);
    rx_httpd_reply(req, refusal_status(why, dialect), rx_buf_str(&headers),
        rx_buf_str(&body));
    rx_buf_fini(&body);
    rx_buf_fini(&headers);
}

static bool
wants_websocket(const struct rx_httpd_head *head)
{
    return rx_str_ieq(
        rx_httpd_header(head, RX_S("upgrade")), RX_S("websocket"));
}

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    struct proxy *p = arg;
    const struct rx_httpd_head *head = rx_httpd_head(req);
    struct path path = path_find(head->method, head->path);

    if (wants_websocket(head) && path.kind != PATH_CONTROL) {
        /* Codex then falls back to plain HTTPS at once. */
        proxy_refuse(req, REFUSE_WEBSOCKET, DIALECT_RESPONSES,
            "no WebSocket here: use POST /v1/responses", (rx_str){ 0 },
            RX_S("upgrade: HTTP/1.1\r\n"));
        return;
    }
    if (path.kind == PATH_PROXY)
        request_begin(p, req, &path);
    else if (path.kind == PATH_CONTROL && p->options.admin_url != NULL)
        handoff_begin(p, req);
    else
        local_answer(p, req, &path);
}

/* NULL while nobody but the server holds the request. */
static const struct proxy_guest *
guest_of(const struct rx_httpd_req *req)
{
    const struct proxy_guest *const *guest = rx_httpd_user(req);

    return guest != NULL ? *guest : NULL;
}

static void
on_body(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    if (guest_of(req) != NULL)
        guest_of(req)->body(rx_httpd_user(req));
}

static void
on_drain(void *arg, struct rx_httpd_req *req)
{
    (void)arg;
    if (guest_of(req) != NULL)
        guest_of(req)->drained(rx_httpd_user(req));
}

static void
on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    (void)arg;
    if (guest_of(req) != NULL)
        guest_of(req)->closed(rx_httpd_user(req), how);
}

static const struct {
    int status;
    enum refusal why;
} gate_refusals[] = {
    { 408, REFUSE_CLIENT_SLOW },
    { 413, REFUSE_TOO_BIG },
};

/* What the server itself turns down still wears the caller's dialect. */
static void
on_refuse(void *arg, struct rx_httpd_req *req, int status, const char *reason)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);
    enum refusal why = REFUSE_BAD_REQUEST;

    (void)arg;
    for (size_t i = 0; i < RX_COUNT(gate_refusals); i++) {
        if (gate_refusals[i].status == status)
            why = gate_refusals[i].why;
    }
    proxy_refuse(req, why, path_find(head->method, head->path).dialect, reason,
        (rx_str){ 0 }, (rx_str){ 0 });
}

static const struct rx_httpd_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_close = on_close,
};

static void
open_stats(struct proxy_stats *s, struct rx_stat *stat)
{
    for (int d = 0; d < DIALECT_COUNT; d++)
        s->requests[d] = rx_stat_counter(stat, "routex_requests_total",
            "requests of known keys that are over",
            RX_STAT_LABELS({ "dialect", dialect_name((enum dialect)d) }));
    for (size_t o = 0; o < RX_COUNT(s->outcomes); o++)
        s->outcomes[o] = rx_stat_counter(stat, "routex_outcomes_total",
            "how they ended",
            RX_STAT_LABELS(
                { "outcome", request_outcome_name((enum request_outcome)o) }));
    s->refused = rx_stat_counter(stat, "routex_unauthenticated_total",
        "requests turned away for want of a usable key", RX_STAT_NO_LABELS);
    s->limited = rx_stat_counter(stat, "routex_limited_total",
        "requests turned away by a limit or an address list of a tenant or key",
        RX_STAT_NO_LABELS);
    s->attempts = rx_stat_counter(
        stat, "routex_attempts_total", "tries at a channel", RX_STAT_NO_LABELS);
    s->attempts_failed = rx_stat_counter(stat, "routex_attempts_failed_total",
        "tries that came to nothing the client could see", RX_STAT_NO_LABELS);
    s->fail_overs = rx_stat_counter(stat, "routex_fail_overs_total",
        "failed tries followed by another", RX_STAT_NO_LABELS);
    s->rule_troubles = rx_stat_counter(stat, "routex_rule_troubles_total",
        "rules skipped because a pattern or function failed or took too long",
        RX_STAT_NO_LABELS);
    s->bytes_in = rx_stat_counter(stat, "routex_request_bytes_total",
        "bytes of request bodies", RX_STAT_NO_LABELS);
    s->bytes_out = rx_stat_counter(stat, "routex_response_bytes_total",
        "bytes of answers' bodies", RX_STAT_NO_LABELS);
    s->duration = rx_stat_histogram(stat, "routex_request_duration_seconds",
        "from the request's head to the end of its answer", RX_STAT_NO_LABELS,
        rx_stat_ms_bounds, 1000);
    s->ttft = rx_stat_histogram(stat, "routex_time_to_first_token_seconds",
        "from the request's head to the first content", RX_STAT_NO_LABELS,
        rx_stat_ms_bounds, 1000);
}

enum rx_code
proxy_open(struct proxy *p, struct rx_loop *loop, struct rx_stat *stat,
    const struct proxy_options *options, struct rx_err *err)
{
    struct rx_client_options client = { 0 };
    struct rx_httpd_options httpd = {
        .host = options->host,
        .port = options->port,
        .reuse_port = true,
        .server_name = "data",
        .on_refuse = on_refuse,
    };

    *p = (struct proxy){ .loop = loop,
        .stat = stat,
        .options = *options,
        .started_ms = rx_loop_ms(loop) };
    rx_list_init(&p->waiting);
    rx_random(&p->dice, sizeof(p->dice));
    open_stats(&p->stats, stat);
    enum rx_code code =
        rx_httpd_open(&p->httpd, loop, &httpd, &handler, p, err);
    if (code != RX_OK)
        return code;
    p->fetch = rx_fetch_new(loop);
    p->client = rx_client_new(loop, p->fetch, &client);
    p->standing = standing_new();
    p->sessions = sessions_new(SESSIONS_MAX);
    p->minds = minds_new();
    p->memory = memory_new(&memory_limits);
    return RX_OK;
}

/* Is the trouble still about a channel and a secret that are in use? */
static bool
is_current(void *arg, const struct trouble_note *n)
{
    if (n->about.credential.len == 0)
        return snapshot_find_channel(arg, n->about.channel) != NULL;
    const struct credential *k =
        snapshot_find_credential(arg, n->about.channel, n->about.credential);
    return k != NULL && (n->secret == 0 || n->secret == k->mark);
}

/* As the settings have it, or as the process was started. */
static void
set_log_level(const struct proxy *p)
{
    const struct snapshot *s = follow_snapshot(p->follow);
    enum rx_log_level level = p->log_level;

    if (s != NULL && s->settings.has_log_level)
        level = s->settings.log_level;
    if (level == rx_log_level)
        return;
    rx_log_level = level;
    rx_info("log.level", "level=%d", (int)level);
}

static void
on_install(void *arg)
{
    struct proxy *p = arg;

    if (p->standing == NULL)
        return; /* closed */
    standing_prune(
        p->standing, is_current, (void *)(uintptr_t)follow_snapshot(p->follow));
    request_wake_waiting(p);
    set_log_level(p);
}

void
proxy_attach(struct proxy *p, struct follow *follow)
{
    p->follow = follow;
    p->gossip = gossip_new(p->loop, follow, p->standing, p->sessions, p->minds);
    p->refused = refused_tokens_new(p->loop, follow);
    p->captures = captures_new(p->loop, follow, p->stat);
    follow_on_install(follow, on_install, p);
    p->log_level = rx_log_level;
    set_log_level(p); /* one from disk may be in force already */
}

void
proxy_close(struct proxy *p)
{
    if (p->httpd != NULL)
        rx_httpd_close(p->httpd);
    rx_loop_tick(p->loop, false); /* what was cut settles and is buried */
    rx_loop_tick(p->loop, false);
    rx_client_free(p->client);
    rx_fetch_free(p->fetch);
    refused_tokens_free(p->refused);
    captures_free(p->captures);
    gossip_free(p->gossip);
    standing_free(p->standing);
    sessions_free(p->sessions);
    minds_free(p->minds);
    memory_free(p->memory);
    *p = (struct proxy){ 0 };
}

uint64_t
proxy_dice(struct proxy *p)
{
    /* SplitMix64 (Steele, Lea, Flood). */
    uint64_t z = p->dice += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
