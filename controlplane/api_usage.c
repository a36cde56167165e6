#include <inttypes.h>
#include <stdio.h>

#include "controlplane/api.h"
#include "controlplane/captured.h"
#include "controlplane/request.h"

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
        .rule = api_query(c, "rule"),
        .tag = api_query(c, "tag"),
        .agent = api_query(c, "agent"),
        .client = api_query(c, "client"),
        .outcome = api_query(c, "outcome"),
        .request_id = api_query(c, "request_id"),
        .trace_id = api_query(c, "trace_id"),
    };
    unsigned char id[16];
    if (f->trace_id.len > 0 && !rx_unhex(f->trace_id, id, sizeof(id)))
        return api_wrong(c, err, "trace_id", "must be 32 hex digits");
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

/* What people said to a model is shown to nobody without a trace. */
enum rx_code
api_request_body(struct api_call *c, struct rx_err *err)
{
    rx_str request;
    enum rx_code code =
        captured_find(c->store, c->arena, c->params[0], &request, err);

    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code == RX_OK)
        code = api_audit_read(c, "request", request, request, err);
    if (code == RX_OK)
        code = captured_put(c->store, request, &c->w, "data", err);
    return code;
}

enum rx_code
api_request_get(struct api_call *c, struct rx_err *err)
{
    return request_put(c->store, c->params[0], &c->w, "data", err);
}
