#include <inttypes.h>
#include <stdio.h>

#include "controlplane/api.h"
#include "controlplane/key.h"
#include "controlplane/limiter.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"

#define OVERLAP_MAX_S ((uint64_t)90 * 24 * 3600)

/* A tenant by name or id, as the value of `field`. */
static enum rx_code
find_tenant(struct api_call *c, const char *field, rx_str name,
    struct tenant **out, struct rx_err *err)
{
    enum rx_code code = tenant_load(c->store, c->arena, name, out, err);

    if (code == RX_NOT_FOUND)
        return api_wrong(c, err, field, "there is no such tenant");
    return code;
}

/* The cursor is "ms.id". */
static enum rx_code
read_cursor(struct api_call *c, rx_str cursor, struct key_filter *filter,
    struct rx_err *err)
{
    rx_str ms;

    if (cursor.len == 0)
        return RX_OK;
    if (!rx_str_cut(cursor, '.', &ms, &filter->after_id) ||
        !rx_str_u64(ms, &filter->after_ms))
        return api_wrong(c, err, "cursor", "is not one we gave out");
    return RX_OK;
}

static void
put_next(struct api_call *c, const struct key *last)
{
    char text[128];

    if (last == NULL) {
        api_put_next(c, (rx_str){ 0 });
        return;
    }
    snprintf(text, sizeof(text), "%" PRIu64 "." RX_STR_FMT, last->created_ms,
        RX_STR_ARG(last->id));
    api_put_next(c, field_text(text));
}

static void
show_limits(struct api_call *c, struct key *k)
{
    k->limits_state = limiter_text(
        c->world->limiter, c->arena, LIMITED_KEY, k->id, &k->limits);
}

enum rx_code
api_keys_list(struct api_call *c, struct rx_err *err)
{
    struct key **list = field_make(c->arena, struct key *, API_PAGE_MAX);
    struct key_filter filter = { 0 };
    rx_str tenant = api_query(c, "tenant");
    struct tenant *t;
    size_t limit, count = 0;
    rx_str cursor;

    enum rx_code code = api_page(c, &limit, &cursor, err);
    if (code == RX_OK)
        code = read_cursor(c, cursor, &filter, err);
    if (code == RX_OK && tenant.len > 0) {
        code = find_tenant(c, "tenant", tenant, &t, err);
        filter.tenant_id = code == RX_OK ? t->id : tenant;
    }
    if (code == RX_OK)
        code = key_list(c->store, c->arena, &filter, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++) {
        show_limits(c, list[i]);
        key_put(&c->w, NULL, list[i]);
    }
    rx_json_close(&c->w);
    put_next(c, count == limit ? list[count - 1] : NULL);
    return RX_OK;
}

static void
answer(struct api_call *c, struct key *k)
{
    show_limits(c, k);
    api_etag(c, k->rev);
    key_put(&c->w, "data", k);
}

static enum rx_code
finish_change(
    struct api_call *c, struct key *k, const char *action, struct rx_err *err)
{
    enum rx_code code = key_save(c->store, c->arena, k, err);

    if (code == RX_OK)
        code = api_audit(c, action, "key", k->id, k->name, err);
    if (code == RX_OK)
        answer(c, k);
    return code;
}

/* Put the key under the tenant of that name; absent: the default one. */
static enum rx_code
set_tenant(struct api_call *c, struct key *k, rx_str name, struct rx_err *err)
{
    struct tenant *t;

    if (name.len == 0 && k->tenant_id.len > 0)
        return RX_OK;
    enum rx_code code = find_tenant(
        c, "tenant", name.len > 0 ? name : RX_S(TENANT_DEFAULT), &t, err);
    if (code == RX_OK) {
        k->tenant_id = t->id;
        k->tenant = t->name;
    }
    return code;
}

enum rx_code
api_keys_create(struct api_call *c, struct rx_err *err)
{
    struct key *k = key_new(c->arena);
    rx_str tenant = { 0 };

    if (rx_json_there(c->body))
        key_read(k, c->body, FIELD_CREATE, c->arena, &tenant);
    enum rx_code code = api_body_done(c, err);
    if (code == RX_OK)
        code = set_tenant(c, k, tenant, err);
    if (code != RX_OK)
        return code;
    key_draw(k, c->arena);
    c->status = 201;
    return finish_change(c, k, "create", err);
}

enum rx_code
api_key_get(struct api_call *c, struct rx_err *err)
{
    struct key *k;
    enum rx_code code = key_load(c->store, c->arena, c->params[0], &k, err);

    if (code != RX_OK)
        return code;
    answer(c, k);
    return RX_OK;
}

enum rx_code
api_key_patch(struct api_call *c, struct rx_err *err)
{
    struct key *k;
    rx_str tenant = { 0 };
    enum rx_code code = key_load(c->store, c->arena, c->params[0], &k, err);

    if (code == RX_OK)
        code = api_if_match(c, k->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        key_read(k, c->body, FIELD_PATCH, c->arena, &tenant);
    code = api_body_done(c, err);
    if (code == RX_OK)
        code = set_tenant(c, k, tenant, err);
    return code == RX_OK ? finish_change(c, k, "update", err) : code;
}

enum rx_code
api_key_delete(struct api_call *c, struct rx_err *err)
{
    struct key *k;
    enum rx_code code = key_load(c->store, c->arena, c->params[0], &k, err);

    if (code == RX_OK)
        code = api_if_match(c, k->rev, err);
    if (code == RX_OK)
        code = key_delete(c->store, k, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "key", k->id, k->name, err);
    if (code == RX_OK)
        api_put_deleted(c, k->id);
    return code;
}

enum rx_code
api_key_rotate(struct api_call *c, struct rx_err *err)
{
    struct key *k;
    uint64_t overlap_s = 0;
    enum rx_code code = key_load(c->store, c->arena, c->params[0], &k, err);

    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body) && rx_json_want(c->body, RX_JSON_OBJECT)) {
        rx_json_get_u64(c->body, "overlap_s", 0, OVERLAP_MAX_S, &overlap_s);
        rx_json_no_more(c->body);
    }
    if (rx_json_there(c->body) && (code = api_body_done(c, err)) != RX_OK)
        return code;
    key_rotate(
        k, overlap_s > 0 ? rx_clock_wall_ms() + overlap_s * 1000 : 0, c->arena);
    return finish_change(c, k, "rotate", err);
}
