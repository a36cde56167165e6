/*
 * What a document can hold.  To add a kind, add it to the table at the end.
 */
#include "controlplane/config_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/config.h"
#include "controlplane/function.h"
#include "controlplane/oauth_account.h"
#include "controlplane/own_address.h"
#include "controlplane/rule.h"
#include "controlplane/settings.h"
#include "controlplane/tenant.h"

/* ---- lists that grow ------------------------------------------------------- */

void
config_items_add(struct rx_arena *arena, struct config_items *list, void *item)
{
    if (list->count == list->room) {
        void **more = field_make(arena, void *, 2 * list->room + 16);
        if (list->count > 0)
            memcpy(more, list->at, list->count * sizeof(*more));
        list->at = more;
        list->room = 2 * list->room + 16;
    }
    list->at[list->count++] = item;
}

enum rx_code
config_list_by_name(struct config_run *run, config_page_fn *page,
    rx_str (*name_of)(const void *noun), void ***out, size_t *count,
    struct rx_err *err)
{
    struct config_items list = { 0 };
    enum rx_code code = RX_OK;
    rx_str after = { 0 };
    size_t n = CONFIG_PAGE;

    while (code == RX_OK && n == CONFIG_PAGE) {
        void *some[CONFIG_PAGE];
        code = page(run, after, some, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            config_items_add(run->arena, &list, some[i]);
        if (code == RX_OK && n > 0)
            after = name_of(some[n - 1]);
    }
    *out = list.at;
    *count = list.count;
    return code;
}

enum rx_code
config_or_none(enum rx_code code, const void *found, rx_str name,
    rx_str (*name_of)(const void *noun), void **out, struct rx_err *err)
{
    *out = NULL;
    if (code == RX_NOT_FOUND) {
        if (err != NULL)
            *err = (struct rx_err){ 0 };
        return RX_OK;
    }
    /* Loading also takes ids, which are no names here. */
    if (code == RX_OK && rx_str_ieq(name_of(found), name))
        *out = (void *)(uintptr_t)found;
    return code;
}

rx_str
config_wanted_name(rx_json body)
{
    return rx_json_str(rx_json_member(body, "name"));
}

/* ---- settings -------------------------------------------------------------- */

static rx_str
settings_name(const void *noun)
{
    (void)noun;
    return RX_S("settings");
}

static enum rx_code
find_settings(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct settings *s = field_make(run->arena, struct settings, 1);

    (void)body;
    *out = s;
    return settings_load(run->store, run->arena, s, err);
}

static enum rx_code
list_settings(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    *out = field_make(run->arena, void *, 1);
    *count = 1;
    return find_settings(run, (rx_json){ 0 }, *out, err);
}

static void
put_settings(struct rx_json_out *w, const void *noun)
{
    settings_put(w, NULL, noun);
}

static void *
read_settings(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    settings_read(noun, body, mode, run->arena);
    return noun;
}

static enum rx_code
save_settings(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    (void)body;
    return settings_save(run->store, noun, err);
}

/* ---- tenants --------------------------------------------------------------- */

static rx_str
tenant_name(const void *noun)
{
    return ((const struct tenant *)noun)->name;
}

static enum rx_code
tenant_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    return tenant_list(run->store, run->arena, after, CONFIG_PAGE,
        (struct tenant **)out, count, err);
}

static enum rx_code
list_tenants(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(run, tenant_page, tenant_name, out, count, err);
}

static enum rx_code
find_tenant(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct tenant *t = NULL;
    enum rx_code code =
        tenant_load(run->store, run->arena, config_wanted_name(body), &t, err);

    return config_or_none(
        code, t, config_wanted_name(body), tenant_name, out, err);
}

static void
put_tenant(struct rx_json_out *w, const void *noun)
{
    tenant_put(w, NULL, noun);
}

static void *
read_tenant(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct tenant *t = noun != NULL ? noun : tenant_new(run->arena);

    tenant_read(t, body, mode, run->arena);
    return t;
}

static enum rx_code
save_tenant(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    (void)body;
    return tenant_save(run->store, run->arena, noun, err);
}

/* Its keys may have gone since it was loaded. */
static enum rx_code
remove_tenant(struct config_run *run, void *noun, struct rx_err *err)
{
    struct tenant *t = noun;
    enum rx_code code = tenant_load(run->store, run->arena, t->id, &t, err);

    return code == RX_OK ? tenant_delete(run->store, t, err) : code;
}

static bool
keep_tenant(const void *noun)
{
    return rx_str_eq(tenant_name(noun), RX_S(TENANT_DEFAULT));
}

/* ---- channels -------------------------------------------------------------- */

static rx_str
channel_name(const void *noun)
{
    return ((const struct channel *)noun)->name;
}

/* The demo provider belongs to the machine it runs on. */
static bool
keep_channel(const void *noun)
{
    return rx_str_eq(((const struct channel *)noun)->type, RX_S("demo"));
}

