/*
 * A channel out of a body, each fault named by its field.
 */
#include <string.h>

#include "controlplane/channel.h"
#include "controlplane/config.h"
#include "controlplane/provider.h"
#include "controlplane/service_account.h"
#include "shared/header_rule.h"
#include "shared/money.h"
#include "shared/secret.h"
#include "shared/transformers.h"
#include "shared/url.h"

#define COST_PPM_MAX     ((uint64_t)1000 * 1000000)
#define SECRET_MAX       8192
#define MODELS_MAX       1000
#define HEADERS_MAX      32
#define PRIORITY_MAX     1000000
#define WEIGHT_MAX       1000
#define MODEL_NAME_MAX   256
#define TRANSFORMERS_MAX (64 << 10)

static const char *const statuses[] = { "enabled", "disabled", "paused", NULL };
static const char *const key_statuses[] = { "enabled", "disabled", NULL };
static const char *const shown_only[] = { "id", "created_at", "updated_at",
    "availability", "health", "windows", "dialects", "effective_endpoints",
    "effective_transformers", NULL };

/* ---- reading: addresses ---- */

static void
read_url(rx_json body, const char *name, rx_str *out)
{
    struct rx_err err = { 0 };
    struct rx_url url;
    rx_str s = { 0 };

    if (!rx_json_get_str(body, name, &s) || s.len == 0)
        return;
    if (rx_url_split(s, &url, &err) != RX_OK) {
        rx_json_wrong_member(body, name, "%s", err.text);
        return;
    }
    while (s.len > 0 && s.ptr[s.len - 1] == '/')
        s.len--;
    *out = s;
}

static void
read_endpoint(struct channel *ch, rx_json v)
{
    struct state_endpoint *e = &ch->endpoints[ch->endpoint_count];

    if (!rx_json_want(v, RX_JSON_OBJECT))
        return;
    *e = (struct state_endpoint){ .base_url = ch->base_url };
    if (!rx_json_need_str(v, "dialect", &e->dialect))
        return;
    const char *auth = provider_auth_for(e->dialect);
    if (auth == NULL) {
        rx_json_wrong_member(v, "dialect",
            "must be one of \"anthropic\", \"chat\", \"responses\", "
            "\"gemini\"");
        return;
    }
    e->auth = field_text(auth);
    read_url(v, "base_url", &e->base_url);
    if (e->base_url.len == 0)
        rx_json_wrong_member(v, "base_url", "is required");
    if (rx_json_get_str(v, "auth", &e->auth) && !provider_auth_known(e->auth))
        rx_json_wrong_member(v, "auth",
            "must be one of \"x-api-key\", \"bearer\", \"x-goog-api-key\", "
            "\"api-key\", \"query\", \"sigv4\", \"none\"");
    for (size_t i = 0; i < ch->endpoint_count; i++) {
        if (rx_str_eq(ch->endpoints[i].dialect, e->dialect))
            rx_json_wrong_member(v, "dialect", "is there twice");
    }
    rx_json_no_more(v);
    ch->endpoint_count++;
}

static void
read_endpoints(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json list;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "endpoints")))
        return;
    ch->endpoint_count = 0;
    if (!rx_json_get_array(body, "endpoints", &list))
        return;
    size_t count = rx_json_count(list);
    if (count > 4) {
        rx_json_wrong(list, "must have at most one element per dialect");
        return;
    }
    ch->endpoints = field_make(arena, struct state_endpoint, count);
    for (rx_json v = rx_json_first(list);
         rx_json_there(v) && ch->endpoint_count < 4; v = rx_json_next(v))
        read_endpoint(ch, v);
}

