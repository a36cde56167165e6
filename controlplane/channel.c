#include "controlplane/channel.h"

#include <assert.h>

#include "controlplane/provider.h"
#include "controlplane/service_account.h"
#include "controlplane/trouble.h"
#include "shared/money.h"

struct channel *
channel_new(struct rx_arena *arena)
{
    struct channel *ch = field_make(arena, struct channel, 1);

    *ch = (struct channel){
        .status = RX_S("enabled"),
        .priority = 100,
        .weight = 1,
        .cost_ppm = 1000000,
    };
    return ch;
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
put_token(struct rx_json_out *w, const struct credential_token *t)
{
    rx_json_open_object(w, "token");
    if (t->expires_ms > 0)
        rx_json_put_time(w, "expires_at", t->expires_ms);
    else
        rx_json_put_null(w, "expires_at");
    if (t->error.len > 0)
        rx_json_put_str(w, "error", t->error);
    else
        rx_json_put_null(w, "error");
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
        if (k->account.len > 0)
            rx_json_put_str(w, "account", k->account);
        rx_json_put_str(w, "status", k->status);
        rx_json_put_time(w, "created_at", k->created_ms);
        if (rx_str_eq(k->kind, RX_S(SERVICE_ACCOUNT_KIND)))
            put_token(w, &k->token);
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

static void
put_health_check(struct rx_json_out *w, const struct channel *ch)
{
    rx_json_open_object(w, "health_check");
    rx_json_put_bool(w, "enabled", !ch->unchecked);
    if (ch->health_every_ms == 0)
        rx_json_put_null(w, "interval_s");
    else
        field_put_seconds(w, "interval_s", ch->health_every_ms);
    rx_json_close(w);
}

void
channel_put(struct rx_json_out *w, const char *key, const struct channel *ch,
    const struct troubles *troubles)
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
    rx_decimal_put(w, "cost_multiplier", (int64_t)ch->cost_ppm, 6);
    put_health_check(w, ch);
    if (ch->transformers.len > 0)
        rx_json_put_raw(w, "transformers", ch->transformers);
    else
        rx_json_put_null(w, "transformers");
    rx_json_put_raw(w, "effective_transformers", channel_transformers(ch));
    put_text_or_null(w, "proxy_url", channel_redact_url(arena, ch->proxy_url));
    put_text_or_null(w, "ca_file", ch->ca_file);
    if (troubles != NULL)
        troubles_put(troubles, w, ch->id);
    rx_json_put_time(w, "created_at", ch->created_ms);
    rx_json_put_time(w, "updated_at", ch->updated_ms);
    rx_json_close(w);
    rx_arena_free(arena);
}

/* ---- for the planes ---- */

rx_str
channel_transformers(const struct channel *ch)
{
    const struct provider *p = provider_find(ch->type);

    if (ch->transformers.len > 0)
        return ch->transformers;
    return p != NULL && p->transformers != NULL ? field_text(p->transformers)
                                                : RX_S("{\"use\":[]}");
}

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
            provider_address(arena, p, e, base), field_text(e->auth) };
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
        .transformers = channel_transformers(ch),
        .cost_ppm = ch->cost_ppm,
    };
    out->endpoints = channel_endpoints(ch, arena, &out->endpoint_count);
    for (size_t i = 0; i < ch->key_count; i++) {
        const struct channel_key *k = &ch->keys[i];
        keys[i] = (struct state_credential){
            .id = k->id,
            .kind = k->kind,
            .secret = k->secret,
            .enabled =
                rx_str_eq(k->status, RX_S("enabled")) && k->secret.len > 0,
            .auth = k->auth,
            .headers = k->headers,
            .header_count = k->header_count,
        };
        if (!rx_str_eq(k->kind, RX_S(SERVICE_ACCOUNT_KIND)))
            continue;
        keys[i].kind = RX_S("oauth"); /* one that is refused is told of */
        keys[i].secret = k->token.token;
        keys[i].enabled = keys[i].enabled && k->token.token.len > 0;
    }
}