static enum rx_code
channel_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    return channel_list(run->store, run->arena, after, CONFIG_PAGE, true,
        (struct channel **)out, count, err);
}

static enum rx_code
list_channels(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(
        run, channel_page, channel_name, out, count, err);
}

static enum rx_code
find_channel(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct channel *ch = NULL;
    enum rx_code code = channel_load(
        run->store, run->arena, config_wanted_name(body), true, &ch, err);

    return config_or_none(
        code, ch, config_wanted_name(body), channel_name, out, err);
}

static void
put_channel(struct rx_json_out *w, const void *noun)
{
    channel_put(w, NULL, noun, NULL);
}

static void
put_channel_marks(struct rx_json_out *w, const void *noun)
{
    const struct channel *ch = noun;
    char mark[CONFIG_MARK_SIZE];

    rx_json_open_array(w, "keys");
    for (size_t i = 0; i < ch->key_count; i++) {
        rx_json_open_object(w, NULL);
        if (ch->keys[i].account.len > 0) {
            rx_json_put_str(w, "account", ch->keys[i].account);
        } else {
            config_mark(ch->keys[i].secret, mark);
            rx_json_put_text(w, "fingerprint", mark);
            rx_json_put_str(w, "last4", ch->keys[i].last4);
        }
        rx_json_put_str(w, "status", ch->keys[i].status);
        rx_json_close(w);
    }
    rx_json_close(w);
}

static void
channel_secrets(
    const void *noun, void (*add)(void *arg, rx_str secret), void *arg)
{
    const struct channel *ch = noun;

    /* Tokens do not travel: they are good for one who renews them. */
    for (size_t i = 0; i < ch->key_count; i++) {
        if (ch->keys[i].account.len == 0)
            add(arg, ch->keys[i].secret);
    }
    if (ch->proxy_url.len > 0)
        add(arg, ch->proxy_url);
}

static bool
leads_back(struct config_run *run, const struct channel *ch)
{
    size_t count;
    const struct state_endpoint *e = channel_endpoints(ch, run->arena, &count);

    for (size_t i = 0; i < count; i++) {
        if (own_address(run->world, run->admin_port, e[i].base_url))
            return true;
    }
    return false;
}

/* Keys that the document only has the marks of, and nobody knows. */
static void
tell_missing_keys(
    struct config_run *run, const struct channel *ch, rx_json body)
{
    if (ch->missing_keys == 0)
        return;
    config_warn(run, body,
        "%zu of its keys are not in the document; enter them with "
        "routex channel edit %.64s --api-key-stdin%s",
        ch->missing_keys, ch->name.ptr,
        ch->key_count == 0 ? " --status enabled; it is disabled until then"
                           : "");
}

/* Accounts are logged in where they are used, so one may not be here yet. */
static void
drop_unknown_accounts(struct config_run *run, struct channel *ch, rx_json body)
{
    size_t kept = 0;

    for (size_t i = 0; i < ch->key_count; i++) {
        struct channel_key *k = &ch->keys[i];
        struct oauth_account *a;
        rx_str name = k->account_id.len > 0 ? k->account_id : k->account;
        if (name.len == 0 || oauth_account_load(run->store, run->arena, name,
                                 false, &a, NULL) != RX_NOT_FOUND) {
            ch->keys[kept++] = *k;
            continue;
        }
        config_warn(run, body,
            "its account " RX_STR_FMT
            " is not logged in here: routex login, then routex channel edit "
            "%.64s --account",
            RX_STR_ARG(k->account), ch->name.ptr);
    }
    if (kept == 0 && ch->key_count > 0)
        ch->status = RX_S("disabled");
    ch->key_count = kept;
}

static void *
read_channel(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct channel *ch = noun != NULL ? noun : channel_new(run->arena);
    size_t before = rx_json_fault_count(body.doc);

    ch->offered = &run->secrets;
    channel_read(ch, body, mode, run->arena);
    if (rx_json_fault_count(body.doc) > before)
        return ch;
    if (run->world != NULL && leads_back(run, ch))
        rx_json_wrong_member(body, "base_url",
            "leads back to Routex itself; name the provider's address");
    drop_unknown_accounts(run, ch, body);
    tell_missing_keys(run, ch, body);
    return ch;
}

static enum rx_code
save_channel(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    struct channel *ch = noun;
    enum rx_code code = channel_find_accounts(run->store, run->arena, ch, err);

    (void)body;
    return code == RX_OK ? channel_save(run->store, run->arena, ch, err) : code;
}

static enum rx_code
remove_channel(struct config_run *run, void *noun, struct rx_err *err)
{
    const struct channel *ch = noun;
    enum rx_code code = rule_spares_channel(run->store, ch->id, err);

    return code == RX_OK ? channel_delete(run->store, ch, err) : code;
}

/* ---- functions ------------------------------------------------------------- */

static rx_str
function_name(const void *noun)
{
    return ((const struct function *)noun)->name;
}

static enum rx_code
function_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    return function_list(run->store, run->arena, after, CONFIG_PAGE,
        (struct function **)out, count, err);
}

