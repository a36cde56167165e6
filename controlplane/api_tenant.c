#include <stdio.h>

#include "controlplane/analytics.h"
#include "controlplane/api.h"
#include "controlplane/limiter.h"
#include "controlplane/tenant.h"

static void
show_limits(struct api_call *c, struct tenant *t)
{
    t->limits_state = limiter_text(
        c->world->limiter, c->arena, LIMITED_TENANT, t->id, &t->limits);
}

enum rx_code
api_tenants_list(struct api_call *c, struct rx_err *err)
{
    struct tenant **list = field_make(c->arena, struct tenant *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code = tenant_list(c->store, c->arena, after, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++) {
        show_limits(c, list[i]);
        tenant_put(&c->w, NULL, list[i]);
    }
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return RX_OK;
}

#define GROUPS_MAX 100

static void
answer(struct api_call *c, struct tenant *t)
{
    show_limits(c, t);
    api_etag(c, t->rev);
    tenant_put(&c->w, "data", t);
}

static enum rx_code
finish_change(struct api_call *c, struct tenant *t, const char *action,
    struct rx_err *err)
{
    enum rx_code code = tenant_save(c->store, c->arena, t, err);

    if (code == RX_OK)
        code = api_audit(c, action, "tenant", t->id, t->name, err);
    if (code == RX_OK)
        answer(c, t);
    return code;
}

enum rx_code
api_tenants_create(struct api_call *c, struct rx_err *err)
{
    struct tenant *t = tenant_new(c->arena);

    if (rx_json_there(c->body))
        tenant_read(t, c->body, FIELD_CREATE, c->arena);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_change(c, t, "create", err) : code;
}

enum rx_code
api_tenant_get(struct api_call *c, struct rx_err *err)
{
    struct tenant *t;
    enum rx_code code = tenant_load(c->store, c->arena, c->params[0], &t, err);

    if (code == RX_OK)
        answer(c, t);
    return code;
}

static enum rx_code
change(struct api_call *c, enum field_mode mode, struct rx_err *err)
{
    struct tenant *t;
    enum rx_code code = tenant_load(c->store, c->arena, c->params[0], &t, err);

    if (code == RX_OK)
        code = api_if_match(c, t->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        tenant_read(t, c->body, mode, c->arena);
    code = api_body_done(c, err);
    return code == RX_OK ? finish_change(c, t, "update", err) : code;
}

enum rx_code
api_tenant_replace(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_REPLACE, err);
}

enum rx_code
api_tenant_patch(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_PATCH, err);
}

enum rx_code
api_tenant_delete(struct api_call *c, struct rx_err *err)
{
    struct tenant *t;
    enum rx_code code = tenant_load(c->store, c->arena, c->params[0], &t, err);

    if (code == RX_OK)
        code = api_if_match(c, t->rev, err);
    if (code == RX_OK)
        code = tenant_delete(c->store, t, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "tenant", t->id, t->name, err);
    if (code == RX_OK)
        api_put_deleted(c, t->id);
    return code;
}

static enum rx_code
put_usage_groups(
    struct api_call *c, const struct analytics_question *q, struct rx_err *err)
{
    static const enum rollup_dim dims[] = { ROLLUP_KEY, ROLLUP_MODEL };
    enum rx_code code = RX_OK;
    char name[32];

    for (size_t i = 0; code == RX_OK && i < RX_COUNT(dims); i++) {
        snprintf(name, sizeof(name), "by_%s", analytics_dim_name(dims[i]));
        rx_json_open_array(&c->w, name);
        code = analytics_groups(
            c->store, q, dims[i], ANALYTICS_BY_COST, GROUPS_MAX, &c->w, err);
        rx_json_close(&c->w);
    }
    return code;
}

enum rx_code
api_tenant_usage(struct api_call *c, struct rx_err *err)
{
    struct analytics_question range = { 0 };
    struct tenant *t;

    enum rx_code code = tenant_load(c->store, c->arena, c->params[0], &t, err);
    if (code == RX_OK)
        code = api_range(c, &range, err);
    if (code != RX_OK)
        return code;
    range.only[ROLLUP_TENANT] = t->id;
    rx_json_open_object(&c->w, "data");
    rx_json_put_str(&c->w, "tenant", t->name);
    rx_json_put_str(&c->w, "tenant_id", t->id);
    limiter_put(
        c->world->limiter, &c->w, "limits", LIMITED_TENANT, t->id, &t->limits);
    api_put_range(c, &range);
    code = analytics_total(c->store, &range, &c->w, "total", err);
    rx_json_open_array(&c->w, "days");
    if (code == RX_OK)
        code = analytics_times(c->store, &range, ROLLUP_DAY, &c->w, err);
    rx_json_close(&c->w);
    code = code == RX_OK ? put_usage_groups(c, &range, err) : code;
    rx_json_close(&c->w);
    return code;
}
