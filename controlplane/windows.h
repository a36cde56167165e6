/*
 * windows.h - how much of their subscription windows accounts have used.
 *
 *   data planes (answers' headers) ──┐                 ┌─> all data planes
 *   window_poll.h (asked for) ───────┴─> newest word ──┼─> rows
 *                                                      └─> GET /api/channels
 *
 * A window is named by (channel, key, name): "five_hour", "seven_day".
 */
#ifndef CONTROLPLANE_WINDOWS_H
#define CONTROLPLANE_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/publisher.h"
#include "controlplane/store.h"
#include "shared/json.h"

struct window {
    rx_str channel, credential, name;
    uint32_t used_permille;      /* may be over 1000 */
    uint64_t reset_ms, noted_ms; /* wall clock; reset 0: not told */
};

struct windows;

/* Takes up the rows. */
RX_NODISCARD struct windows *windows_new(
    struct rx_loop *loop, struct store *store, struct publisher *publisher);
/* Writes what is not written yet. */
void windows_free(struct windows *w);
/* Copied; an older word than what is known is passed over. */
void windows_take(struct windows *w, const struct window *list, size_t count);
/* "windows": […] of one channel, those that still run. */
void windows_put(
    const struct windows *w, struct rx_json_out *out, rx_str channel);

/* What a provider's usage document says; returns how many of `most` it filled.
 * Names and texts live as long as `doc`. */
size_t window_read_usage(
    rx_json doc, uint64_t wall_ms, struct window *out, size_t most);

#endif
