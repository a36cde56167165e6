/*
 * Logging in at providers, and the accounts that come of it.
 *
 * Finishing and renewing ask the provider, so their answers come later; what
 * they change is one transaction of oauth_store.c, with the answer kept for the
 * Idempotency-Key in it.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/api_replay.h"
#include "controlplane/oauth.h"

#define URL_MAX ((size_t)16 << 10)
#define JSON    "application/json; charset=utf-8"

/* ---- providers --------------------------------------------------------------- */

static void
put_redirect(struct api_call *c, const struct oauth_provider *p)
{
    struct rx_buf uri;

    rx_buf_init(&uri, URL_MAX);
    oauth_provider_redirect(p, api_port(c->api), &uri);
    rx_json_put_str(&c->w, "redirect_uri", rx_buf_str(&uri));
    rx_buf_fini(&uri);
}

enum rx_code
api_oauth_providers(struct api_call *c, struct rx_err *err)
{
    const struct oauth_providers *all = oauth_providers_of(c->world->oauth);
    const struct oauth_provider *p;

    (void)err;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; (p = oauth_provider_at(all, i)) != NULL; i++) {
        rx_json_open_object(&c->w, NULL);
        rx_json_put_text(&c->w, "name", p->name);
        rx_json_put_text(&c->w, "title", p->title);
        rx_json_put_text(&c->w, "style", oauth_provider_style(p));
        rx_json_put_text(&c->w, "client_id", p->client_id);
        rx_json_put_text(&c->w, "authorize_url", p->authorize_url);
        rx_json_put_text(&c->w, "token_url", p->token_url);
        put_redirect(c, p);
        rx_json_put_text(&c->w, "scope", p->scope);
        rx_json_close(&c->w);
    }
    rx_json_close(&c->w);
    return RX_OK;
}

static enum rx_code
find_provider(
    struct api_call *c, const struct oauth_provider **out, struct rx_err *err)
{
    rx_str name = c->params[0];

    *out = oauth_provider_find(oauth_providers_of(c->world->oauth), name);
    if (*out == NULL)
        return rx_fail(err, RX_NOT_FOUND,
            "there is no provider \"%.*s\" to log in at",
            (int)(name.len < 60 ? name.len : 60), name.ptr);
    return RX_OK;
}

static struct oauth_actor
actor_of(const struct api_call *c)
{
    return (struct oauth_actor){ c->who.name,
        field_text(scope_kind_name(c->who.kind)), c->who.id, c->address };
}

/* ---- beginning --------------------------------------------------------------- */

static void
put_login(struct api_call *c, const struct oauth_provider *p,
    const struct oauth_login *l)
{
    struct rx_buf url;

    rx_buf_init(&url, URL_MAX);
    oauth_login_url(p, l, &url);
    rx_json_open_object(&c->w, "data");
    rx_json_put_text(&c->w, "provider", p->name);
    rx_json_put_text(&c->w, "style", oauth_provider_style(p));
    rx_json_put_str(&c->w, "url", rx_buf_str(&url));
    rx_json_put_str(&c->w, "state", l->state);
    rx_json_put_str(&c->w, "redirect_uri", l->redirect_uri);
    if (l->account.len > 0)
        rx_json_put_str(&c->w, "account", l->account);
    else
        rx_json_put_null(&c->w, "account");
    rx_json_put_time(&c->w, "expires_at", l->expires_ms);
    rx_json_close(&c->w);
    rx_buf_fini(&url);
}

/* An account of that name may be there: then it is logged in again. */
static enum rx_code
check_account(struct api_call *c, const struct oauth_provider *p, rx_str name,
    struct rx_err *err)
{
    struct oauth_account *a;
    struct rx_err why = { 0 };

    if (name.len == 0)
        return RX_OK;
    enum rx_code code =
        oauth_account_load(c->store, c->arena, name, false, &a, &why);
    if (code == RX_NOT_FOUND)
        return RX_OK;
    if (code == RX_OK && !rx_str_eq(a->provider, field_text(p->name)))
        return api_wrong(c, err, "account", "is an account of " RX_STR_FMT,
            RX_STR_ARG(a->provider));
    *err = why;
    return code;
}

