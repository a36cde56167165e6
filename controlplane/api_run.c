/*
 * Running a handler: what is read before it, and for a change the transaction
 * around it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/api_audit.h"
#include "controlplane/api_parts.h"
#include "controlplane/api_replay.h"

#define DOCUMENT_VALUES ((size_t)2 << 20)

static enum rx_code
read_body(struct api_call *c, struct rx_err *err)
{
    rx_str text = rx_httpd_body(c->req);
    struct rx_json_doc *doc;

    if (text.len == 0)
        return RX_OK;
    bool prices = c->route->handle == api_prices_load;
    bool large = prices || c->route->handle == api_config_import;
    struct rx_json_limits limits = { .values = large ? DOCUMENT_VALUES : 0 };
    enum rx_code code = rx_json_parse(&doc, text, &limits, err);
    if (code != RX_OK)
        return code;
    field_adopt(c->arena, doc);
    if (!prices)
        rx_json_accept_camel(doc);
    c->body = rx_json_root(doc);
    return RX_OK;
}

enum rx_code
api_query_done(struct api_call *c, struct rx_err *err)
{
    for (size_t i = 0; i < c->query_count; i++) {
        rx_str asked = c->query[i].name;
        if (c->query[i].asked || c->route->role == API_PUBLIC)
            continue;
        char name[96];
        snprintf(name, sizeof(name), "%.*s",
            (int)(asked.len < 64 ? asked.len : 64), asked.ptr);
        return api_wrong(c, err, name, "is not a known parameter");
    }
    return RX_OK;
}

/* A body where none is taken is somebody's mistake. */
static enum rx_code
check_body_unused(struct api_call *c, struct rx_err *err)
{
    bool reads = strcmp(c->route->method, "GET") == 0 ||
                 strcmp(c->route->method, "DELETE") == 0;

    if (reads && rx_json_there(c->body))
        return rx_fail(err, RX_INVALID, "this request takes no body");
    return RX_OK;
}

static enum rx_code
run_handler(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    rx_buf_clear(&c->out);
    c->w = rx_json_out(&c->out);
    rx_json_open_object(&c->w, NULL);
    enum rx_code code = handle(c, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code != RX_OK || c->later || c->raw_type != NULL)
        return code;
    rx_json_close(&c->w);
    if (c->out.full)
        return rx_fail(err, RX_TOO_BIG, "the answer is too long; ask for less");
    return RX_OK;
}

/* Handler, audit line and kept answer: all or nothing. */
static enum rx_code
run_change(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    bool replayed = false;
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    code = api_replay_find(c, &replayed, err);
    if (code == RX_OK && !replayed) {
        api_audit_before(c);
        code = run_handler(c, handle, err);
        if (code == RX_OK)
            code = api_replay_keep(c, err);
    }
    if (code == RX_OK && !replayed)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

void
api_run(struct api_call *c)
{
    struct rx_err err = { 0 };
    enum rx_code code = read_body(c, &err);

    if (code == RX_OK)
        code = api_read_query(c, &err);
    if (code == RX_OK)
        code = check_body_unused(c, &err);
    if (code == RX_OK)
        code = c->route->changes ? run_change(c, c->route->handle, &err)
                                 : run_handler(c, c->route->handle, &err);
    if (code != RX_OK)
        api_reply_error(c, code, &err);
    else if (!c->later)
        api_reply(c, c->status);
}

void
api_finish(struct api_call *c, enum rx_code code, struct rx_err *err)
{
    c->cancel = NULL;
    if (code == RX_OK) {
        if (c->raw_type == NULL)
            rx_json_close(&c->w);
        api_reply(c, c->status);
    } else {
        api_reply_error(c, code, err);
    }
}

void
api_resume(struct api_call *c, api_handler *handle)
{
    struct rx_err err = { 0 };

    c->cancel = NULL;
    c->later = false;
    enum rx_code code = run_change(c, handle, &err);
    if (code == RX_OK)
        api_reply(c, c->status);
    else
        api_reply_error(c, code, &err);
}

enum rx_code
api_change(struct api_call *c, api_handler *handle, struct rx_err *err)
{
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    api_audit_before(c);
    code = handle(c, err);
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

enum rx_code
api_busy(struct api_call *c, uint64_t wait_s, struct rx_err *err)
{
    rx_buf_addf(&c->headers, "retry-after: %" PRIu64 "\r\n", wait_s);
    return rx_fail(err, RX_UNAVAILABLE, "too much to do; try again soon");
}
