/*
 * Rules of routing and the functions they call, as they come.
 */
#include "dataplane/strategy.h"
#include "dataplane/transform/transform.h"
#include "dataplane/wire_parts.h"

#define CONDITION_DEPTH 8

static enum rx_code
read_condition(const Routex__Condition *in, unsigned depth,
    struct rx_arena *arena, struct condition *out, struct rx_err *err)
{
    *out = (struct condition){
        .texts = wire_texts(arena, in->texts, in->n_texts),
        .text_count = in->n_texts,
        .numbers = in->numbers,
        .number_count = in->n_numbers,
        .parts = rx_arena_make(arena, struct condition, in->n_parts),
        .part_count = in->n_parts,
    };
    if (out->texts == NULL || out->parts == NULL)
        return wire_no_room(err);
    if (!condition_find(rx_str_of(in->kind), &out->kind))
        return rx_fail(err, RX_INVALID, "unknown condition %.40s", in->kind);
    if (depth == CONDITION_DEPTH)
        return rx_fail(err, RX_INVALID, "conditions nest too deep");
    for (size_t i = 0; i < in->n_parts; i++) {
        enum rx_code code =
            read_condition(in->parts[i], depth + 1, arena, &out->parts[i], err);
        if (code != RX_OK)
            return code;
    }
    return condition_compile(out, arena, err);
}

static enum rx_code
read_hop(const Routex__Hop *in, struct rx_arena *arena, struct hop *out,
    struct rx_err *err)
{
    *out = (struct hop){
        .channels = wire_texts(arena, in->channels, in->n_channels),
        .channel_count = in->n_channels,
        .weights = in->n_weights > 0 ? in->weights : NULL,
        .tag = rx_str_of(in->tag),
        .model = rx_str_of(in->model),
    };
    if (out->channels == NULL)
        return wire_no_room(err);
    if (in->n_weights > 0 && in->n_weights != in->n_channels)
        return rx_fail(err, RX_INVALID, "a weight is missing");
    return RX_OK;
}

enum rx_code
wire_read_rule(
    rx_str packed, struct rx_arena *arena, struct rule *out, struct rx_err *err)
{
    Routex__Rule *in = rx_proto_read(routex__rule, packed, arena);
    if (in == NULL || in->condition == NULL)
        return wire_bad_bytes(err);

    struct hop *hops = rx_arena_make(arena, struct hop, in->n_hops);
    *out = (struct rule){
        .id = rx_str_of(in->id),
        .name = rx_str_of(in->name),
        .type = rx_str_of(in->type),
        .enabled = in->enabled,
        .strict = in->strict,
        .priority = in->priority,
        .created_ms = in->created_ms,
        .condition = rx_arena_make(arena, struct condition, 1),
        .hops = hops,
        .hop_count = in->n_hops,
        .has_strategy = in->strategy[0] != '\0',
        .agent = rx_str_of(in->agent),
    };
    if (out->has_strategy &&
        !strategy_find(rx_str_of(in->strategy), &out->strategy))
        return rx_fail(
            err, RX_INVALID, "no usable strategy %.40s", in->strategy);
    if (hops == NULL || out->condition == NULL)
        return wire_no_room(err);
    enum rx_code code =
        read_condition(in->condition, 0, arena, out->condition, err);
    if (code == RX_OK)
        code = transform_build(
            rx_str_of(in->transformers), arena, &out->transformers, err);
    for (size_t i = 0; code == RX_OK && i < in->n_hops; i++)
        code = read_hop(in->hops[i], arena, &hops[i], err);
    return code;
}

enum rx_code
wire_read_function(rx_str packed, struct rx_arena *arena, struct function *out,
    struct rx_err *err)
{
    Routex__Function *in = rx_proto_read(routex__function, packed, arena);
    if (in == NULL)
        return wire_bad_bytes(err);

    *out = (struct function){ .id = rx_str_of(in->id),
        .name = rx_str_of(in->name) };
    return function_compile(out, rx_str_of(in->source), arena, err);
}