static enum rx_code
read_start(struct api_call *c, struct oauth_login *l, struct rx_err *err)
{
    if (!rx_json_there(c->body))
        return RX_OK;
    if (rx_json_kind(rx_json_member(c->body, "account")) > RX_JSON_NULL) {
        rx_json name = rx_json_member(c->body, "account");
        rx_json_get_str(c->body, "account", &l->account);
        if (l->account.len == 0 || l->account.len > 64)
            rx_json_wrong(name, "must have 1 to 64 characters");
        for (size_t i = 0; i < l->account.len; i++) {
            char ch = l->account.ptr[i];
            if (ch <= 0x20 || ch >= 0x7F || strchr("\"/\\%?#,", ch) != NULL)
                rx_json_wrong(name, "must be visible ASCII characters without "
                                    "blanks and \"/\\%%?#,");
        }
        if (rx_str_starts(l->account, RX_S("acc_")))
            rx_json_wrong(name, "looks like an id");
    }
    rx_json_no_more(c->body);
    return api_body_done(c, err);
}

enum rx_code
api_oauth_start(struct api_call *c, struct rx_err *err)
{
    const struct oauth_provider *p;
    struct oauth_login l = { .actor = actor_of(c) };
    struct rx_buf uri;

    enum rx_code code = find_provider(c, &p, err);
    if (code == RX_OK)
        code = read_start(c, &l, err);
    if (code == RX_OK)
        code = check_account(c, p, l.account, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&uri, URL_MAX);
    oauth_provider_redirect(p, api_port(c->api), &uri);
    l.provider = field_text(p->name);
    l.redirect_uri = field_keep(c->arena, rx_buf_str(&uri));
    rx_buf_fini(&uri);
    code = oauth_login_begin(c->store, c->arena, &l, err);
    if (code == RX_OK)
        code = api_audit(c, "begin_login", "oauth_account", l.provider,
            l.account.len > 0 ? l.account : l.provider, err);
    c->status = 201;
    if (code == RX_OK)
        put_login(c, p, &l);
    return code;
}

/* ---- answers that come later ------------------------------------------------------ */

static enum rx_code
put_account(
    struct api_call *c, const struct oauth_account *a, struct rx_err *err)
{
    api_etag(c, a->rev);
    return oauth_account_put(c->store, &c->w, "data", a, err);
}

/* In the transaction that stores it: the answer, whole, and kept. */
static enum rx_code
on_keep(void *arg, const struct oauth_account *a, struct rx_err *err)
{
    struct api_call *c = arg;
    enum rx_code code = put_account(c, a, err);

    if (code != RX_OK)
        return code;
    rx_json_close(&c->w);
    c->raw_type = JSON;
    return api_replay_keep(c, err);
}

static void
on_done(void *arg, const struct oauth_account *a, enum rx_code code,
    struct rx_err *err)
{
    struct api_call *c = arg;

    (void)a;
    if (code == RX_UPSTREAM) {
        c->fail_status = 502;
        c->fail_code = "provider_failed";
    } else if (code == RX_DENIED) {
        c->fail_status = 409;
        c->fail_code = "needs_login";
    }
    api_finish(c, code, err);
}

static void
on_gone(void *arg)
{
    struct api_call *c = arg;

    oauth_leave(c->world->oauth, c);
}

static const struct oauth_waiter *
wait_for(struct api_call *c, struct oauth_waiter *w)
{
    *w = (struct oauth_waiter){ c, on_keep, on_done };
    c->later = true;
    c->cancel = on_gone;
    c->cancel_arg = c;
    return w;
}

