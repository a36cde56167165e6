/*
 * GET /api/requests/live: see live.h.
 */
#include "controlplane/api.h"
#include "controlplane/live.h"
#include "controlplane/request.h"

/* What the browser adds when it comes back; ?last_event_id= for those who
 * cannot set headers. */
static enum rx_code
read_last(struct api_call *c, struct live_options *o, struct rx_err *err)
{
    rx_str asked = api_query(c, "last_event_id");
    rx_str sent = rx_httpd_header(rx_httpd_head(c->req), RX_S("last-event-id"));

    if (sent.len > 0)
        asked = sent;
    o->resume = asked.len > 0;
    if (o->resume && !rx_str_u64(asked, &o->after_id))
        return api_wrong(c, err, "last_event_id", "is not one we gave out");
    return RX_OK;
}

static enum rx_code
read_stats(struct api_call *c, struct live_options *o, struct rx_err *err)
{
    rx_str wanted = api_query(c, "stats");

    o->stats = wanted.len == 0 || rx_str_eq(wanted, RX_S("true"));
    if (!o->stats && !rx_str_eq(wanted, RX_S("false")))
        return api_wrong(c, err, "stats", "must be true or false");
    return RX_OK;
}

static enum rx_code
read_options(struct api_call *c, struct live_options *o, struct rx_err *err)
{
    *o = (struct live_options){
        .filter = { .tenant = api_query(c, "tenant"),
            .key = api_query(c, "key"),
            .channel = api_query(c, "channel"),
            .model = api_query(c, "model"),
            .rule = api_query(c, "rule"),
            .tag = api_query(c, "tag"),
            .agent = api_query(c, "agent"),
            .client = api_query(c, "client"),
            .outcome = api_query(c, "outcome") },
    };
    enum rx_code code =
        api_query_u64(c, "status", 100, 599, 0, &o->filter.status, err);
    if (code == RX_OK)
        code = api_query_time(c, "since", 0, &o->filter.since_ms, err);
    if (code == RX_OK)
        code = read_last(c, o, err);
    if (code == RX_OK)
        code = read_stats(c, o, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    return code;
}

static void
on_gone(void *arg)
{
    live_leave(arg);
}

static void
on_drained(void *arg)
{
    live_drained(arg);
}

enum rx_code
api_requests_live(struct api_call *c, struct rx_err *err)
{
    struct live_options options;
    enum rx_code code = read_options(c, &options, err);

    if (code != RX_OK)
        return code;
    if (!live_has_room(c->world->live))
        return rx_fail(
            err, RX_UNAVAILABLE, "too many are watching; try again later");
    /* Proxies that gather what they pass on would defeat it. */
    rx_buf_add(&c->headers, RX_S("x-accel-buffering: no\r\n"));
    if (rx_str_eq(rx_httpd_head(c->req)->method, RX_S("HEAD"))) {
        c->raw_type = "text/event-stream";
        rx_buf_clear(&c->out);
        return RX_OK;
    }
    c->later = true;
    api_stream(c, "text/event-stream");
    c->cancel_arg = live_join(c->world->live, c->req, &options);
    c->cancel = on_gone;
    c->drained = on_drained;
    return RX_OK;
}
