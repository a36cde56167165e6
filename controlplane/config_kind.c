/*
 * What a document can hold.  To add a kind, add a row at the end of this file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/config.h"
#include "controlplane/first.h"
#include "controlplane/function.h"
#include "controlplane/key.h"
#include "controlplane/oauth_account.h"
#include "controlplane/own_address.h"
#include "controlplane/rule.h"
#include "controlplane/settings.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define PAGE 200

/* ---- lists that grow ------------------------------------------------------- */

struct items {
    void **at;
    size_t count, room;
};

static void
items_add(struct rx_arena *arena, struct items *list, void *item)
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

/* A page by name, whatever the noun; `name` says where the next begins. */
typedef enum rx_code page_fn(struct config_run *run, rx_str after, void **out,
    size_t *count, struct rx_err *err);

static enum rx_code
list_by_name(struct config_run *run, page_fn *page,
    rx_str (*name_of)(const void *noun), void ***out, size_t *count,
    struct rx_err *err)
{
    struct items list = { 0 };
    enum rx_code code = RX_OK;
    rx_str after = { 0 };
    size_t n = PAGE;

    while (code == RX_OK && n == PAGE) {
        void *some[PAGE];
        code = page(run, after, some, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            items_add(run->arena, &list, some[i]);
        if (code == RX_OK && n > 0)
            after = name_of(some[n - 1]);
    }
    *out = list.at;
    *count = list.count;
    return code;
}

/* The item of that name; none is no failure. */
static enum rx_code
or_none(enum rx_code code, const void *found, rx_str name,
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

static rx_str
wanted_name(rx_json body)
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
    (void)run;
    settings_read(noun, body, mode);
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
    return tenant_list(
        run->store, run->arena, after, PAGE, (struct tenant **)out, count, err);
}

static enum rx_code
list_tenants(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return list_by_name(run, tenant_page, tenant_name, out, count, err);
}

static enum rx_code
find_tenant(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct tenant *t = NULL;
    enum rx_code code =
        tenant_load(run->store, run->arena, wanted_name(body), &t, err);

    return or_none(code, t, wanted_name(body), tenant_name, out, err);
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
    return channel_list(run->store, run->arena, after, PAGE, true,
        (struct channel **)out, count, err);
}

static enum rx_code
list_channels(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return list_by_name(run, channel_page, channel_name, out, count, err);
}

static enum rx_code
find_channel(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct channel *ch = NULL;
    enum rx_code code =
        channel_load(run->store, run->arena, wanted_name(body), true, &ch, err);

    return or_none(code, ch, wanted_name(body), channel_name, out, err);
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
    enum rx_code code = RX_OK;

    (void)body;
    if (ch->id.len == 0 && !keep_channel(ch))
        code = first_retire_demo(run->store, run->arena, err);
    if (code == RX_OK)
        code = channel_find_accounts(run->store, run->arena, ch, err);
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
    return function_list(run->store, run->arena, after, PAGE,
        (struct function **)out, count, err);
}

static enum rx_code
list_functions(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return list_by_name(run, function_page, function_name, out, count, err);
}

static enum rx_code
find_function(
    struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct function *f = NULL;
    enum rx_code code =
        function_load(run->store, run->arena, wanted_name(body), &f, err);

    return or_none(code, f, wanted_name(body), function_name, out, err);
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
    struct items list = { 0 };
    enum rx_code code = RX_OK;
    size_t n = PAGE;

    for (size_t at = 0; code == RX_OK && n == PAGE; at += n) {
        struct rule *page[PAGE];
        code = rule_list(run->store, run->arena, at, PAGE, page, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            items_add(run->arena, &list, page[i]);
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
        rule_load(run->store, run->arena, wanted_name(body), &r, err);

    return or_none(code, r, wanted_name(body), rule_name, out, err);
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

/* ---- client keys ----------------------------------------------------------- */

static rx_str
key_name(const void *noun)
{
    return ((const struct key *)noun)->name;
}

static rx_str
key_identity(const void *noun)
{
    const struct key *k = noun;

    return (rx_str){ (const char *)k->digest.bytes, sizeof(k->digest.bytes) };
}

/* By name, and not by birth: the same keys read the same from any store. */
static int
by_name(const void *a, const void *b)
{
    const struct key *const *left = a;
    const struct key *const *right = b;
    rx_str x = (*left)->name;
    rx_str y = (*right)->name;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);

    if (order == 0)
        order = (x.len > y.len) - (x.len < y.len);
    return order != 0 ? order
                      : memcmp(&(*left)->digest, &(*right)->digest,
                            sizeof((*left)->digest));
}

static enum rx_code
list_keys(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    struct key_filter filter = { 0 };
    struct items list = { 0 };
    enum rx_code code = RX_OK;
    size_t n = PAGE;

    while (code == RX_OK && n == PAGE) {
        struct key *page[PAGE];
        code = key_list(run->store, run->arena, &filter, PAGE, page, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            items_add(run->arena, &list, page[i]);
        if (code == RX_OK && n > 0) {
            filter.after_ms = page[n - 1]->created_ms;
            filter.after_id = page[n - 1]->id;
        }
    }
    if (list.count > 1)
        qsort(list.at, list.count, sizeof(*list.at), by_name);
    *out = list.at;
    *count = list.count;
    return code;
}

/* Its text, or the digest of one; false: neither, or wrong (a fault). */
static bool
wanted_digest(rx_json body, struct rx_digest *out)
{
    rx_json text = rx_json_member(body, "key");
    rx_json hex = rx_json_member(body, "digest");
    rx_str s;

    if (rx_json_kind(text) == RX_JSON_STRING) {
        s = rx_json_str(text);
        if (s.len < 16 || s.len > 512) {
            rx_json_wrong(text, "must be 16 to 512 characters");
            return false;
        }
        *out = rx_digest(s);
        return true;
    }
    if (rx_json_kind(hex) != RX_JSON_STRING)
        return false;
    if (rx_unhex(rx_json_str(hex), out->bytes, sizeof(out->bytes)))
        return true;
    rx_json_wrong(hex, "must be 64 hexadecimal digits");
    return false;
}

/* By what it is; or by its name, when that is enough to tell. */
static enum rx_code
find_key(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct rx_digest digest;
    rx_str tenant = rx_json_str(rx_json_member(body, "tenant"));
    bool digested = wanted_digest(body, &digest);
    struct db_query *q = db_query(run->store->db,
        digested ? "select id from client_key where digest = ?"
                 : "select k.id from client_key k join tenant t "
                   "on t.id = k.tenant_id where k.name = ? and t.name = ? "
                   "order by k.created_ms, k.id limit 1");
    struct key *k = NULL;
    rx_str id = { 0 };

    *out = NULL;
    if (digested) {
        db_bind_blob(
            q, 1, (rx_str){ (const char *)digest.bytes, sizeof(digest.bytes) });
    } else {
        db_bind_str(q, 1, wanted_name(body));
        db_bind_str(q, 2, tenant.len > 0 ? tenant : RX_S(TENANT_DEFAULT));
    }
    if (db_next(q))
        id = field_keep(run->arena, db_str(q, 0));
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && id.len > 0)
        code = key_load(run->store, run->arena, id, &k, err);
    *out = k;
    return code;
}

static void
put_key(struct rx_json_out *w, const void *noun)
{
    key_put(w, NULL, noun);
}

static void
put_key_marks(struct rx_json_out *w, const void *noun)
{
    const struct key *k = noun;
    char hex[2 * RX_DIGEST_SIZE + 1];

    rx_hex(k->digest.bytes, sizeof(k->digest.bytes), hex);
    rx_json_put_text(w, "digest", hex);
}

/* PUT as the other nouns know it: what is left out goes back to its default. */
static void
reset_key(struct key *k)
{
    k->status = RX_S("enabled");
    k->expires_ms = 0;
    k->may_force_channel = false;
    k->models = k->channels = k->ips = (struct field_list){ 0 };
    memset(&k->limits, 0, sizeof(k->limits));
}

static void
place_key(struct config_run *run, struct key *k, rx_str name, rx_json body)
{
    struct tenant *t;
    rx_str wanted = name.len > 0 ? name : RX_S(TENANT_DEFAULT);

    if (name.len == 0 && k->tenant_id.len > 0)
        return;
    if (tenant_load(run->store, run->arena, wanted, &t, NULL) != RX_OK) {
        rx_json_wrong_member(body, "tenant", "there is no such tenant");
        return;
    }
    k->tenant_id = t->id;
    k->tenant = t->name;
}

/* A new key is the one of the document, or one that nobody knows yet. */
static void
mark_key(struct config_run *run, struct key *k, rx_json body)
{
    rx_str text = rx_json_str(rx_json_member(body, "key"));
    rx_str last4 = rx_json_str(rx_json_member(body, "last4"));

    if (wanted_digest(body, &k->digest))
        k->last4 = text.len > 0 ? field_last4(run->arena, text) : last4;
    else if (k->id.len == 0)
        key_draw(k, run->arena);
}

static void *
read_key(struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct key *k = noun != NULL ? noun : key_new(run->arena);
    rx_str tenant;

    mark_key(run, k, body);
    if (mode == FIELD_REPLACE)
        reset_key(k);
    key_read(k, body, mode, run->arena, &tenant);
    place_key(run, k, tenant, body);
    return k;
}

static enum rx_code
save_key(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    struct key *k = noun;
    enum rx_code code = key_save(run->store, run->arena, k, err);

    (void)body;
    if (code == RX_OK && k->text.len > 0) {
        rx_json_open_object(&run->made_w, NULL);
        rx_json_put_str(&run->made_w, "name", k->name);
        rx_json_put_str(&run->made_w, "tenant", k->tenant);
        rx_json_put_str(&run->made_w, "key", k->text);
        rx_json_close(&run->made_w);
    }
    return code;
}

static enum rx_code
remove_key(struct config_run *run, void *noun, struct rx_err *err)
{
    return key_delete(run->store, noun, err);
}

/* ---- the table ------------------------------------------------------------- */

static const char *const usual_hidden[] = { "id", "created_at", "updated_at",
    "key_count", "limits_state", NULL };
static const char *const channel_hidden[] = { "id", "keys",
    "effective_endpoints", "dialects", "effective_transformers", "availability",
    "created_at", "updated_at", NULL };
static const char *const key_hidden[] = { "id", "key", "tenant_id",
    "limits_state", "previous", "created_at", "updated_at", "last_used_at",
    NULL };

const struct config_kind config_kinds[] = {
    {
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
    },
    {
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
    },
    {
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
    },
    {
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
    },
    {
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
    },
    {
        .name = "keys",
        .noun = "key",
        .hidden = key_hidden,
        .name_of = key_name,
        .identity = key_identity,
        .list = list_keys,
        .find = find_key,
        .put = put_key,
        .put_marks = put_key_marks,
        .read = read_key,
        .save = save_key,
        .remove = remove_key,
    },
    { 0 },
};
