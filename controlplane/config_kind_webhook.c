/*
 * Webhooks.  Their addresses are secrets like the keys they sign with: in a
 * document both stand by their marks.
 */
#include "controlplane/config_kind.h"
#include "controlplane/webhook.h"

static rx_str
webhook_name(const void *noun)
{
    return ((const struct webhook *)noun)->name;
}

static enum rx_code
webhook_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    struct webhook **list = (struct webhook **)out;
    enum rx_code code = webhook_list(
        run->store, run->arena, after, CONFIG_PAGE, list, count, err);

    for (size_t i = 0; code == RX_OK && i < *count; i++)
        code = webhook_load(
            run->store, run->arena, list[i]->id, true, &list[i], err);
    return code;
}

static enum rx_code
list_webhooks(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(
        run, webhook_page, webhook_name, out, count, err);
}

static enum rx_code
find_webhook(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct webhook *h = NULL;
    rx_str name = config_wanted_name(body);
    enum rx_code code =
        webhook_load(run->store, run->arena, name, true, &h, err);

    return config_or_none(code, h, name, webhook_name, out, err);
}

static void
put_webhook(struct rx_json_out *w, const void *noun)
{
    webhook_put(w, NULL, noun);
}

static void
put_mark(struct rx_json_out *w, const char *key, rx_str secret,
    const char *shown_as, rx_str shown)
{
    char mark[CONFIG_MARK_SIZE];

    if (secret.len == 0) {
        rx_json_put_null(w, key);
        return;
    }
    config_mark(secret, mark);
    rx_json_open_object(w, key);
    rx_json_put_text(w, "fingerprint", mark);
    rx_json_put_str(w, shown_as, shown);
    rx_json_close(w);
}

static void
put_webhook_marks(struct rx_json_out *w, const void *noun)
{
    const struct webhook *h = noun;

    put_mark(w, "url", h->url, "shown", h->shown);
    put_mark(w, "secret", h->secret, "last4", h->last4);
}

static void
webhook_secrets(
    const void *noun, void (*add)(void *arg, rx_str secret), void *arg)
{
    const struct webhook *h = noun;

    add(arg, h->url);
    add(arg, h->secret);
}

static void *
read_webhook(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct webhook *h = noun != NULL ? noun : webhook_new(run->arena);
    size_t before = rx_json_fault_count(body.doc);

    if (mode == FIELD_REPLACE) {
        h->kinds = (struct field_list){ 0 };
        h->severity = RX_S("info");
        h->status = RX_S("enabled");
    }
    h->offered = &run->secrets;
    webhook_read(
        h, body, mode == FIELD_CREATE ? FIELD_CREATE : FIELD_PATCH, run->arena);
    h->drawn = false;
    if (rx_json_fault_count(body.doc) > before || h->url.len > 0)
        return h;
    h->status = RX_S("disabled");
    config_warn(run, body,
        "its address is not in the document; enter it with PATCH "
        "/api/webhooks/%.64s; it is disabled until then",
        h->name.ptr);
    return h;
}

static enum rx_code
save_webhook(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    (void)body;
    return webhook_save(run->store, run->arena, noun, err);
}

static enum rx_code
remove_webhook(struct config_run *run, void *noun, struct rx_err *err)
{
    return webhook_delete(run->store, noun, err);
}

static const char *const webhook_hidden[] = { "id", "url", "secret",
    "secret_last4", "waiting", "given_up", "last_at", "last_status",
    "last_error", "created_at", "updated_at", NULL };

const struct config_kind config_webhooks = {
    .name = "webhooks",
    .noun = "webhook",
    .hidden = webhook_hidden,
    .name_of = webhook_name,
    .list = list_webhooks,
    .find = find_webhook,
    .put = put_webhook,
    .put_marks = put_webhook_marks,
    .read = read_webhook,
    .save = save_webhook,
    .remove = remove_webhook,
    .secrets = webhook_secrets,
};
