#include "controlplane/first.h"

#include <stdio.h>
#include <stdlib.h>

#include "controlplane/admin.h"
#include "controlplane/audit.h"
#include "controlplane/channel.h"
#include "controlplane/demo.h"
#include "controlplane/key.h"
#include "controlplane/provider.h"
#include "controlplane/tenant.h"
#include "shared/log.h"

struct first {
    struct store *store;
    struct rx_arena *arena;
    const char *demo_url;
    struct first_words *words;
    struct rx_err *err;
};

static const char *
environment(const char *name)
{
    const char *text = name == NULL ? NULL : getenv(name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum rx_code
note_made(struct first *f, const char *kind, rx_str id, rx_str name)
{
    struct audit_line line = {
        .actor = RX_S("routex-control"),
        .action = "create",
        .kind = kind,
        .id = id,
        .name = name,
    };

    return audit_add(f->store, &line, f->err);
}

/* ---- tenant, token, key ---- */

static enum rx_code
make_key(struct first *f, const struct tenant *t)
{
    struct key *k = key_new(f->arena);

    k->name = RX_S("first");
    k->tenant_id = t->id;
    k->may_force_channel = true;
    key_draw(k, f->arena);
    f->words->client_key = k->text;
    enum rx_code code = key_save(f->store, f->arena, k, f->err);
    return code == RX_OK ? note_made(f, "key", k->id, k->name) : code;
}

static enum rx_code
make_token(struct first *f)
{
    static const rx_str everything[] = { RX_STR_INIT("*") };
    struct admin_token *t = admin_new(f->arena);

    t->name = RX_S("first");
    t->scopes = (struct field_list){ everything, 1 };
    enum rx_code code = admin_create(f->store, f->arena, t, f->err);
    f->words->admin_token = t->text;
    return code == RX_OK ? note_made(f, "token", t->id, t->name) : code;
}

static enum rx_code
make_credentials(struct first *f)
{
    struct tenant *t = tenant_new(f->arena);

    t->name = RX_S(TENANT_DEFAULT);
    enum rx_code code = tenant_save(f->store, f->arena, t, f->err);
    if (code == RX_OK)
        code = note_made(f, "tenant", t->id, t->name);
    if (code == RX_OK)
        code = make_key(f, t);
    return code == RX_OK ? make_token(f) : code;
}

/* ---- channels ---- */

/* The same body and the same checks as in the API. */
/* Named ones are listed by GET /v1/models; the last takes any other. */
static const char *const demo_models[] = { "demo", "demo-think", "demo-tool",
    "*" };

static enum rx_code
make_channel(struct first *f, const struct provider *p, const char *url,
    const char *api_key, int priority, const char *because)
{
    struct channel *ch = channel_new(f->arena);
    struct rx_buf body;

    rx_buf_init(&body, 64 << 10);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "name", p->type);
    rx_json_put_text(&w, "type", p->type);
    if (url != NULL)
        rx_json_put_text(&w, "base_url", url);
    rx_json_put_text(&w, "api_key", api_key);
    rx_json_put_i64(&w, "priority", priority);
    if (url != NULL) {
        rx_json_open_array(&w, "models");
        for (size_t i = 0; i < RX_COUNT(demo_models); i++)
            rx_json_put_text(&w, NULL, demo_models[i]);
        rx_json_close(&w);
    }
    rx_json_close(&w);
    rx_json read = field_parse(f->arena, rx_buf_str(&body));
    rx_buf_fini(&body);
    channel_read(ch, read, FIELD_CREATE, f->arena);
    const struct rx_json_fault *fault = rx_json_fault(read.doc);
    if (fault != NULL)
        return rx_fail(f->err, RX_INVALID, "%s: %s %s", because, fault->field,
            fault->text);
    enum rx_code code = channel_save(f->store, f->arena, ch, f->err);
    return code == RX_OK ? note_made(f, "channel", ch->id, ch->name) : code;
}

/* Has it been done in this store before?  From now on, yes. */
static enum rx_code
once(struct first *f, const char *what, bool *done)
{
    uint64_t before;
    enum rx_code code = store_get(f->store, what, &before, f->err);

    *done = before != 0;
    return code == RX_OK && !*done ? store_set(f->store, what, 1, f->err)
                                   : code;
}

/* *out is NULL when there is no such channel, which is no failure here. */
static enum rx_code
find_channel(struct first *f, const char *name, struct channel **out)
{
    struct rx_err err = { 0 };
    enum rx_code code =
        channel_load(f->store, f->arena, field_text(name), true, out, &err);

    if (code != RX_OK)
        *out = NULL;
    if (code != RX_OK && code != RX_NOT_FOUND)
        return rx_fail(f->err, code, "%s", err.text);
    return RX_OK;
}

static enum rx_code
make_from_environment(struct first *f, const struct provider *p)
{
    const char *api_key = environment(p->key_env);
    struct channel *there = NULL;
    bool done;

    if (api_key == NULL)
        return RX_OK;
    enum rx_code code = once(f, p->key_env, &done);
    if (code == RX_OK)
        code = find_channel(f, p->type, &there);
    if (code != RX_OK || done || there != NULL)
        return code;
    return make_channel(f, p, NULL, api_key, 100, p->key_env);
}

static bool
any_provider_key(void)
{
    for (const struct provider *p = providers; p->type != NULL; p++) {
        if (environment(p->key_env) != NULL)
            return true;
    }
    return false;
}

static enum rx_code
make_demo(struct first *f)
{
    uint64_t channels;
    bool done;
    enum rx_code code = channel_count(f->store, &channels, f->err);

    if (code != RX_OK || channels > 0 || any_provider_key())
        return code;
    code = once(f, "demo", &done);
    if (code != RX_OK || done)
        return code;
    return make_channel(f, provider_find(RX_S(DEMO)), f->demo_url, DEMO,
        DEMO_PRIORITY, "--demo-url");
}

/* The demo listens on another port than last time: its channel follows. */
static enum rx_code
move_demo(struct first *f)
{
    rx_str url = field_text(f->demo_url);
    struct channel *ch;
    enum rx_code code = find_channel(f, DEMO, &ch);

    if (code != RX_OK || ch == NULL || !rx_str_eq(ch->type, RX_S(DEMO)) ||
        !rx_str_starts(ch->base_url, RX_S("http://127.0.0.1:")) ||
        rx_str_eq(ch->base_url, url))
        return code;
    ch->base_url = url;
    return channel_save(f->store, f->arena, ch, f->err);
}

static enum rx_code
make_all(struct first *f)
{
    bool done;
    enum rx_code code = once(f, "credentials", &done);

    if (code == RX_OK && !done)
        code = make_credentials(f);
    for (const struct provider *p = providers; code == RX_OK && p->type != NULL;
         p++)
        code = make_from_environment(f, p);
    if (code == RX_OK && f->demo_url != NULL)
        code = make_demo(f);
    if (code == RX_OK && f->demo_url != NULL)
        code = move_demo(f);
    return code;
}

enum rx_code
first_start(struct store *s, struct rx_arena *arena, const char *demo_url,
    struct first_words *out, struct rx_err *err)
{
    struct first f = { s, arena, demo_url, out, err };

    *out = (struct first_words){ 0 };
    enum rx_code code = store_begin(s, err);
    if (code != RX_OK)
        return code;
    code = make_all(&f);
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}
