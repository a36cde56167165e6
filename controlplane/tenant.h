/*
 * tenant.h - who the router works for: a team, a customer, a person.  Client
 * keys belong to a tenant; what it may use bounds what its keys may use.
 *
 * Works like channel.h: read from a body, shown, saved, loaded, told to the
 * planes.  What a struct tenant points to lives in the arena it was made with.
 */
#ifndef CONTROLPLANE_TENANT_H
#define CONTROLPLANE_TENANT_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

#define TENANT_DEFAULT "default" /* name of the one made at first start */

struct tenant {
    rx_str id, name;
    rx_str status;              /* "enabled", "disabled" */
    struct field_list models;   /* empty: any */
    struct field_list channels; /* empty: any */
    struct field_list ips;      /* empty: from anywhere */
    struct state_limits limits;
    uint64_t created_ms, updated_ms, rev;
    uint64_t key_count;
    rx_str limits_state; /* JSON, to be shown; empty: not asked for */
};

struct tenant *tenant_new(struct rx_arena *arena);
void tenant_read(struct tenant *t, rx_json body, enum field_mode mode,
    struct rx_arena *arena);
void tenant_put(struct rx_json_out *w, const char *key, const struct tenant *t);
void tenant_state(const struct tenant *t, struct state_tenant *out);

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code tenant_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct tenant **out, struct rx_err *err);
/* By name, those after `after`. */
RX_NODISCARD enum rx_code tenant_list(struct store *s, struct rx_arena *arena,
    rx_str after, size_t limit, struct tenant **out, size_t *count,
    struct rx_err *err);
/* Insert or update, inside a transaction.  RX_CONFLICT: the name is taken. */
RX_NODISCARD enum rx_code tenant_save(struct store *s, struct rx_arena *arena,
    struct tenant *t, struct rx_err *err);
/* RX_CONFLICT while it has keys. */
RX_NODISCARD enum rx_code tenant_delete(
    struct store *s, const struct tenant *t, struct rx_err *err);

#endif
