#include "controlplane/pulse.h"

#define DOUBT_PART   10 /* of the interval */
#define DOUBT_MIN_MS 1000

const char *
pulse_name(enum pulse_state s)
{
    static const char *const names[] = { "unknown", "up", "down" };

    return names[s];
}

bool
pulse_beat(struct pulse *p, bool good, uint32_t failures, uint32_t successes,
    uint64_t wall_ms)
{
    enum pulse_state next = p->state;

    p->good = good ? p->good + 1 : 0;
    p->bad = good ? 0 : p->bad + 1;
    if (good && (p->state == PULSE_UNKNOWN || p->good >= successes))
        next = PULSE_UP;
    if (!good && p->bad >= failures)
        next = PULSE_DOWN;
    if (next == p->state)
        return false;
    p->state = next;
    p->since_ms = wall_ms;
    return true;
}

uint64_t
pulse_wait(const struct pulse *p, uint64_t interval_ms, uint32_t dice)
{
    bool doubt = p->bad > 0 || p->state == PULSE_DOWN;
    uint64_t ms = doubt ? interval_ms / DOUBT_PART : interval_ms;

    if (ms < DOUBT_MIN_MS)
        ms = interval_ms < DOUBT_MIN_MS ? interval_ms : DOUBT_MIN_MS;
    uint64_t spread = ms / 5; /* two tenths: ±10 % */
    return ms - spread / 2 + (spread > 0 ? dice % spread : 0);
}
