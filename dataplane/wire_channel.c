/*
 * Channels as they come: endpoints, credentials, models, headers.
 */
#include <string.h>

#include "dataplane/transform/transform.h"
#include "dataplane/wire_parts.h"
#include "shared/url.h"

static bool
find_auth(const char *name, enum auth_scheme *out)
{
    static const char *const names[] = {
#define AUTH_ROW(id, name) name,
        AUTHS(AUTH_ROW)
#undef AUTH_ROW
    };

    for (unsigned i = 0; i < RX_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum auth_scheme)i;
            return true;
        }
    }
    return false;
}

static enum rx_code
read_endpoint(const Routex__Endpoint *in, const Routex__Channel *of,
    struct rx_arena *arena, struct channel *out, struct rx_err *err)
{
    enum dialect d;
    struct rx_url url;

    if (!dialect_find(rx_str_of(in->dialect), &d))
        return rx_fail(err, RX_INVALID, "unknown dialect %.40s", in->dialect);
    struct endpoint *e = &out->endpoints[d];
    if (!find_auth(in->auth, &e->auth))
        return rx_fail(err, RX_INVALID, "unknown auth %.40s", in->auth);
    if (rx_url_split(rx_str_of(in->base_url), &url, err) != RX_OK)
        return rx_because(err, "base_url");

    struct rx_buf authority;
    rx_buf_init(&authority, 1024);
    bool ok = rx_url_add_authority(&authority, &url);
    e->authority = rx_arena_copy(arena, rx_buf_str(&authority));
    rx_buf_fini(&authority);
    /* Wires want NUL-terminated hosts. */
    rx_str host = rx_arena_copy(arena, url.host);
    if (!ok || e->authority.ptr == NULL || host.ptr == NULL)
        return wire_no_room(err);
    e->base_path = url.path;
    e->target = (struct rx_target){
        .tls = url.tls,
        .host = host,
        .port = url.port,
        .proxy_url = rx_str_of(of->proxy_url),
        .ca_file = rx_str_of(of->ca_file),
    };
    e->present = true;
    return RX_OK;
}

/* Could these bytes stand in a header as they are? */
static bool
header_safe(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool
header_name(rx_str s)
{
    static const char also[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9');
        if (!word && (c == '\0' || strchr(also, c) == NULL))
            return false;
    }
    return s.len > 0;
}

static enum rx_code
read_headers(Routex__HeaderField *const *in, size_t count,
    struct rx_arena *arena, const struct rx_header **out, struct rx_err *err)
{
    struct rx_header *list = rx_arena_make(arena, struct rx_header, count);

    if (list == NULL)
        return wire_no_room(err);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct rx_header){ rx_str_of(in[i]->name),
            rx_str_of(in[i]->value) };
        if (!header_name(list[i].name) || !header_safe(list[i].value))
            return rx_fail(
                err, RX_INVALID, "header %.60s cannot be sent", in[i]->name);
    }
    *out = list;
    return RX_OK;
}

/* How this one is sent, where that is not as the endpoint has it. */
static enum rx_code
read_credential_form(const Routex__Credential *in, struct rx_arena *arena,
    struct credential *out, struct rx_err *err)
{
    out->has_auth = in->auth[0] != '\0';
    if (out->has_auth && !find_auth(in->auth, &out->auth))
        return rx_fail(
            err, RX_INVALID, "unknown kind of credential %.40s", in->auth);
    out->header_count = in->n_headers;
    return read_headers(in->headers, in->n_headers, arena, &out->headers, err);
}

static enum rx_code
read_credentials(const Routex__Channel *in, struct rx_arena *arena,
    struct channel *out, struct rx_err *err)
{
    struct credential *list =
        rx_arena_make(arena, struct credential, in->n_credentials);

    if (list == NULL)
        return wire_no_room(err);
    out->credentials = list;
    for (size_t i = 0; i < in->n_credentials; i++) {
        const Routex__Credential *c = in->credentials[i];
        struct credential *to = &list[out->credential_count];
        if (!c->enabled)
            continue;
        if (!header_safe(rx_proto_bytes(c->secret)))
            return rx_fail(err, RX_INVALID,
                "credential %.40s holds control characters", c->id);
        *to = (struct credential){
            .id = rx_str_of(c->id),
            .secret = rx_proto_bytes(c->secret),
            .oauth = strcmp(c->kind, "oauth") == 0,
            .mark = rx_secret_mark(rx_proto_bytes(c->secret)),
        };
        enum rx_code code = read_credential_form(c, arena, to, err);
        if (code != RX_OK)
            return code;
        out->credential_count++;
    }
    return RX_OK;
}

static enum rx_code
read_models(const Routex__Channel *in, struct rx_arena *arena,
    struct channel *out, struct rx_err *err)
{
    struct model_entry *list =
        rx_arena_make(arena, struct model_entry, in->n_models);

    if (list == NULL)
        return wire_no_room(err);
    for (size_t i = 0; i < in->n_models; i++)
        list[i] = (struct model_entry){ rx_str_of(in->models[i]->name),
            rx_str_of(in->models[i]->upstream) };
    out->models = list;
    out->model_count = in->n_models;
    return RX_OK;
}

static enum rx_code
read_status(const char *status, struct channel *out, struct rx_err *err)
{
    out->enabled = strcmp(status, "enabled") == 0;
    out->paused = strcmp(status, "paused") == 0;
    if (!out->enabled && !out->paused && strcmp(status, "disabled") != 0)
        return rx_fail(err, RX_INVALID, "unknown status %.40s", status);
    /* Paused is a kind of enabled: it is only not used for now. */
    out->enabled = out->enabled || out->paused;
    return RX_OK;
}

enum rx_code
wire_read_channel(rx_str packed, const struct timeouts *defaults,
    struct rx_arena *arena, struct channel *out, struct rx_err *err)
{
    Routex__Channel *in = rx_proto_read(routex__channel, packed, arena);
    if (in == NULL)
        return wire_bad_bytes(err);

    *out = (struct channel){
        .id = rx_str_of(in->id),
        .name = rx_str_of(in->name),
        .type = rx_str_of(in->type),
        .priority = in->priority,
        .cost_ppm = in->cost_ppm_1 > 0 ? in->cost_ppm_1 - 1 : 1000000,
        .weight = in->weight,
        .timeouts = wire_timeouts(in->timeouts, defaults),
        .tags = wire_texts(arena, in->tags, in->n_tags),
        .tag_count = in->n_tags,
    };
    if (out->tags == NULL)
        return wire_no_room(err);
    enum rx_code code = read_status(in->status, out, err);
    if (code == RX_OK && in->proxy_url[0] != '\0' &&
        rx_url_check_proxy(rx_str_of(in->proxy_url), err) != RX_OK)
        return rx_because(err, "proxy_url");
    for (size_t i = 0; code == RX_OK && i < in->n_endpoints; i++)
        code = read_endpoint(in->endpoints[i], in, arena, out, err);
    if (code == RX_OK)
        code = read_credentials(in, arena, out, err);
    if (code == RX_OK)
        code = read_models(in, arena, out, err);
    if (code == RX_OK)
        code =
            read_headers(in->headers, in->n_headers, arena, &out->headers, err);
    out->header_count = in->n_headers;
    if (code == RX_OK)
        code = transform_build(
            rx_str_of(in->transformers), arena, &out->transformers, err);
    return code;
}
