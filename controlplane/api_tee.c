#include "controlplane/api.h"
#include "controlplane/tees.h"

enum rx_code
api_tees_list(struct api_call *c, struct rx_err *err)
{
    struct tee *list[TEE_MOST];
    size_t count = 0;

    enum rx_code code = api_query_done(c, err);
    if (code == RX_OK)
        code = tee_list(c->store, c->arena, false, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++) {
        tees_fill(c->world->tees, list[i]);
        tee_put(&c->w, NULL, list[i]);
    }
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    return RX_OK;
}

static void
answer(struct api_call *c, struct tee *t)
{
    tees_fill(c->world->tees, t);
    api_etag(c, t->rev);
    tee_put(&c->w, "data", t);
}

static enum rx_code
finish_change(
    struct api_call *c, struct tee *t, const char *action, struct rx_err *err)
{
    enum rx_code code = tee_save(c->store, c->arena, t, err);

    if (code == RX_OK)
        code = api_audit(c, action, "tee", t->id, t->name, err);
    if (code == RX_OK) {
        tees_changed(c->world->tees);
        answer(c, t);
    }
    return code;
}

enum rx_code
api_tees_create(struct api_call *c, struct rx_err *err)
{
    struct tee *t = tee_new(c->arena);

    if (rx_json_there(c->body))
        tee_read(t, c->body, FIELD_CREATE, c->arena);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_change(c, t, "create", err) : code;
}

enum rx_code
api_tee_get(struct api_call *c, struct rx_err *err)
{
    struct tee *t;
    enum rx_code code =
        tee_load(c->store, c->arena, c->params[0], false, &t, err);

    if (code == RX_OK)
        answer(c, t);
    return code;
}

enum rx_code
api_tee_patch(struct api_call *c, struct rx_err *err)
{
    struct tee *t;
    enum rx_code code =
        tee_load(c->store, c->arena, c->params[0], true, &t, err);

    if (code == RX_OK)
        code = api_if_match(c, t->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        tee_read(t, c->body, FIELD_PATCH, c->arena);
    if (t->sink != TEE_FILE && t->url.len == 0 &&
        rx_str_eq(t->status, RX_S("enabled")))
        rx_json_wrong_member(c->body, "url", "is needed: it has none yet");
    code = api_body_done(c, err);
    return code == RX_OK ? finish_change(c, t, "update", err) : code;
}

enum rx_code
api_tee_delete(struct api_call *c, struct rx_err *err)
{
    struct tee *t;
    enum rx_code code =
        tee_load(c->store, c->arena, c->params[0], false, &t, err);

    if (code == RX_OK)
        code = api_if_match(c, t->rev, err);
    if (code == RX_OK)
        code = tee_delete(c->store, t, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "tee", t->id, t->name, err);
    if (code == RX_OK) {
        tees_changed(c->world->tees);
        api_put_deleted(c, t->id);
    }
    return code;
}
