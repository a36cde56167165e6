#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/health.h"
#include "controlplane/own_address.h"
#include "controlplane/provider.h"
#include "controlplane/rule.h"

enum rx_code
api_channels_list(struct api_call *c, struct rx_err *err)
{
    struct channel **list =
        field_make(c->arena, struct channel *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code = channel_list(
            c->store, c->arena, after, limit, false, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        channel_put(
            &c->w, NULL, list[i], collector_troubles(c->world->collector));
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return RX_OK;
}

static void
answer(struct api_call *c, const struct channel *ch)
{
    api_etag(c, ch->rev);
    channel_put(&c->w, "data", ch, collector_troubles(c->world->collector));
}

/* An upstream of ours would be ourselves. */
static enum rx_code
check_addresses(
    struct api_call *c, const struct channel *ch, struct rx_err *err)
{
    size_t count;
    const struct state_endpoint *e = channel_endpoints(ch, c->arena, &count);

    for (size_t i = 0; i < count; i++) {
        if (own_address(c->world, api_port(c->api), e[i].base_url))
            return api_wrong(c, err, "base_url",
                "leads back to Routex itself; name the provider's address");
    }
    return RX_OK;
}

static enum rx_code
find_accounts(struct api_call *c, struct channel *ch, struct rx_err *err)
{
    struct rx_err why = { 0 };
    enum rx_code code = channel_find_accounts(c->store, c->arena, ch, &why);

    if (code == RX_NOT_FOUND || code == RX_CONFLICT)
        return api_wrong(c, err, "account", "%s", why.text);
    *err = why;
    return code;
}

/* Save, write the audit line, answer. */
static enum rx_code
finish_change(struct api_call *c, struct channel *ch, const char *action,
    struct rx_err *err)
{
    enum rx_code code = check_addresses(c, ch, err);

    if (code == RX_OK)
        code = find_accounts(c, ch, err);
    if (code == RX_OK)
        code = channel_save(c->store, c->arena, ch, err);
    if (code == RX_OK)
        code = api_audit(c, action, "channel", ch->id, ch->name, err);
    if (code == RX_OK)
        answer(c, ch);
    return code;
}

enum rx_code
api_channels_create(struct api_call *c, struct rx_err *err)
{
    struct channel *ch = channel_new(c->arena);

    if (rx_json_there(c->body))
        channel_read(ch, c->body, FIELD_CREATE, c->arena);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_change(c, ch, "create", err) : code;
}

enum rx_code
api_channel_get(struct api_call *c, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], false, &ch, err);

    if (code == RX_OK)
        answer(c, ch);
    return code;
}

static enum rx_code
change(struct api_call *c, enum field_mode mode, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], true, &ch, err);

    if (code == RX_OK)
        code = api_if_match(c, ch->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        channel_read(ch, c->body, mode, c->arena);
    code = api_body_done(c, err);
    return code == RX_OK ? finish_change(c, ch, "update", err) : code;
}

enum rx_code
api_channel_replace(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_REPLACE, err);
}

enum rx_code
api_channel_patch(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_PATCH, err);
}

enum rx_code
api_channel_delete(struct api_call *c, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], false, &ch, err);

    if (code == RX_OK)
        code = api_if_match(c, ch->rev, err);
    if (code == RX_OK)
        code = rule_spares_channel(c->store, ch->id, err);
    if (code == RX_OK)
        code = channel_delete(c->store, ch, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "channel", ch->id, ch->name, err);
    if (code == RX_OK)
        api_put_deleted(c, ch->id);
    return code;
}

static enum rx_code
set_status(
    struct api_call *c, rx_str status, const char *action, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], true, &ch, err);

    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        rx_json_no_more(c->body);
    if (rx_json_there(c->body) && (code = api_body_done(c, err)) != RX_OK)
        return code;
    const struct provider *p = provider_find(ch->type);
    if (rx_str_eq(status, RX_S("enabled")) && p != NULL && p->key_required &&
        ch->key_count == 0)
        return api_wrong(c, err, "api_key", "is needed first");
    ch->status = status;
    return finish_change(c, ch, action, err);
}

enum rx_code
api_channel_pause(struct api_call *c, struct rx_err *err)
{
    return set_status(c, RX_S("paused"), "pause", err);
}

enum rx_code
api_channel_resume(struct api_call *c, struct rx_err *err)
{
    return set_status(c, RX_S("enabled"), "resume", err);
}

/* Whatever was learnt about it is forgotten, on every data plane. */
enum rx_code
api_channel_reset(struct api_call *c, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code =
        channel_load(c->store, c->arena, c->params[0], false, &ch, err);

    if (code == RX_OK)
        code = api_audit(c, "reset", "channel", ch->id, ch->name, err);
    if (code != RX_OK)
        return code;
    troubles_reset(collector_troubles(c->world->collector), ch->id);
    health_forget(c->world->health, ch->id);
    answer(c, ch);
    return RX_OK;
}

enum rx_code
api_channel_health(struct api_call *c, struct rx_err *err)
{
    struct channel *ch;
    uint64_t limit;

    enum rx_code code = api_query_u64(c, "limit", 1, 1000, 100, &limit, err);
    if (code == RX_OK)
        code = channel_load(c->store, c->arena, c->params[0], false, &ch, err);
    if (code == RX_OK)
        code = health_put(
            c->world->health, ch->id, (size_t)limit, &c->w, "data", err);
    return code;
}