static enum rx_code
list_functions(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(
        run, function_page, function_name, out, count, err);
}

static enum rx_code
find_function(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct function *f = NULL;
    enum rx_code code = function_load(
        run->store, run->arena, config_wanted_name(body), &f, err);

    return config_or_none(
        code, f, config_wanted_name(body), function_name, out, err);
}

static void
put_function(struct rx_json_out *w, const void *noun)
{
    function_put(w, NULL, noun);
}

static void *
read_function(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct function *f = noun != NULL ? noun : function_new(run->arena);

    function_read(f, body, mode);
    return f;
}

static enum rx_code
save_function(
    struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    (void)body;
    return function_save(run->store, run->arena, noun, err);
}

static enum rx_code
remove_function(struct config_run *run, void *noun, struct rx_err *err)
{
    enum rx_code code =
        rule_spares_function(run->store, run->arena, function_name(noun), err);

    return code == RX_OK ? function_delete(run->store, noun, err) : code;
}

/* ---- rules ----------------------------------------------------------------- */

static rx_str
rule_name(const void *noun)
{
    return ((const struct rule *)noun)->name;
}

static enum rx_code
list_rules(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    struct config_items list = { 0 };
    enum rx_code code = RX_OK;
    size_t n = CONFIG_PAGE;

    for (size_t at = 0; code == RX_OK && n == CONFIG_PAGE; at += n) {
        struct rule *page[CONFIG_PAGE];
        code =
            rule_list(run->store, run->arena, at, CONFIG_PAGE, page, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            config_items_add(run->arena, &list, page[i]);
    }
    *out = list.at;
    *count = list.count;
    return code;
}

static enum rx_code
find_rule(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct rule *r = NULL;
    enum rx_code code =
        rule_load(run->store, run->arena, config_wanted_name(body), &r, err);

    return config_or_none(
        code, r, config_wanted_name(body), rule_name, out, err);
}

static void
put_rule(struct rx_json_out *w, const void *noun)
{
    rule_put(w, NULL, noun);
}

static void *
read_rule(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct rule *r =
        noun != NULL ? noun : field_make(run->arena, struct rule, 1);

    rule_read(r, body, mode, run->store, run->arena);
    return r;
}

/* Among equals the older one is asked first: as they stand in the document. */
static enum rx_code
save_rule(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    struct rule *r = noun;

    (void)body;
    if (r->id.len == 0)
        r->created_ms = run->made_ms++;
    return rule_save(run->store, run->arena, r, err);
}

static enum rx_code
remove_rule(struct config_run *run, void *noun, struct rx_err *err)
{
    return rule_delete(run->store, noun, err);
}

/* ---- the table ------------------------------------------------------------- */

static const char *const usual_hidden[] = { "id", "created_at", "updated_at",
    "key_count", "limits_state", NULL };
static const char *const channel_hidden[] = { "id", "keys",
    "effective_endpoints", "dialects", "effective_transformers", "availability",
    "created_at", "updated_at", NULL };

static const struct config_kind config_settings = {
    .name = "settings",
    .noun = "settings",
    .single = true,
    .hidden = usual_hidden,
    .name_of = settings_name,
    .list = list_settings,
    .find = find_settings,
    .put = put_settings,
    .read = read_settings,
    .save = save_settings,
};

static const struct config_kind config_tenants = {
    .name = "tenants",
    .noun = "tenant",
    .hidden = usual_hidden,
    .name_of = tenant_name,
    .list = list_tenants,
    .find = find_tenant,
    .put = put_tenant,
    .read = read_tenant,
    .save = save_tenant,
    .remove = remove_tenant,
    .keep = keep_tenant,
};

static const struct config_kind config_channels = {
    .name = "channels",
    .noun = "channel",
    .hidden = channel_hidden,
    .name_of = channel_name,
    .list = list_channels,
    .find = find_channel,
    .put = put_channel,
    .put_marks = put_channel_marks,
    .read = read_channel,
    .save = save_channel,
    .remove = remove_channel,
    .keep = keep_channel,
    .secrets = channel_secrets,
};

static const struct config_kind config_functions = {
    .name = "functions",
    .noun = "function",
    .hidden = usual_hidden,
    .name_of = function_name,
    .list = list_functions,
    .find = find_function,
    .put = put_function,
    .read = read_function,
    .save = save_function,
    .remove = remove_function,
};

static const struct config_kind config_rules = {
    .name = "rules",
    .noun = "rule",
    .hidden = usual_hidden,
    .name_of = rule_name,
    .list = list_rules,
    .find = find_rule,
    .put = put_rule,
    .read = read_rule,
    .save = save_rule,
    .remove = remove_rule,
};

const struct config_kind *const config_kinds[] = {
    &config_settings,
    &config_tenants,
    &config_accounts,
    &config_channels,
    &config_functions,
    &config_keys,
    &config_rules,
    &config_agents,
    &config_prices,
    &config_webhooks,
    &config_tees,
    &config_users,
    NULL,
};
