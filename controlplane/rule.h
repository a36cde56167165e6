/*
 * rule.h - rules: which requests go where.
 *
 *   rule.c            the noun: body, answer, rows, what the planes get
 *   rule_condition.c  its conditions
 *   rule_target.c     its targets
 *
 * Works like channel.h.  A rule is refused when it could never take effect: a
 * condition that contradicts itself, a target that cannot serve.
 */
#ifndef CONTROLPLANE_RULE_H
#define CONTROLPLANE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

#define RULE_HOPS_MAX     16
#define RULE_CHANNELS_MAX 64

/* Channels, all those of a tag, or any; in this order, or by weight. */
struct rule_hop {
    const rx_str *channels; /* ids */
    const rx_str *names;
    const uint32_t *weights; /* NULL: in order */
    size_t channel_count;
    rx_str tag, model;
};

struct rule_target {
    struct rule_hop hops[RULE_HOPS_MAX]; /* the first, then the fallbacks */
    size_t hop_count;
    rx_str strategy;
    rx_str transformers; /* JSON; empty: none */
};

struct rule {
    rx_str id, name, type;
    struct state_condition condition; /* "all" of what was asked for */
    struct rule_target target;
    int64_t priority;
    bool strict;
    rx_str status; /* "enabled", "disabled" */
    uint64_t created_ms, updated_ms, rev;
};

/* What a type stands for. */
struct rule_preset {
    const char *type;
    int32_t priority; /* unless the rule says another */
    const char *help;
};
extern const struct rule_preset rule_presets[]; /* ends with a NULL type */
/* As an object: what it adds to the rule's own conditions. */
void rule_preset_put(struct rx_json_out *w, const struct rule_preset *preset);

/* Faults are noted in the body's document. */
void rule_read(struct rule *r, rx_json body, enum field_mode mode,
    struct store *s, struct rx_arena *arena);
void rule_put(struct rx_json_out *w, const char *key, const struct rule *r);
void rule_state(
    const struct rule *r, struct rx_arena *arena, struct state_rule *out);

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code rule_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct rule **out, struct rx_err *err);
/* In the order they are asked, from the `skip`th on. */
RX_NODISCARD enum rx_code rule_list(struct store *s, struct rx_arena *arena,
    size_t skip, size_t limit, struct rule **out, size_t *count,
    struct rx_err *err);
RX_NODISCARD enum rx_code rule_save(struct store *s, struct rx_arena *arena,
    struct rule *r, struct rx_err *err);
RX_NODISCARD enum rx_code rule_delete(
    struct store *s, const struct rule *r, struct rx_err *err);
/* RX_CONFLICT while a rule names the channel (by id). */
RX_NODISCARD enum rx_code rule_spares_channel(
    struct store *s, rx_str id, struct rx_err *err);
/* RX_CONFLICT while a rule names the function. */
RX_NODISCARD enum rx_code rule_spares_function(
    struct store *s, struct rx_arena *arena, rx_str name, struct rx_err *err);

/* ---- between the files ---- */

/* `object` into an "all"; absent is the empty one. */
void rule_read_condition(rx_json object, struct store *s,
    struct rx_arena *arena, struct state_condition *out);
void rule_put_condition(
    struct rx_json_out *w, const char *key, const struct state_condition *c);
/* With what the type stands for. */
struct state_condition rule_full_condition(
    const struct rule *r, struct rx_arena *arena);
/* Why it can never hold, or NULL. */
const char *rule_never_holds(const struct state_condition *c);
bool rule_calls(const struct state_condition *c, rx_str function);

void rule_read_target(rx_json body, struct store *s, struct rx_arena *arena,
    struct rule_target *out);
void rule_put_target(
    struct rx_json_out *w, const char *key, const struct rule_target *t);
/* As it is stored, and back. */
rx_str rule_target_text(struct rx_arena *arena, const struct rule_target *t);
void rule_load_target(struct store *s, struct rx_arena *arena, rx_str stored,
    struct rule_target *out);

#endif
