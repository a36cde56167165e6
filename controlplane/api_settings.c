#include "controlplane/api.h"
#include "controlplane/settings.h"

static void
answer(struct api_call *c, const struct settings *s)
{
    api_etag(c, s->rev);
    settings_put(&c->w, "data", s);
}

enum rx_code
api_settings_get(struct api_call *c, struct rx_err *err)
{
    struct settings s;
    enum rx_code code = settings_load(c->store, c->arena, &s, err);

    if (code == RX_OK)
        answer(c, &s);
    return code;
}

static enum rx_code
change(struct api_call *c, enum field_mode mode, struct rx_err *err)
{
    struct settings s;
    enum rx_code code = settings_load(c->store, c->arena, &s, err);

    if (code == RX_OK)
        code = api_if_match(c, s.rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        settings_read(&s, c->body, mode, c->arena);
    code = api_body_done(c, err);
    if (code == RX_OK)
        code = settings_save(c->store, &s, err);
    if (code == RX_OK)
        code = api_audit(
            c, "update", "settings", (rx_str){ 0 }, RX_S("settings"), err);
    if (code == RX_OK)
        answer(c, &s);
    return code;
}

enum rx_code
api_settings_replace(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_REPLACE, err);
}

enum rx_code
api_settings_patch(struct api_call *c, struct rx_err *err)
{
    return change(c, FIELD_PATCH, err);
}
