/*
 * Copies of the store by hand: making takes a while, restoring ends with a new
 * start of the control plane.
 */
#include "controlplane/api.h"
#include "controlplane/backup.h"

enum rx_code
api_backups_list(struct api_call *c, struct rx_err *err)
{
    rx_json_open_array(&c->w, "data");
    enum rx_code code = backups_list(c->world->backups, &c->w, err);
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    return code;
}

static void
on_gone(void *arg)
{
    struct api_call *c = arg;

    backups_forget(c->world->backups, c);
}

static enum rx_code
no_body(struct api_call *c, struct rx_err *err)
{
    if (!rx_json_there(c->body))
        return RX_OK;
    rx_json_no_more(c->body);
    return api_body_done(c, err);
}

static void
wait_for_it(struct api_call *c)
{
    c->later = true;
    c->cancel = on_gone;
    c->cancel_arg = c;
}

/* The change is in the copy or in the store by now: its line, too. */
static void
note(struct api_call *c, const char *action, const char *name)
{
    struct rx_err err = { 0 };
    const char *frozen = c->store->frozen;

    c->body = (rx_json){ 0 };
    c->store->frozen = NULL;
    if (store_begin(c->store, &err) == RX_OK) {
        if (api_audit(c, action, "backup", (rx_str){ 0 }, field_text(name),
                &err) != RX_OK ||
            store_commit(c->store, &err) != RX_OK)
            store_rollback(c->store);
    }
    c->store->frozen = frozen;
}

/* ---- making ---------------------------------------------------------------- */

static void
on_made(void *arg, enum rx_code code, const struct backup_done *done,
    struct rx_err *err)
{
    struct api_call *c = arg;

    if (code == RX_OK) {
        note(c, "create", done->info.name);
        backup_put(&c->w, "data", &done->info);
    }
    api_finish(c, code, err);
}

enum rx_code
api_backup_make(struct api_call *c, struct rx_err *err)
{
    enum rx_code code = no_body(c, err);

    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code == RX_OK)
        code = backups_make(c->world->backups, on_made, c, err);
    if (code != RX_OK)
        return code;
    c->status = 201;
    wait_for_it(c);
    return RX_OK;
}

/* ---- restoring ------------------------------------------------------------- */

static void
on_restored(void *arg, enum rx_code code, const struct backup_done *done,
    struct rx_err *err)
{
    struct api_call *c = arg;

    if (code == RX_OK) {
        rx_str name = c->params[0];
        note(c, "restore", name.ptr);
        rx_json_open_object(&c->w, "data");
        rx_json_put_str(&c->w, "restored", name);
        rx_json_put_u64(&c->w, "requests_kept", done->merged.requests);
        rx_json_put_u64(&c->w, "requests_lost", done->merged.unreadable);
        rx_json_put_text(&c->w, "not_kept", done->merged.left);
        rx_json_put_text(&c->w, "aside", done->aside);
        rx_json_close(&c->w);
    }
    api_finish(c, code, err);
}

enum rx_code
api_backup_restore(struct api_call *c, struct rx_err *err)
{
    enum rx_code code = no_body(c, err);

    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code == RX_OK)
        code = backups_restore(
            c->world->backups, c->params[0], on_restored, c, err);
    if (code != RX_OK)
        return code;
    wait_for_it(c);
    return RX_OK;
}
