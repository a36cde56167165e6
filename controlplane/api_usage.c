#include <inttypes.h>
#include <stdio.h>

#include "controlplane/api.h"
#include "controlplane/request.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define WEEK_MS (7 * 24 * HOUR_MS)

/* ---- requests ---- */

/* The cursor is "ms.id" of the last row shown. */
static enum rx_code
read_cursor(struct api_call *c, rx_str cursor, struct request_filter *f,
    struct rx_err *err)
{
    rx_str ms, id;

    if (cursor.len == 0)
        return RX_OK;
    if (!rx_str_cut(cursor, '.', &ms, &id) || !rx_str_u64(ms, &f->before_ms) ||
        !rx_str_u64(id, &f->before_id) || f->before_ms == 0)
        return api_wrong(c, err, "cursor", "is not one we gave out");
    return RX_OK;
}

static enum rx_code
read_filter(struct api_call *c, struct request_filter *f, struct rx_err *err)
{
    rx_str cursor;

    *f = (struct request_filter){
        .tenant = api_query(c, "tenant"),
        .key = api_query(c, "key"),
        .channel = api_query(c, "channel"),
        .model = api_query(c, "model"),
        .outcome = api_query(c, "outcome"),
        .request_id = api_query(c, "request_id"),
    };
    enum rx_code code = api_page(c, &f->limit, &cursor, err);
    if (code == RX_OK)
        code = read_cursor(c, cursor, f, err);
    if (code == RX_OK)
        code = api_query_u64(c, "status", 100, 599, 0, &f->status, err);
    if (code == RX_OK)
        code = api_query_time(c, "since", 0, &f->since_ms, err);
    if (code == RX_OK)
        code = api_query_time(c, "until", 0, &f->until_ms, err);
    return code;
}

enum rx_code
api_requests_list(struct api_call *c, struct rx_err *err)
{
    struct request_filter f;
    struct request_page page;
    char next[64];

    enum rx_code code = read_filter(c, &f, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    code = request_list(c->store, &f, &c->w, &page, err);
    rx_json_close(&c->w);
    snprintf(
        next, sizeof(next), "%" PRIu64 ".%" PRIu64, page.last_ms, page.last_id);
    api_put_next(c, page.count == f.limit ? field_text(next) : (rx_str){ 0 });
    return code;
}

enum rx_code
api_request_get(struct api_call *c, struct rx_err *err)
{
    return request_put(c->store, c->params[0], &c->w, "data", err);
}

/* ---- sums ---- */

enum rx_code
api_range(struct api_call *c, struct request_range *r, struct rx_err *err)
{
    uint64_t now = rx_clock_wall_ms();
    const char *name = api_query(c, "range").len > 0 ? "range" : "since";
    uint64_t since = 0, until = 0;

    (void)api_query(c, "since");
    enum rx_code code = api_query_time(c, name, now - WEEK_MS, &since, err);
    if (code == RX_OK)
        code = api_query_time(c, "until", now, &until, err);
    if (code != RX_OK)
        return code;
    if (since >= until)
        return api_wrong(c, err, "since", "must be before until");
    /* Sums are kept by the hour: the hours that are touched count whole. */
    r->since_ms = since - since % HOUR_MS;
    r->until_ms = until + (HOUR_MS - 1) - (until + HOUR_MS - 1) % HOUR_MS;
    return RX_OK;
}

void
api_put_range(struct api_call *c, const struct request_range *r)
{
    rx_json_put_time(&c->w, "since", r->since_ms);
    rx_json_put_time(&c->w, "until", r->until_ms);
}

static enum rx_code
read_groups(struct api_call *c, bool wanted[], struct rx_err *err)
{
    rx_str rest = api_query(c, "by");
    rx_str one;

    if (rest.len == 0) {
        wanted[REQUEST_BY_DAY] = wanted[REQUEST_BY_TENANT] = true;
        wanted[REQUEST_BY_KEY] = wanted[REQUEST_BY_CHANNEL] = true;
        wanted[REQUEST_BY_MODEL] = true;
        return RX_OK;
    }
    for (bool more = true; more;) {
        size_t i = 0;
        more = rx_str_cut(rest, ',', &one, &rest);
        while (request_groups[i] != NULL &&
               !rx_str_eq(one, field_text(request_groups[i])))
            i++;
        if (request_groups[i] == NULL)
            return api_wrong(c, err, "by",
                "must be some of day, hour, tenant, key, channel, model");
        wanted[i] = true;
    }
    return RX_OK;
}

static enum rx_code
find_tenant(struct api_call *c, struct request_range *r, struct rx_err *err)
{
    rx_str name = api_query(c, "tenant");
    struct tenant *t;

    if (name.len == 0)
        return RX_OK;
    enum rx_code code = tenant_load(c->store, c->arena, name, &t, err);
    if (code == RX_NOT_FOUND)
        return api_wrong(c, err, "tenant", "there is no such tenant");
    if (code == RX_OK)
        r->tenant_id = t->id;
    return code;
}

enum rx_code
api_analytics_summary(struct api_call *c, struct rx_err *err)
{
    struct request_range range = { 0 };
    bool wanted[8] = { false };

    enum rx_code code = api_range(c, &range, err);
    if (code == RX_OK)
        code = find_tenant(c, &range, err);
    if (code == RX_OK)
        code = read_groups(c, wanted, err);
    if (code != RX_OK)
        return code;
    rx_json_open_object(&c->w, "data");
    api_put_range(c, &range);
    code = request_total(c->store, &range, &c->w, "total", err);
    for (size_t i = 0; code == RX_OK && request_groups[i] != NULL; i++) {
        if (!wanted[i])
            continue;
        char name[32];
        snprintf(name, sizeof(name), "by_%s", request_groups[i]);
        rx_json_open_array(&c->w, name);
        code =
            request_sums(c->store, &range, (enum request_group)i, &c->w, err);
        rx_json_close(&c->w);
    }
    rx_json_close(&c->w);
    return code;
}
