/*
 * function.h - conditions written in Lua, by name.
 *
 * Works like tenant.h.  What a function sees, returns and may take is described
 * in docs/routing.md; a source that is no Lua is refused when it is saved.
 */
#ifndef CONTROLPLANE_FUNCTION_H
#define CONTROLPLANE_FUNCTION_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

struct function {
    rx_str id, name, source;
    uint64_t created_ms, updated_ms, rev;
};

struct function *function_new(struct rx_arena *arena);
void function_read(struct function *f, rx_json body, enum field_mode mode);
void function_put(
    struct rx_json_out *w, const char *key, const struct function *f);
void function_state(const struct function *f, struct state_function *out);

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code function_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct function **out, struct rx_err *err);
/* By name, those after `after`. */
RX_NODISCARD enum rx_code function_list(struct store *s, struct rx_arena *arena,
    rx_str after, size_t limit, struct function **out, size_t *count,
    struct rx_err *err);
RX_NODISCARD enum rx_code function_save(struct store *s, struct rx_arena *arena,
    struct function *f, struct rx_err *err);
RX_NODISCARD enum rx_code function_delete(
    struct store *s, const struct function *f, struct rx_err *err);

#endif