/* Was this answered before?  Then that answer is the answer. */
static enum rx_code
find_replay(struct api_call *c, bool *replayed, struct rx_err *err)
{
    enum rx_code code = store_begin(c->store, err);

    *replayed = false;
    if (code != RX_OK)
        return code;
    code = api_replay_find(c, replayed, err);
    store_rollback(c->store);
    if (*replayed)
        c->raw_type = JSON;
    return code;
}

/* ---- finishing ----------------------------------------------------------------- */

/* A state is used up whatever comes of it. */
static enum rx_code
take_login(struct api_call *c, rx_str provider, rx_str state,
    struct oauth_login *l, struct rx_err *err)
{
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    code = oauth_login_take(c->store, c->arena, provider, state, l, err);
    if (code != RX_OK && code != RX_DENIED) {
        store_rollback(c->store);
        return code;
    }
    struct rx_err failed = { 0 };
    if (store_commit(c->store, &failed) != RX_OK) {
        *err = failed;
        return failed.code;
    }
    return code;
}

static enum rx_code
read_finish(struct api_call *c, rx_str *code, rx_str *state, struct rx_err *err)
{
    rx_str brought = { 0 };

    *state = (rx_str){ 0 };
    if (!rx_json_there(c->body))
        return api_wrong(c, err, "code", "is required");
    rx_json_need_str(c->body, "code", &brought);
    rx_json_get_str(c->body, "state", state);
    rx_json_no_more(c->body);
    enum rx_code good = api_body_done(c, err);
    if (good != RX_OK)
        return good;
    rx_str own = { 0 };
    if (!oauth_login_read(c->arena, brought, code, &own))
        return api_wrong(c, err, "code",
            "must be the code, or the whole address, that the log-in ended at");
    if (state->len > 0 && own.len > 0 && !rx_str_eq(*state, own))
        return api_wrong(
            c, err, "state", "is not the one that came with the code");
    if (own.len > 0)
        *state = own;
    if (state->len == 0)
        return api_wrong(c, err, "state",
            "is required: it stands behind the # of the code, or in the "
            "address");
    return RX_OK;
}

enum rx_code
api_oauth_finish(struct api_call *c, struct rx_err *err)
{
    const struct oauth_provider *p;
    struct oauth_login login;
    struct oauth_waiter w;
    struct oauth_actor actor = actor_of(c);
    rx_str code_text, state;
    bool replayed = false;

    enum rx_code code = find_provider(c, &p, err);
    if (code == RX_OK)
        code = find_replay(c, &replayed, err);
    if (code != RX_OK || replayed)
        return code;
    code = read_finish(c, &code_text, &state, err);
    if (code == RX_OK)
        code = take_login(c, field_text(p->name), state, &login, err);
    if (code == RX_DENIED) {
        snprintf(c->field, sizeof(c->field), "state");
        c->fail_status = 400;
        c->fail_code = "bad_state";
    }
    if (code == RX_OK)
        oauth_finish(
            c->world->oauth, &login, code_text, &actor, wait_for(c, &w));
    return code;
}

/* ---- the browser comes back ------------------------------------------------------- */

static void
add_html(struct rx_buf *out, rx_str s)
{
    static const struct {
        char c;
        const char *as;
    } marks[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" },
        { '"', "&quot;" }, { '\'', "&#39;" } };

    for (size_t i = 0; i < s.len; i++) {
        const char *as = NULL;
        for (size_t k = 0; k < RX_COUNT(marks) && as == NULL; k++)
            as = marks[k].c == s.ptr[i] ? marks[k].as : NULL;
        if (as != NULL)
            rx_buf_addf(out, "%s", as);
        else
            rx_buf_addc(out, s.ptr[i]);
    }
}

static void
put_page(struct api_call *c, const char *title, const char *words)
{
    rx_buf_clear(&c->out);
    c->raw_type = "text/html; charset=utf-8";
    rx_buf_addf(&c->headers,
        "content-security-policy: default-src 'none'; style-src "
        "'unsafe-inline'\r\nreferrer-policy: no-referrer\r\n");
    rx_buf_addf(&c->out,
        "<!doctype html><meta charset=utf-8><title>Routex</title>"
        "<body style=\"font:16px system-ui;margin:4em\"><h1>%s</h1><p>",
        title);
    add_html(&c->out, field_text(words));
    rx_buf_addc(&c->out, '\n');
}

