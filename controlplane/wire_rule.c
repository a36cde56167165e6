/*
 * Rules and functions as messages.
 */
#include "controlplane/wire_parts.h"

static Routex__Condition *
condition(struct rx_arena *arena, const struct state_condition *c)
{
    Routex__Condition *m = field_make(arena, Routex__Condition, 1);

    routex__condition__init(m);
    m->kind = rx_proto_copy(arena, c->kind);
    m->n_texts = c->text_count;
    m->texts = wire_texts(arena, c->texts, c->text_count);
    m->n_numbers = c->number_count;
    m->numbers = field_make(arena, int64_t, c->number_count);
    for (size_t i = 0; i < c->number_count; i++)
        m->numbers[i] = c->numbers[i];
    m->n_parts = c->part_count;
    m->parts = field_make(arena, Routex__Condition *, c->part_count);
    for (size_t i = 0; i < c->part_count; i++)
        m->parts[i] = condition(arena, &c->parts[i]);
    return m;
}

static void
fill_hops(struct rx_arena *arena, Routex__Rule *m, const struct state_rule *r)
{
    Routex__Hop *list = field_make(arena, Routex__Hop, r->hop_count);

    m->n_hops = r->hop_count;
    m->hops = field_make(arena, Routex__Hop *, r->hop_count);
    for (size_t i = 0; i < r->hop_count; i++) {
        const struct state_hop *from = &r->hops[i];
        routex__hop__init(&list[i]);
        list[i].n_channels = from->channel_count;
        list[i].channels =
            wire_texts(arena, from->channels, from->channel_count);
        list[i].n_weights = from->weights != NULL ? from->channel_count : 0;
        list[i].weights = field_make(arena, uint32_t, list[i].n_weights);
        for (size_t k = 0; k < list[i].n_weights; k++)
            list[i].weights[k] = from->weights[k];
        list[i].tag = rx_proto_copy(arena, from->tag);
        list[i].model = rx_proto_copy(arena, from->model);
        m->hops[i] = &list[i];
    }
}

bool
wire_pack_rule(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    const struct state_rule *r = &item->rule;
    Routex__Rule m;

    routex__rule__init(&m);
    m.id = rx_proto_copy(arena, r->id);
    m.name = rx_proto_copy(arena, r->name);
    m.type = rx_proto_copy(arena, r->type);
    m.enabled = r->enabled;
    m.priority = r->priority;
    m.created_ms = r->created_ms;
    m.strict = r->strict;
    m.condition = condition(arena, &r->condition);
    fill_hops(arena, &m, r);
    m.strategy = rx_proto_copy(arena, r->strategy);
    m.transformers = rx_proto_copy(arena, r->transformers);
    m.agent = rx_proto_copy(arena, r->agent);
    return rx_proto_add(out, &m.base);
}

bool
wire_pack_function(
    struct rx_arena *arena, struct rx_buf *out, const struct state_item *item)
{
    Routex__Function m;

    routex__function__init(&m);
    m.id = rx_proto_copy(arena, item->function.id);
    m.name = rx_proto_copy(arena, item->function.name);
    m.source = rx_proto_copy(arena, item->function.source);
    return rx_proto_add(out, &m.base);
}
