/*
 * alert_damp.h - when a condition that comes and goes is worth telling.
 *
 *            on for raise_ms                 off for clear_ms
 *   closed ───────────────────> open ─────────────────────────────> closed
 *                                    (FLAP_CLEAR_MS once it opened
 *                                     FLAP_OPENINGS times in FLAP_MS)
 *
 * A plain value without a clock of its own; times are monotonic ms.
 */
#ifndef CONTROLPLANE_ALERT_DAMP_H
#define CONTROLPLANE_ALERT_DAMP_H

#include <stdbool.h>
#include <stdint.h>

#define ALERT_FLAP_OPENINGS 3
#define ALERT_FLAP_MS       ((uint64_t)10 * 60 * 1000)
#define ALERT_FLAP_CLEAR_MS ((uint64_t)10 * 60 * 1000)

struct alert_damp {
    bool on;                                 /* the condition holds */
    bool open;                               /* people were told */
    uint64_t since_ms;                       /* when `on` changed */
    uint64_t opened_ms[ALERT_FLAP_OPENINGS]; /* newest first; 0: never */
};

/* The condition holds, or not (any more). */
void alert_damp_note(struct alert_damp *d, bool on, uint64_t now_ms);
/* When `open` has to follow `on`; UINT64_MAX: it does already. */
uint64_t alert_damp_due(
    const struct alert_damp *d, uint64_t raise_ms, uint64_t clear_ms);
/* It follows. */
void alert_damp_flip(struct alert_damp *d, uint64_t now_ms);
bool alert_damp_flaps(const struct alert_damp *d);
/* Nothing would be lost by forgetting it. */
bool alert_damp_idle(const struct alert_damp *d, uint64_t now_ms);

#endif
