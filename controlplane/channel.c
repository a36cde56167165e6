#include "controlplane/channel.h"

#include <assert.h>
#include <string.h>

#include "controlplane/provider.h"
#include "shared/secret.h"
#include "shared/url.h"

#define SECRET_MAX     8192
#define MODELS_MAX     1000
#define HEADERS_MAX    32
#define VALUE_MAX      4096
#define PRIORITY_MAX   1000000
#define WEIGHT_MAX     1000
#define MODEL_NAME_MAX 256

static const char *const statuses[] = { "enabled", "disabled", "paused", NULL };
static const char *const key_statuses[] = { "enabled", "disabled", NULL };
static const char *const shown_only[] = { "id", "created_at", "updated_at",
    "dialects", "effective_endpoints", NULL };

/* Headers that are the router's own business, or hold a key in clear. */
static const rx_str ours[] = {
    RX_STR_INIT("host"),
    RX_STR_INIT("content-length"),
    RX_STR_INIT("transfer-encoding"),
    RX_STR_INIT("connection"),
    RX_STR_INIT("upgrade"),
    RX_STR_INIT("te"),
    RX_STR_INIT("trailer"),
    RX_STR_INIT("expect"),
    RX_STR_INIT("keep-alive"),
    RX_STR_INIT("accept-encoding"),
    RX_STR_INIT("content-encoding"),
    RX_STR_INIT("authorization"),
    RX_STR_INIT("proxy-authorization"),
    RX_STR_INIT("x-api-key"),
    RX_STR_INIT("x-goog-api-key"),
    RX_STR_INIT("api-key"),
    RX_STR_INIT("cookie"),
};

struct channel *
channel_new(struct rx_arena *arena)
{
    struct channel *ch = field_make(arena, struct channel, 1);

    *ch = (struct channel){
        .status = RX_S("enabled"),
        .priority = 100,
        .weight = 1,
    };
    return ch;
}

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
            "\"api-key\", \"query\", \"none\"");
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
    if (s.len > 0 && rx_url_check_proxy(s, &err) != RX_OK)
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

/* A new key; one that is in the list already is not added again. */
static struct channel_key *
add_secret(struct channel *ch, rx_json v, rx_str secret, struct rx_arena *arena)
{
    secret = rx_str_trim(secret);
    if (!check_secret(v, secret))
        return NULL;
    for (size_t i = 0; i < ch->key_count; i++) {
        if (rx_secret_eq(ch->keys[i].secret, secret))
            return &ch->keys[i];
    }
    struct channel_key *k = add_key(ch, v);
    if (k != NULL) {
        k->secret = secret;
        k->last4 = field_last4(arena, secret);
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

/* {"id","status"} keeps a key, {"key","status"} brings one. */
static void
read_key_object(struct channel *ch, rx_json v, const struct channel_key *old,
    size_t old_count, struct rx_arena *arena)
{
    static const char *const shown[] = { "last4", "kind", "created_at", NULL };
    struct channel_key *k = NULL;
    rx_str text;

    field_ignore(v, FIELD_PATCH, shown);
    if (rx_json_get_str(v, "key", &text)) {
        k = add_secret(ch, rx_json_member(v, "key"), text, arena);
    } else if (rx_json_need_str(v, "id", &text)) {
        const struct channel_key *known = find_key(old, old_count, text);
        if (known == NULL)
            rx_json_wrong_member(v, "id", "is not a key of this channel");
        else if ((k = add_key(ch, v)) != NULL)
            *k = *known;
    }
    if (k != NULL)
        field_read_word(v, "status", key_statuses, &k->status);
    rx_json_no_more(v);
}

static void
read_keys(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    rx_json single = rx_json_member(body, "api_key");
    rx_json list = rx_json_member(body, "keys");
    struct channel_key *old =
        field_make(arena, struct channel_key, CHANNEL_KEYS_MAX);
    size_t old_count = ch->key_count;
    rx_str s;

    if (rx_json_kind(single) <= RX_JSON_NULL &&
        rx_json_kind(list) <= RX_JSON_NULL)
        return; /* not mentioned: they stay */
    memcpy(old, ch->keys, sizeof(ch->keys));
    ch->key_count = 0;
    if (rx_json_get_str(body, "api_key", &s))
        add_secret(ch, single, s, arena);
    if (!rx_json_get_array(body, "keys", &list))
        return;
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) == RX_JSON_OBJECT)
            read_key_object(ch, v, old, old_count, arena);
        else if (rx_json_want(v, RX_JSON_STRING))
            add_secret(ch, v, rx_json_str(v), arena);
    }
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

