#include "controlplane/api.h"
#include "controlplane/delivery.h"
#include "controlplane/webhook.h"

enum rx_code
api_webhooks_list(struct api_call *c, struct rx_err *err)
{
    struct webhook **list =
        field_make(c->arena, struct webhook *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code =
            webhook_list(c->store, c->arena, after, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        webhook_put(&c->w, NULL, list[i]);
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return RX_OK;
}

static void
answer(struct api_call *c, const struct webhook *h)
{
    api_etag(c, h->rev);
    webhook_put(&c->w, "data", h);
}

static enum rx_code
finish_change(struct api_call *c, struct webhook *h, const char *action,
    struct rx_err *err)
{
    enum rx_code code = webhook_save(c->store, c->arena, h, err);

    if (code == RX_OK)
        code = api_audit(c, action, "webhook", h->id, h->name, err);
    if (code == RX_OK)
        answer(c, h);
    return code;
}

enum rx_code
api_webhooks_create(struct api_call *c, struct rx_err *err)
{
    struct webhook *h = webhook_new(c->arena);

    if (rx_json_there(c->body))
        webhook_read(h, c->body, FIELD_CREATE, c->arena);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_change(c, h, "create", err) : code;
}

enum rx_code
api_webhook_get(struct api_call *c, struct rx_err *err)
{
    struct webhook *h;
    enum rx_code code =
        webhook_load(c->store, c->arena, c->params[0], false, &h, err);

    if (code == RX_OK)
        answer(c, h);
    return code;
}

enum rx_code
api_webhook_patch(struct api_call *c, struct rx_err *err)
{
    struct webhook *h;
    enum rx_code code =
        webhook_load(c->store, c->arena, c->params[0], true, &h, err);

    if (code == RX_OK)
        code = api_if_match(c, h->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        webhook_read(h, c->body, FIELD_PATCH, c->arena);
    code = api_body_done(c, err);
    return code == RX_OK ? finish_change(c, h, "update", err) : code;
}

enum rx_code
api_webhook_delete(struct api_call *c, struct rx_err *err)
{
    struct webhook *h;
    enum rx_code code =
        webhook_load(c->store, c->arena, c->params[0], false, &h, err);

    if (code == RX_OK)
        code = api_if_match(c, h->rev, err);
    if (code == RX_OK)
        code = webhook_delete(c->store, h, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "webhook", h->id, h->name, err);
    if (code == RX_OK)
        api_put_deleted(c, h->id);
    return code;
}

/* ---- a test ---- */

struct trial {
    struct api_call *call;
    struct rx_transfer *transfer;
};

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct trial *t = arg;
    struct rx_json_out *w = &t->call->w;
    struct rx_err err = { 0 };
    bool answered = r->code == RX_OK;

    rx_json_open_object(w, "data");
    rx_json_put_bool(w, "ok", answered && r->status >= 200 && r->status < 300);
    if (answered)
        rx_json_put_u64(w, "status", (uint64_t)r->status);
    else
        rx_json_put_null(w, "status");
    rx_json_put_u64(w, "latency_ms", r->total_ms);
    rx_json_put_text(w, "message", answered ? "the webhook answered" : r->why);
    rx_json_close(w);
    api_finish(t->call, RX_OK, &err);
}

static void
on_gone(void *arg)
{
    struct trial *t = arg;

    rx_transfer_cancel(t->transfer);
}

enum rx_code
api_webhook_test(struct api_call *c, struct rx_err *err)
{
    struct trial *t = field_make(c->arena, struct trial, 1);
    struct webhook *h;
    struct rx_buf body;

    enum rx_code code =
        webhook_load(c->store, c->arena, c->params[0], true, &h, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&body, 4096);
    webhook_body(&body, store_new_id(c->arena, "evt_"), "webhook.test",
        RX_S("{\"message\":\"This is a test.\"}"));
    t->call = c;
    c->later = true;
    c->cancel = on_gone;
    c->cancel_arg = t;
    t->transfer =
        delivery_post(c->world->fetch, h, rx_buf_str(&body), on_answer, t);
    rx_buf_fini(&body);
    return RX_OK;
}