static void
read_proxy(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    struct rx_err err = { 0 };
    rx_str s = { 0 };

    if (!rx_json_there(rx_json_member(body, "proxy_url")))
        return;
    (void)rx_json_get_str(body, "proxy_url", &s);
    /* What we showed comes back: the password stays what it was. */
    if (s.len > 0 && rx_str_eq(s, channel_redact_url(arena, ch->proxy_url)))
        return;
    for (size_t i = 0; ch->offered != NULL && i < ch->offered->count; i++) {
        if (s.len > 0 &&
            rx_str_eq(s, channel_redact_url(arena, ch->offered->at[i]))) {
            ch->proxy_url = ch->offered->at[i];
            return;
        }
    }
    if (ch->offered != NULL && s.len > 0 &&
        memmem(s.ptr, s.len, ":****@", 6) != NULL)
        rx_json_wrong_member(body, "proxy_url",
            "its password is not in the document; enter it here");
    else if (s.len > 0 && rx_url_check_proxy(s, &err) != RX_OK)
        rx_json_wrong_member(body, "proxy_url", "%s", err.text);
    else
        ch->proxy_url = s;
}

static void
read_ca_file(struct channel *ch, rx_json body)
{
    rx_json v = rx_json_member(body, "ca_file");

    if (!rx_json_there(v))
        return;
    ch->ca_file = (rx_str){ 0 };
    if (rx_json_get_str(body, "ca_file", &ch->ca_file) && ch->ca_file.len > 0 &&
        (ch->ca_file.ptr[0] != '/' || ch->ca_file.len > 1024))
        rx_json_wrong(v, "must be the absolute path of a file of certificates");
}

/* ---- reading: keys ---- */

static bool
check_secret(rx_json v, rx_str s)
{
    bool good = s.len > 0 && s.len <= SECRET_MAX;

    for (size_t i = 0; good && i < s.len; i++)
        good = s.ptr[i] > 0x20 && s.ptr[i] < 0x7F;
    if (!good)
        rx_json_wrong(v, "must be visible ASCII characters without blanks");
    return good;
}

static struct channel_key *
add_key(struct channel *ch, rx_json v)
{
    if (ch->key_count == CHANNEL_KEYS_MAX) {
        rx_json_wrong(v, "is one key too many");
        return NULL;
    }
    struct channel_key *k = &ch->keys[ch->key_count++];
    *k = (struct channel_key){ .kind = RX_S("api_key"),
        .status = RX_S("enabled") };
    return k;
}

/* What the account charges of the list price; "0" is a flat rate. */
static void
read_cost(struct channel *ch, rx_json body, enum field_mode mode)
{
    rx_json v = rx_json_member(body, "cost_multiplier");
    uint64_t ppm;

    if (mode != FIELD_PATCH || rx_json_kind(v) == RX_JSON_NULL)
        ch->cost_ppm = 1000000;
    if (rx_json_kind(v) <= RX_JSON_NULL)
        return;
    if (!rx_decimal_read(v, 6, &ppm) || ppm > COST_PPM_MAX)
        rx_json_wrong_member(body, "cost_multiplier",
            "must be a number from 0 to 1000, as in \"0.8\"");
    else
        ch->cost_ppm = ppm;
}

/* The text of a service account's key file, in one line. */
static rx_str
read_account(rx_json v, rx_str text, struct rx_arena *arena, rx_str *last4)
{
    struct service_account account;
    struct rx_err err = { 0 };
    struct rx_buf line;
    rx_str kept = { 0 };

    rx_buf_init(&line, SERVICE_ACCOUNT_MAX);
    if (service_account_read(text, arena, &account, &err) != RX_OK)
        rx_json_wrong(v, "%s", err.text);
    else if (!service_account_compact(text, &line))
        rx_json_wrong(v, "is too long");
    else
        kept = field_keep(arena, rx_buf_str(&line));
    *last4 = field_last4(
        arena, account.key_id.len > 0 ? account.key_id : account.email);
    rx_buf_fini(&line);
    return kept;
}

/* A new key; one that is in the list already is not added again. */
static struct channel_key *
add_secret(struct channel *ch, rx_json v, rx_str secret, struct rx_arena *arena)
{
    rx_str last4 = { 0 };
    bool account = service_account_like(secret);

    secret = rx_str_trim(secret);
    if (account)
        secret = read_account(v, secret, arena, &last4);
    if (account ? secret.len == 0 : !check_secret(v, secret))
        return NULL;
    for (size_t i = 0; i < ch->key_count; i++) {
        if (ch->keys[i].account.len == 0 &&
            rx_secret_eq(ch->keys[i].secret, secret))
            return &ch->keys[i];
    }
    struct channel_key *k = add_key(ch, v);
    if (k != NULL) {
        k->secret = secret;
        k->last4 = account ? last4 : field_last4(arena, secret);
        if (account)
            k->kind = RX_S(SERVICE_ACCOUNT_KIND);
    }
    return k;
}