static bool
is_token(rx_str s)
{
    static const char more[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');
        if (!plain && memchr(more, c, sizeof(more) - 1) == NULL)
            return false;
    }
    return s.len > 0 && s.len <= 128;
}

static const char *
wrong_with_header(rx_str name, rx_str value)
{
    if (!is_token(name))
        return "is not a header's name";
    for (size_t i = 0; i < RX_COUNT(ours); i++) {
        if (rx_str_ieq(name, ours[i]))
            return "is set by Routex itself (a key belongs into \"api_key\")";
    }
    if (value.len > VALUE_MAX)
        return "is too long";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return "must not hold control characters";
    }
    return NULL;
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
        const char *wrong = wrong_with_header(rx_json_name(v), rx_json_str(v));
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
read_transformers(rx_json body)
{
    rx_json v, use;

    if (!rx_json_get_object(body, "transformers", &v))
        return;
    if (rx_json_get_array(v, "use", &use) && rx_json_count(use) > 0)
        rx_json_wrong(
            use, "is not applied by this version of Routex; leave it empty");
    rx_json_no_more(v);
}

/* ---- reading: the whole ---- */

static void
check_whole(const struct channel *ch, rx_json body)
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
    if (p->key_required && ch->key_count == 0)
        rx_json_wrong_member(
            body, "api_key", "is required for type \"%s\"", p->type);
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
    if (rx_json_there(rx_json_member(body, "proxy_url")))
        ch->proxy_url = proxy;
    read_proxy(ch, body, arena);
    read_ca_file(ch, body);
    read_transformers(body);
    field_refuse_unsupported(body, "limits");
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
    check_whole(ch, body);
}

/* ---- writing ---- */

rx_str
channel_redact_url(struct rx_arena *arena, rx_str url)
{
    rx_str scheme, rest, user, host, name, password;
    struct rx_buf b;

    if (!rx_str_cut(url, '@', &user, &host))
        return url;
    rx_str_cut(user, '/', &scheme, &rest); /* "http:", "/user:password" */
    if (rest.len == 0 || !rx_str_cut(rest, ':', &name, &password))
        return url;
    rx_buf_init(&b, 8192);
    rx_buf_addf(&b, RX_STR_FMT "/" RX_STR_FMT ":****@" RX_STR_FMT,
        RX_STR_ARG(scheme), RX_STR_ARG(name), RX_STR_ARG(host));
    rx_str copy = field_keep(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return copy;
}

static void
put_endpoint(struct rx_json_out *w, const struct state_endpoint *e)
{
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "dialect", e->dialect);
    rx_json_put_str(w, "base_url", e->base_url);
    rx_json_put_str(w, "auth", e->auth);
    rx_json_close(w);
}

static void
put_keys(struct rx_json_out *w, const struct channel *ch)
{
    rx_json_open_array(w, "keys");
    for (size_t i = 0; i < ch->key_count; i++) {
        const struct channel_key *k = &ch->keys[i];
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "id", k->id);
        rx_json_put_str(w, "kind", k->kind);
        rx_json_put_str(w, "last4", k->last4);
        rx_json_put_str(w, "status", k->status);
        rx_json_put_time(w, "created_at", k->created_ms);
        rx_json_close(w);
    }
    rx_json_close(w);
}

static void
put_models(struct rx_json_out *w, const struct channel *ch)
{
    rx_json_open_array(w, "models");
    for (size_t i = 0; i < ch->model_count; i++) {
        const struct state_model *m = &ch->models[i];
        if (m->upstream.len == 0) {
            rx_json_put_str(w, NULL, m->name);
            continue;
        }
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "name", m->name);
        rx_json_put_str(w, "upstream", m->upstream);
        rx_json_close(w);
    }
    rx_json_close(w);
}

static void
put_headers(struct rx_json_out *w, const struct channel *ch)
{
    rx_json_open_object(w, "headers");
    for (size_t i = 0; i < ch->header_count; i++)
        rx_json_put_str(w, ch->headers[i].name.ptr, ch->headers[i].value);
    rx_json_close(w);
}

static void
put_timeouts(struct rx_json_out *w, const struct state_timeouts *t)
{
    const struct {
        const char *name;
        uint32_t ms;
    } rows[] = { { "connect_s", t->connect_ms },
        { "first_byte_s", t->first_byte_ms },
        { "first_event_s", t->first_event_ms }, { "idle_s", t->idle_ms },
        { "total_s", t->total_ms } };

    rx_json_open_object(w, "timeouts");
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rows[i].ms != 0)
            field_put_seconds(w, rows[i].name, rows[i].ms);
    }
    rx_json_close(w);
}

