/*
 * Accounts at providers.  A document names them; their tokens come along sealed,
 * and are used only where an account has none of its own: a token that was
 * renewed since is worth more than one that was written down.
 */
#include "controlplane/api.h"
#include "controlplane/config_kind.h"
#include "controlplane/oauth.h"
#include "controlplane/oauth_account.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define SECRET_MAX ((size_t)64 << 10)

static rx_str
account_name(const void *noun)
{
    return ((const struct oauth_account *)noun)->name;
}

static enum rx_code
account_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    struct oauth_account **list = (struct oauth_account **)out;
    enum rx_code code = oauth_account_list(
        run->store, run->arena, after, CONFIG_PAGE, list, count, err);

    for (size_t i = 0; code == RX_OK && i < *count; i++)
        code = oauth_account_load(
            run->store, run->arena, list[i]->id, true, &list[i], err);
    return code;
}

static enum rx_code
list_accounts(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(
        run, account_page, account_name, out, count, err);
}

static enum rx_code
find_account(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct oauth_account *a = NULL;
    rx_str name = config_wanted_name(body);
    enum rx_code code =
        oauth_account_load(run->store, run->arena, name, true, &a, err);

    return config_or_none(code, a, name, account_name, out, err);
}

static void
put_account(struct rx_json_out *w, const void *noun)
{
    const struct oauth_account *a = noun;

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "id", a->id);
    rx_json_put_str(w, "name", a->name);
    rx_json_put_str(w, "provider", a->provider);
    rx_json_put_str(w, "identity", a->identity);
    rx_json_put_str(w, "email", a->email);
    rx_json_put_str(w, "scope", a->scope);
    rx_json_close(w);
}

/* ---- tokens ---------------------------------------------------------------- */

/* {"account":…,"access":…}: so it says itself whose it is. */
static void
account_secrets(
    const void *noun, void (*add)(void *arg, rx_str secret), void *arg)
{
    const struct oauth_account *a = noun;
    struct rx_buf text;

    if (a->access.len == 0 || a->needs_login)
        return;
    rx_buf_init(&text, SECRET_MAX);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    rx_json_put_str(&w, "account", a->name);
    rx_json_put_str(&w, "provider", a->provider);
    rx_json_put_str(&w, "access", a->access);
    rx_json_put_str(&w, "refresh", a->refresh);
    rx_json_put_u64(&w, "got_ms", a->span.got_ms);
    rx_json_put_u64(&w, "life_ms", a->span.life_ms);
    rx_json_close(&w);
    if (!text.full)
        add(arg, rx_buf_str(&text));
    if (text.ptr != NULL)
        rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);
}

static bool
is_of(rx_json token, const struct oauth_account *a)
{
    return rx_str_ieq(rx_json_str(rx_json_member(token, "account")), a->name) &&
           rx_str_eq(
               rx_json_str(rx_json_member(token, "provider")), a->provider);
}

/* Empty: none of the secrets is its. */
static void
take_tokens(struct config_run *run, struct oauth_account *a)
{
    for (size_t i = 0; i < run->secrets.count; i++) {
        if (!rx_str_starts(run->secrets.at[i], RX_S("{\"account\":")))
            continue;
        rx_json token = field_parse(run->arena, run->secrets.at[i]);
        if (!is_of(token, a))
            continue;
        a->access = rx_json_str(rx_json_member(token, "access"));
        a->refresh = rx_json_str(rx_json_member(token, "refresh"));
        rx_json_get_u64(token, "got_ms", 0, INT64_MAX, &a->span.got_ms);
        rx_json_get_u64(token, "life_ms", 0, INT64_MAX, &a->span.life_ms);
        a->refreshed_ms = a->span.got_ms;
        a->needs_login = false;
        a->brought = true;
        a->failures = 0;
        a->last_error = (rx_str){ 0 };
        return;
    }
}

/* ---- reading --------------------------------------------------------------- */

static void
read_provider(struct config_run *run, struct oauth_account *a, rx_json body)
{
    rx_str provider = a->provider;

    if (a->id.len == 0 ? !rx_json_need_str(body, "provider", &provider)
                       : !rx_json_get_str(body, "provider", &provider))
        return;
    if (a->id.len > 0 && !rx_str_eq(provider, a->provider))
        rx_json_wrong_member(body, "provider",
            "is another one than that of the account of this name here");
    else if (run->world != NULL && run->world->oauth != NULL &&
             oauth_provider_find(
                 oauth_providers_of(run->world->oauth), provider) == NULL)
        rx_json_wrong_member(body, "provider", "is not a known provider");
    a->provider = provider;
}

static void *
read_account(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct oauth_account *a =
        noun != NULL ? noun : field_make(run->arena, struct oauth_account, 1);
    size_t before = rx_json_fault_count(body.doc);

    if (noun == NULL)
        a->needs_login = true;
    if (mode == FIELD_REPLACE)
        a->identity = a->email = a->scope = (rx_str){ 0 };
    field_read_name(body, FIELD_CREATE, true, &a->name);
    read_provider(run, a, body);
    rx_json_get_str(body, "identity", &a->identity);
    rx_json_get_str(body, "email", &a->email);
    rx_json_get_str(body, "scope", &a->scope);
    rx_json_no_more(body);
    if (rx_json_fault_count(body.doc) > before || !a->needs_login)
        return a;
    take_tokens(run, a);
    if (a->needs_login)
        config_warn(run, body,
            "has to be logged in here: routex login %.64s --account %.64s",
            a->provider.ptr, a->name.ptr);
    else
        config_warn(run, body,
            "is logged in with the tokens of the document; the router they "
            "come from must not go on with them");
    return a;
}

static enum rx_code
save_account(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    struct oauth_account *a = noun;

    (void)body;
    return oauth_account_save(
        run->store, run->arena, a, a->access.len > 0, err);
}

static enum rx_code
remove_account(struct config_run *run, void *noun, struct rx_err *err)
{
    return oauth_account_delete(run->store, noun, err);
}

static bool
account_brings(const void *noun)
{
    return ((const struct oauth_account *)noun)->brought;
}

static const char *const account_hidden[] = { "id", NULL };

const struct config_kind config_accounts = {
    .name = "accounts",
    .noun = "account",
    .hidden = account_hidden,
    .name_of = account_name,
    .list = list_accounts,
    .find = find_account,
    .put = put_account,
    .read = read_account,
    .save = save_account,
    .remove = remove_account,
    .secrets = account_secrets,
    .brings = account_brings,
};