/* One whose account is in the list already is not added again. */
static struct channel_key *
add_account(struct channel *ch, rx_json v, rx_str account)
{
    if (account.len == 0) {
        rx_json_wrong(v, "must name an account");
        return NULL;
    }
    for (size_t i = 0; i < ch->key_count; i++) {
        if (rx_str_eq(ch->keys[i].account, account) ||
            rx_str_eq(ch->keys[i].account_id, account))
            return &ch->keys[i];
    }
    struct channel_key *k = add_key(ch, v);
    if (k != NULL) {
        k->kind = RX_S("oauth");
        k->account = account;
    }
    return k;
}

static const struct channel_key *
find_key(const struct channel_key *keys, size_t count, rx_str id)
{
    for (size_t i = 0; i < count; i++) {
        if (id.len > 0 && rx_str_eq(keys[i].id, id))
            return &keys[i];
    }
    return NULL;
}

static bool
has_mark(rx_str secret, rx_str mark)
{
    char known[CONFIG_MARK_SIZE];

    config_mark(secret, known);
    return secret.len > 0 && rx_str_eq(mark, field_text(known));
}

/* The key a document means: the channel's own, or one that came with it. */
static struct channel_key *
add_marked(struct channel *ch, rx_json v, rx_str mark,
    const struct channel_key *old, size_t old_count, struct rx_arena *arena)
{
    for (size_t i = 0; i < old_count; i++) {
        if (has_mark(old[i].secret, mark)) {
            struct channel_key *k = add_key(ch, v);
            if (k != NULL)
                *k = old[i];
            return k;
        }
    }
    for (size_t i = 0; ch->offered != NULL && i < ch->offered->count; i++) {
        if (has_mark(ch->offered->at[i], mark))
            return add_secret(ch, v, ch->offered->at[i], arena);
    }
    ch->missing_keys++;
    return NULL;
}

/* {"id","status"} keeps a key, {"key","status"} and {"account","status"} bring
 * one, {"fingerprint"} is one that stood in a document. */
static void
read_key_object(struct channel *ch, rx_json v, const struct channel_key *old,
    size_t old_count, struct rx_arena *arena)
{
    static const char *const shown[] = { "last4", "kind", "created_at", "token",
        NULL };
    struct channel_key *k = NULL;
    rx_str text;

    field_ignore(v, FIELD_PATCH, shown);
    if (rx_json_get_str(v, "key", &text)) {
        k = add_secret(ch, rx_json_member(v, "key"), text, arena);
    } else if (rx_json_get_str(v, "fingerprint", &text)) {
        k = add_marked(ch, v, text, old, old_count, arena);
        (void)rx_json_member(v, "status");
    } else if (!rx_json_there(rx_json_member(v, "id")) &&
               rx_json_get_str(v, "account", &text)) {
        k = add_account(ch, rx_json_member(v, "account"), text);
    } else if (rx_json_need_str(v, "id", &text)) {
        const struct channel_key *known = find_key(old, old_count, text);
        if (known == NULL)
            rx_json_wrong_member(v, "id", "is not a key of this channel");
        else if ((k = add_key(ch, v)) != NULL)
            *k = *known;
        (void)rx_json_member(v, "account");
    }
    if (k != NULL)
        field_read_word(v, "status", key_statuses, &k->status);
    rx_json_no_more(v);
}

/* A key that is not known must not cost the channel those that are. */
static void
keep_others(struct channel *ch, rx_json list, const struct channel_key *old,
    size_t old_count)
{
    for (size_t i = 0; i < old_count; i++) {
        if (find_key(ch->keys, ch->key_count, old[i].id) != NULL)
            continue;
        struct channel_key *k = add_key(ch, list);
        if (k != NULL)
            *k = old[i];
    }
}

