/*
 * Channels as messages.
 */
#include "controlplane/wire_parts.h"

static void
fill_endpoints(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    Routex__Endpoint *list =
        field_make(arena, Routex__Endpoint, c->endpoint_count);

    m->n_endpoints = c->endpoint_count;
    m->endpoints = field_make(arena, Routex__Endpoint *, c->endpoint_count);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        routex__endpoint__init(&list[i]);
        list[i].dialect = rx_proto_copy(arena, c->endpoints[i].dialect);
        list[i].base_url = rx_proto_copy(arena, c->endpoints[i].base_url);
        list[i].auth = rx_proto_copy(arena, c->endpoints[i].auth);
        m->endpoints[i] = &list[i];
    }
}

static Routex__HeaderField **
header_fields(
    struct rx_arena *arena, const struct state_header *headers, size_t n)
{
    Routex__HeaderField *list = field_make(arena, Routex__HeaderField, n);
    Routex__HeaderField **refs = field_make(arena, Routex__HeaderField *, n);

    for (size_t i = 0; i < n; i++) {
        routex__header_field__init(&list[i]);
        list[i].name = rx_proto_copy(arena, headers[i].name);
        list[i].value = rx_proto_copy(arena, headers[i].value);
        refs[i] = &list[i];
    }
    return refs;
}

static void
fill_credentials(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    size_t n = c->credential_count;
    Routex__Credential *list = field_make(arena, Routex__Credential, n);

    m->n_credentials = n;
    m->credentials = field_make(arena, Routex__Credential *, n);
    for (size_t i = 0; i < n; i++) {
        const struct state_credential *from = &c->credentials[i];
        routex__credential__init(&list[i]);
        list[i].id = rx_proto_copy(arena, from->id);
        list[i].kind = rx_proto_copy(arena, from->kind);
        list[i].secret = rx_proto_blob(from->secret.ptr, from->secret.len);
        list[i].enabled = from->enabled;
        list[i].auth = rx_proto_copy(arena, from->auth);
        list[i].n_headers = from->header_count;
        list[i].headers =
            header_fields(arena, from->headers, from->header_count);
        m->credentials[i] = &list[i];
    }
}

static void
fill_models(
    struct rx_arena *arena, Routex__Channel *m, const struct state_channel *c)
{
    Routex__ModelEntry *list =
        field_make(arena, Routex__ModelEntry, c->model_count);

    m->n_models = c->model_count;
    m->models = field_make(arena, Routex__ModelEntry *, c->model_count);
    for (size_t i = 0; i < c->model_count; i++) {
        routex__model_entry__init(&list[i]);
        list[i].name = rx_proto_copy(arena, c->models[i].name);
        list[i].upstream = rx_proto_copy(arena, c->models[i].upstream);
        m->models[i] = &list[i];
    }
}

bool
wire_pack_channel(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_channel *c = &item->channel;
    Routex__Channel m;

    routex__channel__init(&m);
    m.id = rx_proto_copy(arena, c->id);
    m.name = rx_proto_copy(arena, c->name);
    m.type = rx_proto_copy(arena, c->type);
    fill_endpoints(arena, &m, c);
    fill_credentials(arena, &m, c);
    fill_models(arena, &m, c);
    m.priority = c->priority;
    m.weight = c->weight;
    m.status = rx_proto_copy(arena, c->status);
    m.n_tags = c->tag_count;
    m.tags = wire_texts(arena, c->tags, c->tag_count);
    m.n_headers = c->header_count;
    m.headers = header_fields(arena, c->headers, c->header_count);
    m.timeouts = wire_pack_timeouts(arena, &c->timeouts);
    m.proxy_url = rx_proto_copy(arena, c->proxy_url);
    m.ca_file = rx_proto_copy(arena, c->ca_file);
    m.transformers = rx_proto_copy(arena, c->transformers);
    m.cost_ppm_1 = c->cost_ppm == 1000000 ? 0 : c->cost_ppm + 1;
    return rx_proto_add(out, &m.base);
}
