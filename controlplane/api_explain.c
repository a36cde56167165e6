/*
 * POST /api/routing/test: what would become of this request?  Only a data plane
 * knows, so one is asked; its answer is passed on as it is.
 */
#include <stdio.h>

#include "controlplane/api.h"

#define TOTAL_MS     5000
#define RESPONSE_MAX ((size_t)4 << 20)

struct question {
    struct api_call *call;
    struct rx_transfer *transfer;
    rx_str plane;
};

static void
on_gone(void *arg)
{
    struct question *q = arg;

    rx_transfer_cancel(q->transfer);
}

static enum rx_code
take_answer(
    struct question *q, const struct rx_transfer_result *r, struct rx_err *err)
{
    struct api_call *c = q->call;
    struct rx_json_doc *doc;

    if (r->code != RX_OK)
        return rx_fail(err, RX_UNAVAILABLE, "data plane " RX_STR_FMT ": %s",
            RX_STR_ARG(q->plane), r->why);
    if (rx_json_parse(&doc, r->body, NULL, err) != RX_OK)
        return rx_fail(err, RX_UPSTREAM,
            "data plane " RX_STR_FMT " gave an answer that is no JSON",
            RX_STR_ARG(q->plane));
    field_adopt(c->arena, doc);
    rx_json root = rx_json_root(doc);
    if (r->status != 200) {
        rx_str words = rx_json_str(rx_json_find(root, "error.message"));
        enum rx_code code = r->status < 500 ? RX_INVALID : RX_UNAVAILABLE;
        return rx_fail(err, code, "%.*s",
            (int)(words.len < 190 ? words.len : 190), words.ptr);
    }
    rx_json_put_raw(&c->w, "data", field_keep(c->arena, r->body));
    return RX_OK;
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct question *q = arg;
    struct rx_err err = { 0 };
    enum rx_code code = take_answer(q, r, &err);

    api_finish(q->call, code, &err);
}

/* One that does what we say now, before one that is behind. */
static const struct plane_info *
choose_plane(struct collector *collector, rx_str wanted)
{
    const struct plane_info *best = NULL;

    for (size_t i = 0; i < collector_plane_count(collector); i++) {
        const struct plane_info *p = collector_plane(collector, i);
        if (!p->connected || p->left || !p->compatible || p->ops_url.len == 0 ||
            (wanted.len > 0 && !rx_str_eq(wanted, p->id)))
            continue;
        if (best == NULL || (p->in_sync && !best->in_sync))
            best = p;
    }
    return best;
}

enum rx_code
api_routing_test(struct api_call *c, struct rx_err *err)
{
    static const char *const headers[] = { "content-type: application/json",
        "expect:", NULL };
    rx_str wanted = api_query(c, "plane");
    rx_str dialect = api_query(c, "dialect");
    struct question *q = field_make(c->arena, struct question, 1);
    char url[600];

    if (!rx_json_there(c->body))
        return api_wrong(c, err, "body", "must be a request");
    const struct plane_info *p = choose_plane(c->world->collector, wanted);
    if (p == NULL)
        return rx_fail(
            err, RX_UNAVAILABLE, "no data plane is there to be asked");
    if (dialect.len > 20)
        return api_wrong(c, err, "dialect", "is none");
    snprintf(url, sizeof(url), RX_STR_FMT "/explain%s" RX_STR_FMT,
        (int)(p->ops_url.len < 500 ? p->ops_url.len : 500), p->ops_url.ptr,
        dialect.len > 0 ? "?dialect=" : "", RX_STR_ARG(dialect));
    struct rx_transfer_options options = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = rx_httpd_body(c->req),
        .total_ms = TOTAL_MS,
        .max_response = RESPONSE_MAX,
    };
    q->call = c;
    q->plane = field_keep(c->arena, p->id);
    c->later = true;
    c->cancel = on_gone;
    c->cancel_arg = q;
    q->transfer = rx_transfer_start(c->world->fetch, &options, on_answer, q);
    return RX_OK;
}