static void
read_keys(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    rx_json single = rx_json_member(body, "api_key");
    rx_json account = rx_json_member(body, "account");
    rx_json list = rx_json_member(body, "keys");
    struct channel_key *old =
        field_make(arena, struct channel_key, CHANNEL_KEYS_MAX);
    size_t old_count = ch->key_count;
    rx_str s;

    if (rx_json_kind(single) <= RX_JSON_NULL &&
        rx_json_kind(account) <= RX_JSON_NULL &&
        rx_json_kind(list) <= RX_JSON_NULL)
        return; /* not mentioned: they stay */
    memcpy(old, ch->keys, sizeof(ch->keys));
    ch->key_count = ch->missing_keys = 0;
    if (rx_json_get_str(body, "api_key", &s))
        add_secret(ch, single, s, arena);
    if (rx_json_get_str(body, "account", &s))
        add_account(ch, account, s);
    if (!rx_json_get_array(body, "keys", &list))
        return;
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) == RX_JSON_OBJECT)
            read_key_object(ch, v, old, old_count, arena);
        else if (rx_json_want(v, RX_JSON_STRING))
            add_secret(ch, v, rx_json_str(v), arena);
    }
    if (ch->missing_keys > 0)
        keep_others(ch, list, old, old_count);
}

/* ---- reading: models, headers, times ---- */

static void
read_model(struct channel *ch, rx_json v)
{
    struct state_model *m = &ch->models[ch->model_count];

    *m = (struct state_model){ .name = rx_json_str(v) };
    if (rx_json_kind(v) == RX_JSON_OBJECT) {
        rx_json_need_str(v, "name", &m->name);
        rx_json_get_str(v, "upstream", &m->upstream);
        rx_json_no_more(v);
    } else if (!rx_json_want(v, RX_JSON_STRING)) {
        return;
    }
    if (m->name.len == 0 || m->name.len > MODEL_NAME_MAX ||
        m->upstream.len > MODEL_NAME_MAX)
        rx_json_wrong(
            v, "must be a name or a pattern of 1 to %d bytes", MODEL_NAME_MAX);
    if (memchr(m->upstream.ptr == NULL ? "" : m->upstream.ptr, '*',
            m->upstream.len) != NULL)
        rx_json_wrong_member(v, "upstream", "must be a name, not a pattern");
    ch->model_count++;
}

static void
read_models(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json list;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "models")))
        return;
    ch->model_count = 0;
    if (!rx_json_get_array(body, "models", &list))
        return;
    size_t count = rx_json_count(list);
    if (count > MODELS_MAX) {
        rx_json_wrong(list, "must have at most %d elements", MODELS_MAX);
        return;
    }
    ch->models = field_make(arena, struct state_model, count);
    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        read_model(ch, v);
}

static void
read_headers(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json map;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "headers")))
        return;
    ch->header_count = 0;
    if (!rx_json_get_object(body, "headers", &map))
        return;
    if (rx_json_count(map) > HEADERS_MAX) {
        rx_json_wrong(map, "must have at most %d members", HEADERS_MAX);
        return;
    }
    ch->headers = field_make(arena, struct state_header, HEADERS_MAX);
    for (rx_json v = rx_json_first(map); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!rx_json_want(v, RX_JSON_STRING))
            return;
        const char *wrong = rx_header_refuse(rx_json_name(v), rx_json_str(v));
        if (wrong != NULL)
            rx_json_wrong(v, "%s", wrong);
        ch->headers[ch->header_count++] =
            (struct state_header){ rx_json_name(v), rx_json_str(v) };
    }
}

static void
read_timeouts(struct channel *ch, rx_json body, enum field_mode mode)
{
    rx_json v;

    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "timeouts")))
        return;
    ch->timeouts = (struct state_timeouts){ 0 };
    if (!rx_json_get_object(body, "timeouts", &v))
        return;
    field_read_seconds(v, "connect_s", &ch->timeouts.connect_ms);
    field_read_seconds(v, "first_byte_s", &ch->timeouts.first_byte_ms);
    field_read_seconds(v, "first_event_s", &ch->timeouts.first_event_ms);
    field_read_seconds(v, "idle_s", &ch->timeouts.idle_ms);
    field_read_seconds(v, "total_s", &ch->timeouts.total_ms);
    rx_json_no_more(v);
}

