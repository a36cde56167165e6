#include <inttypes.h>
#include <stdio.h>

#include "controlplane/admin.h"
#include "controlplane/api.h"

/* The cursor is "ms.id". */
static enum rx_code
read_cursor(struct api_call *c, rx_str cursor, uint64_t *ms, rx_str *id,
    struct rx_err *err)
{
    rx_str head;

    *ms = 0;
    *id = (rx_str){ 0 };
    if (cursor.len == 0)
        return RX_OK;
    if (!rx_str_cut(cursor, '.', &head, id) || !rx_str_u64(head, ms))
        return api_wrong(c, err, "cursor", "is not one we gave out");
    return RX_OK;
}

static void
put_next(struct api_call *c, const struct admin_token *last)
{
    char text[128];

    snprintf(text, sizeof(text), "%" PRIu64 "." RX_STR_FMT, last->created_ms,
        RX_STR_ARG(last->id));
    api_put_next(c, field_text(text));
}

enum rx_code
api_tokens_list(struct api_call *c, struct rx_err *err)
{
    struct admin_token **list =
        field_make(c->arena, struct admin_token *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str cursor, id;
    uint64_t ms;

    enum rx_code code = api_page(c, &limit, &cursor, err);
    if (code == RX_OK)
        code = read_cursor(c, cursor, &ms, &id, err);
    if (code == RX_OK)
        code = admin_list(c->store, c->arena, ms, id, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        admin_put(&c->w, NULL, list[i]);
    rx_json_close(&c->w);
    if (count == limit)
        put_next(c, list[count - 1]);
    else
        api_put_next(c, (rx_str){ 0 });
    return RX_OK;
}

enum rx_code
api_tokens_create(struct api_call *c, struct rx_err *err)
{
    struct admin_token *t = admin_new(c->arena);

    if (rx_json_there(c->body))
        admin_read(t, c->body, c->arena);
    enum rx_code code = api_body_done(c, err);
    if (code == RX_OK)
        code = admin_create(c->store, c->arena, t, err);
    if (code == RX_OK)
        code = api_audit(c, "create", "token", t->id, t->name, err);
    if (code != RX_OK)
        return code;
    c->status = 201;
    admin_put(&c->w, "data", t);
    return RX_OK;
}

enum rx_code
api_token_get(struct api_call *c, struct rx_err *err)
{
    struct admin_token *t;
    enum rx_code code = admin_load(c->store, c->arena, c->params[0], &t, err);

    if (code == RX_OK)
        admin_put(&c->w, "data", t);
    return code;
}

enum rx_code
api_token_delete(struct api_call *c, struct rx_err *err)
{
    struct admin_token *t;
    enum rx_code code = admin_load(c->store, c->arena, c->params[0], &t, err);

    if (code == RX_OK)
        code = admin_delete(c->store, t, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "token", t->id, t->name, err);
    if (code == RX_OK)
        api_put_deleted(c, t->id);
    return code;
}
