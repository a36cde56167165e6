/*
 * pulse.h - up or down, from single checks: so many bad ones in a row make it
 * down, so many good ones up again.
 */
#ifndef CONTROLPLANE_PULSE_H
#define CONTROLPLANE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

enum pulse_state {
    PULSE_UNKNOWN, /* never checked */
    PULSE_UP,
    PULSE_DOWN
};
struct pulse {
    enum pulse_state state;
    uint32_t bad, good; /* in a row, at the end */
    uint64_t since_ms;  /* wall clock of the last change; 0: none */
};

/* "unknown", "up", "down" */
const char *pulse_name(enum pulse_state s);
/* One check; true when the state is another.  The first good one makes what is
 * unknown up at once. */
bool pulse_beat(struct pulse *p, bool good, uint32_t failures,
    uint32_t successes, uint64_t wall_ms);
/*
 * When to check next: after the interval, sooner while there is doubt.  `dice`
 * moves it by up to a tenth, so that channels are not asked all at once.
 */
uint64_t pulse_wait(const struct pulse *p, uint64_t interval_ms, uint32_t dice);

#endif