static void
read_health_check(struct channel *ch, rx_json body, enum field_mode mode)
{
    bool enabled = true;
    rx_json v;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "health_check")))
        return;
    ch->unchecked = false;
    ch->health_every_ms = 0;
    if (!rx_json_get_object(body, "health_check", &v))
        return;
    rx_json_get_bool(v, "enabled", &enabled);
    bool given =
        rx_json_kind(rx_json_member(v, "interval_s")) == RX_JSON_NUMBER;
    field_read_seconds(v, "interval_s", &ch->health_every_ms);
    if (given && ch->health_every_ms < 1000)
        rx_json_wrong_member(v, "interval_s", "must be at least 1");
    rx_json_no_more(v);
    ch->unchecked = !enabled;
}

static unsigned
dialect_bits(const struct channel *ch, struct rx_arena *arena)
{
    static const char *const names[] = { "anthropic", "chat", "responses",
        "gemini" };
    unsigned bits = 0;
    size_t count;
    const struct state_endpoint *e = channel_endpoints(ch, arena, &count);

    for (size_t i = 0; i < count; i++) {
        for (size_t d = 0; d < RX_COUNT(names); d++) {
            if (rx_str_eq(e[i].dialect, field_text(names[d])))
                bits |= 1U << d;
        }
    }
    return bits;
}

/* A step that has nothing to do here would be a silent mistake. */
static void
check_use(rx_json use, unsigned bits)
{
    for (rx_json v = rx_json_first(use); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        const struct rx_transformer *t =
            rx_transformer_find(rx_transformer_step(v, &options));
        if (t != NULL && (t->dialects & bits) == 0)
            rx_json_wrong(
                v, "does nothing in the dialects that this channel speaks");
    }
}

static void
read_transformers(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json config;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "transformers")))
        return;
    ch->transformers = (rx_str){ 0 };
    if (!rx_json_get_object(body, "transformers", &config))
        return;
    rx_transformers_check(config);
    if (rx_json_fault(body.doc) != NULL || provider_find(ch->type) == NULL)
        return;
    unsigned bits = dialect_bits(ch, arena);
    for (rx_json v = rx_json_first(config); rx_json_there(v);
         v = rx_json_next(v))
        check_use(
            rx_json_kind(v) == RX_JSON_OBJECT ? rx_json_member(v, "use") : v,
            bits);
    struct rx_buf text;
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_json_print(config, false, &text);
    if (text.full)
        rx_json_wrong(config, "is too long");
    ch->transformers = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}

/* Of "eu-west4-aiplatform.googleapis.com" the region; else "global". */
static rx_str
location_of(const struct channel *ch)
{
    static const char mark[] = "-aiplatform.";
    struct rx_url url;

    if (ch->base_url.len == 0 ||
        rx_url_split(ch->base_url, &url, NULL) != RX_OK)
        return RX_S("global");
    const char *at = memmem(url.host.ptr, url.host.len, mark, sizeof(mark) - 1);
    return at != NULL ? (rx_str){ url.host.ptr, (size_t)(at - url.host.ptr) }
                      : RX_S("global");
}

/* What a service account tells of where its models are. */
static void
fill_account_step(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    const struct provider *p = provider_find(ch->type);
    struct service_account account = { 0 };
    struct rx_err err = { 0 };

    if (p == NULL || p->account_step == NULL || ch->transformers.len > 0)
        return;
    for (size_t i = 0; i < ch->key_count && account.project.len == 0; i++) {
        if (rx_str_eq(ch->keys[i].kind, RX_S(SERVICE_ACCOUNT_KIND)) &&
            ch->keys[i].secret.len > 0 &&
            service_account_read(ch->keys[i].secret, arena, &account, &err) !=
                RX_OK)
            account.project = (rx_str){ 0 };
    }
    if (account.project.len == 0) {
        rx_json_wrong_member(body, "transformers",
            "must name the project, [\"%s\", {\"project\": …}], where no "
            "service account's key file does",
            p->account_step);
        return;
    }
    struct rx_buf text;
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_str location = location_of(ch);
    rx_buf_addf(&text,
        "{\"use\":[[\"%s\",{\"project\":\"" RX_STR_FMT
        "\",\"location\":\"" RX_STR_FMT "\"}]]}",
        p->account_step, RX_STR_ARG(account.project), RX_STR_ARG(location));
    ch->transformers = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}