static void
put_text_or_null(struct rx_json_out *w, const char *key, rx_str s)
{
    if (s.len == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_str(w, key, s);
}

static void
put_addresses(
    struct rx_json_out *w, const struct channel *ch, struct rx_arena *arena)
{
    size_t count;
    const struct state_endpoint *e = channel_endpoints(ch, arena, &count);

    put_text_or_null(w, "base_url", ch->base_url);
    rx_json_open_array(w, "endpoints");
    for (size_t i = 0; i < ch->endpoint_count; i++)
        put_endpoint(w, &ch->endpoints[i]);
    rx_json_close(w);
    rx_json_open_array(w, "effective_endpoints");
    for (size_t i = 0; i < count; i++)
        put_endpoint(w, &e[i]);
    rx_json_close(w);
    rx_json_open_array(w, "dialects");
    for (size_t i = 0; i < count; i++)
        rx_json_put_str(w, NULL, e[i].dialect);
    rx_json_close(w);
}

void
channel_put(struct rx_json_out *w, const char *key, const struct channel *ch)
{
    struct rx_arena *arena = rx_arena_new(64 << 10);

    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", ch->id);
    rx_json_put_str(w, "name", ch->name);
    rx_json_put_str(w, "type", ch->type);
    rx_json_put_str(w, "status", ch->status);
    rx_json_put_i64(w, "priority", ch->priority);
    rx_json_put_u64(w, "weight", ch->weight);
    put_addresses(w, ch, arena);
    put_keys(w, ch);
    put_models(w, ch);
    field_put_list(w, "tags", &ch->tags);
    put_headers(w, ch);
    put_timeouts(w, &ch->timeouts);
    rx_json_put_raw(w, "transformers", RX_S("{\"use\":[]}"));
    put_text_or_null(w, "proxy_url", channel_redact_url(arena, ch->proxy_url));
    put_text_or_null(w, "ca_file", ch->ca_file);
    rx_json_put_time(w, "created_at", ch->created_ms);
    rx_json_put_time(w, "updated_at", ch->updated_ms);
    rx_json_close(w);
    rx_arena_free(arena);
}

/* ---- for the planes ---- */

struct state_endpoint *
channel_endpoints(
    const struct channel *ch, struct rx_arena *arena, size_t *count)
{
    const struct provider *p = provider_find(ch->type);
    struct state_endpoint *list =
        field_make(arena, struct state_endpoint, PROVIDER_ENDPOINTS_MAX);
    rx_str base = ch->base_url;

    *count = ch->endpoint_count;
    assert(p != NULL && *count <= PROVIDER_ENDPOINTS_MAX);
    if (base.len == 0)
        base = field_text(p->base_url);
    for (size_t i = 0; i < *count; i++)
        list[i] = ch->endpoints[i];
    for (const struct provider_endpoint *e = p->endpoints;
         ch->endpoint_count == 0 && e->dialect != NULL; e++)
        list[(*count)++] = (struct state_endpoint){ field_text(e->dialect),
            base, field_text(e->auth) };
    /* No key, nothing to send. */
    for (size_t i = 0; i < *count && ch->key_count == 0; i++)
        list[i].auth = RX_S("none");
    return list;
}

void
channel_state(
    const struct channel *ch, struct rx_arena *arena, struct state_channel *out)
{
    struct state_credential *keys =
        field_make(arena, struct state_credential, ch->key_count);

    *out = (struct state_channel){
        .id = ch->id,
        .name = ch->name,
        .type = ch->type,
        .credentials = keys,
        .credential_count = ch->key_count,
        .models = ch->models,
        .model_count = ch->model_count,
        .priority = (int32_t)ch->priority,
        .weight = (uint32_t)ch->weight,
        .status = ch->status,
        .tags = ch->tags.at,
        .tag_count = ch->tags.count,
        .headers = ch->headers,
        .header_count = ch->header_count,
        .timeouts = ch->timeouts,
        .proxy_url = ch->proxy_url,
        .ca_file = ch->ca_file,
    };
    out->endpoints = channel_endpoints(ch, arena, &out->endpoint_count);
    for (size_t i = 0; i < ch->key_count; i++) {
        const struct channel_key *k = &ch->keys[i];
        keys[i] = (struct state_credential){ k->id, k->kind, k->secret,
            rx_str_eq(k->status, RX_S("enabled")) };
    }
}
