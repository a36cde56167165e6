/*
 * captured.h - bodies that data planes captured: taken in, kept for as long as
 * the settings say, shown.
 *
 * They are not counted like usage: what comes while the store does not take it
 * waits in bounded memory, and what does not fit is lost, and counted.
 */
#ifndef CONTROLPLANE_CAPTURED_H
#define CONTROLPLANE_CAPTURED_H

#include <stdint.h>

#include "controlplane/store.h"
#include "controlplane/wire.h"
#include "shared/json.h"
#include "shared/loop.h"
#include "shared/stat.h"

#define CAPTURED_WAIT_BYTES ((size_t)32 << 20)

struct captured;

RX_NODISCARD struct captured *captured_new(
    struct rx_loop *loop, struct store *store);
/* Writes what waits; NULL is allowed. */
void captured_free(struct captured *c);
/* Copied; written soon. */
void captured_take(struct captured *c, const struct wire_captured *m);
void captured_stats(struct captured *c, struct rx_stat *stat);

/* The request that `id`, its own or its row's, means, in the arena.
 * RX_NOT_FOUND: none of its bodies are kept. */
RX_NODISCARD enum rx_code captured_find(struct store *s, struct rx_arena *arena,
    rx_str id, rx_str *request, struct rx_err *err);
/* Both bodies of that request. */
RX_NODISCARD enum rx_code captured_put(struct store *s, rx_str request,
    struct rx_json_out *w, const char *key, struct rx_err *err);

#endif