/* ---- reading: the whole ---- */

/*
 * A channel that needs a key may wait for it, disabled: its keys were left out
 * of a document, or cannot be opened any more.
 */
static void
check_keys(struct channel *ch, const struct provider *p, rx_json body)
{
    if (!p->key_required || ch->key_count > 0)
        return;
    if (ch->missing_keys > 0)
        ch->status = RX_S("disabled");
    if (!rx_str_eq(ch->status, RX_S("disabled")))
        rx_json_wrong_member(
            body, "api_key", "is required for type \"%s\"", p->type);
}

static void
check_whole(struct channel *ch, rx_json body)
{
    const struct provider *p = provider_find(ch->type);

    if (p == NULL)
        return;
    bool addressed = ch->endpoint_count > 0 || ch->base_url.len > 0 ||
                     p->base_url[0] != '\0';
    if (!addressed)
        rx_json_wrong_member(
            body, "base_url", "is required for type \"%s\"", p->type);
    if (ch->endpoint_count == 0 && p->endpoints[0].dialect == NULL)
        rx_json_wrong_member(
            body, "endpoints", "is required for type \"%s\"", p->type);
    check_keys(ch, p, body);
}

static void
read_type(struct channel *ch, rx_json body, enum field_mode mode)
{
    if (mode == FIELD_PATCH && !rx_json_there(rx_json_member(body, "type")))
        return;
    if (rx_json_need_str(body, "type", &ch->type) &&
        provider_find(ch->type) == NULL)
        rx_json_wrong_member(body, "type",
            "is not a known provider; GET /api/providers lists them");
}

static void
read_numbers(struct channel *ch, rx_json body)
{
    rx_json_get_i64(
        body, "priority", -PRIORITY_MAX, PRIORITY_MAX, &ch->priority);
    rx_json_get_u64(body, "weight", 1, WEIGHT_MAX, &ch->weight);
    field_read_word(body, "status", statuses, &ch->status);
}

/* PUT: what may be left out goes back to its default; keys stay. */
static void
reset_for_replace(struct channel *ch)
{
    ch->base_url = ch->proxy_url = ch->ca_file = (rx_str){ 0 };
    ch->status = RX_S("enabled");
    ch->priority = 100;
    ch->weight = 1;
}

void
channel_read(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    rx_str proxy = ch->proxy_url;
    if (mode == FIELD_REPLACE)
        reset_for_replace(ch);
    field_read_name(body, mode, true, &ch->name);
    read_type(ch, body, mode);
    if (rx_json_kind(rx_json_member(body, "base_url")) == RX_JSON_NULL)
        ch->base_url = (rx_str){ 0 };
    read_url(body, "base_url", &ch->base_url);
    read_endpoints(ch, body, mode, arena);
    read_keys(ch, body, arena);
    read_models(ch, body, mode, arena);
    read_numbers(ch, body);
    field_read_list(body, "tags", mode, 64, arena, &ch->tags);
    read_headers(ch, body, mode, arena);
    read_timeouts(ch, body, mode);
    read_cost(ch, body, mode);
    read_health_check(ch, body, mode);
    if (rx_json_there(rx_json_member(body, "proxy_url")))
        ch->proxy_url = proxy;
    read_proxy(ch, body, arena);
    read_ca_file(ch, body);
    read_transformers(ch, body, mode, arena);
    field_refuse_unsupported(body, "limits");
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
    if (mode != FIELD_PATCH ||
        rx_json_there(rx_json_member(body, "transformers")))
        fill_account_step(ch, body, arena);
    check_whole(ch, body);
}
