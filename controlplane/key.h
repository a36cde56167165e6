/*
 * key.h - what clients show at the door: "rtx_" and 40 random characters.
 *
 * The key itself is never stored, only its BLAKE2b digest and its last four
 * characters.  It is shown once: when it is made or rotated.
 */
#ifndef CONTROLPLANE_KEY_H
#define CONTROLPLANE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"
#include "shared/secret.h"

#define KEY_PREFIX "rtx_"

struct key {
    rx_str id, name;
    rx_str tenant_id, tenant; /* the tenant's id and name */
    rx_str status;            /* "enabled", "disabled" */
    struct rx_digest digest;
    rx_str last4;
    rx_str text;         /* the key itself: only when just made; else empty */
    uint64_t expires_ms; /* 0: never */
    struct rx_digest old_digest;
    rx_str old_last4;
    uint64_t old_until_ms; /* the text before is good until then; 0: is not */
    bool may_force_channel;
    struct field_list models;   /* empty: as the tenant */
    struct field_list channels; /* empty: as the tenant */
    struct field_list ips;
    struct state_limits limits;
    rx_str limits_state; /* JSON, to be shown; empty: not asked for */
    uint64_t created_ms, updated_ms, rev;
    uint64_t used_ms; /* start of its last request; 0: never used */
};

struct key *key_new(struct rx_arena *arena);
/* `tenant` (name or id) is left for the caller: *tenant is empty if absent. */
void key_read(struct key *k, rx_json body, enum field_mode mode,
    struct rx_arena *arena, rx_str *tenant);
void key_put(struct rx_json_out *w, const char *key, const struct key *k);
void key_state(const struct key *k, struct state_key *out);
/* Draw a new text, which makes the old one worthless once it is saved. */
void key_draw(struct key *k, struct rx_arena *arena);
/* The same, but the one before is good until then.  One before that is not. */
void key_rotate(struct key *k, uint64_t old_until_ms, struct rx_arena *arena);

RX_NODISCARD enum rx_code key_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct key **out, struct rx_err *err);
struct key_filter {
    rx_str tenant_id;  /* empty: all */
    uint64_t after_ms; /* in order of birth: those after (ms, id) */
    rx_str after_id;
};
RX_NODISCARD enum rx_code key_list(struct store *s, struct rx_arena *arena,
    const struct key_filter *filter, size_t limit, struct key **out,
    size_t *count, struct rx_err *err);
/* Insert or update, inside a transaction. */
RX_NODISCARD enum rx_code key_save(
    struct store *s, struct rx_arena *arena, struct key *k, struct rx_err *err);
RX_NODISCARD enum rx_code key_delete(
    struct store *s, const struct key *k, struct rx_err *err);

#endif