static void
on_page(void *arg, const struct oauth_account *a, enum rx_code code,
    struct rx_err *err)
{
    struct api_call *c = arg;
    struct rx_err none = { 0 };
    char words[300];

    if (code == RX_OK) {
        snprintf(words, sizeof(words),
            "The account \"" RX_STR_FMT
            "\" is logged in. You can close this page.",
            RX_STR_ARG(a->name));
        put_page(c, "Logged in", words);
    } else {
        c->status = 502;
        put_page(c, "Not logged in", err->text);
    }
    api_finish(c, RX_OK, &none);
}

enum rx_code
api_oauth_callback(struct api_call *c, struct rx_err *err)
{
    rx_str code_text = api_query(c, "code");
    rx_str state = api_query(c, "state");
    struct oauth_login login;
    struct oauth_waiter w;

    enum rx_code code = code_text.len > 0 && state.len > 0
                            ? take_login(c, (rx_str){ 0 }, state, &login, err)
                            : rx_fail(err, RX_DENIED,
                                  "the provider sent no code; nothing was "
                                  "changed");
    if (code == RX_OK &&
        oauth_provider_find(
            oauth_providers_of(c->world->oauth), login.provider) == NULL)
        code = rx_fail(err, RX_DENIED, "its provider is not known here");
    if (code != RX_OK) {
        c->status = rx_code_http(code) < 500 ? 400 : 503;
        put_page(c, "Not logged in", err->text);
        return RX_OK;
    }
    wait_for(c, &w);
    w.keep = NULL;
    w.done = on_page;
    oauth_finish(c->world->oauth, &login, code_text, &login.actor, &w);
    return RX_OK;
}

/* ---- accounts ------------------------------------------------------------------ */

enum rx_code
api_oauth_accounts(struct api_call *c, struct rx_err *err)
{
    struct oauth_account **list =
        field_make(c->arena, struct oauth_account *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code = oauth_account_list(
            c->store, c->arena, after, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; code == RX_OK && i < count; i++)
        code = oauth_account_put(c->store, &c->w, NULL, list[i], err);
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return code;
}

enum rx_code
api_oauth_account(struct api_call *c, struct rx_err *err)
{
    struct oauth_account *a;
    enum rx_code code =
        oauth_account_load(c->store, c->arena, c->params[0], false, &a, err);

    return code == RX_OK ? put_account(c, a, err) : code;
}

enum rx_code
api_oauth_refresh(struct api_call *c, struct rx_err *err)
{
    struct oauth_waiter w;
    struct oauth_actor actor = actor_of(c);
    bool replayed = false;

    if (rx_json_there(c->body))
        rx_json_no_more(c->body);
    enum rx_code code = rx_json_there(c->body) ? api_body_done(c, err) : RX_OK;
    if (code == RX_OK)
        code = find_replay(c, &replayed, err);
    if (code != RX_OK || replayed)
        return code;
    code = oauth_refresh(
        c->world->oauth, c->params[0], &actor, wait_for(c, &w), err);
    if (code != RX_OK) {
        c->later = false;
        c->cancel = NULL;
    }
    return code;
}

enum rx_code
api_oauth_delete(struct api_call *c, struct rx_err *err)
{
    struct oauth_account *a;
    enum rx_code code =
        oauth_account_load(c->store, c->arena, c->params[0], false, &a, err);

    if (code == RX_OK)
        code = api_if_match(c, a->rev, err);
    if (code == RX_OK)
        code = oauth_account_delete(c->store, a, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "oauth_account", a->id, a->name, err);
    if (code != RX_OK)
        return code;
    oauth_changed(c->world->oauth);
    api_put_deleted(c, a->id);
    return RX_OK;
}
