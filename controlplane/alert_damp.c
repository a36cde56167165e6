#include "controlplane/alert_damp.h"

#include <string.h>

void
alert_damp_note(struct alert_damp *d, bool on, uint64_t now_ms)
{
    if (d->on == on)
        return;
    d->on = on;
    d->since_ms = now_ms;
}

/* As many openings as are remembered, all within FLAP_MS. */
bool
alert_damp_flaps(const struct alert_damp *d)
{
    uint64_t oldest = d->opened_ms[ALERT_FLAP_OPENINGS - 1];

    return oldest != 0 && d->opened_ms[0] - oldest <= ALERT_FLAP_MS;
}

uint64_t
alert_damp_due(const struct alert_damp *d, uint64_t raise_ms, uint64_t clear_ms)
{
    if (d->on == d->open)
        return UINT64_MAX;
    if (d->on)
        return d->since_ms + raise_ms;
    if (alert_damp_flaps(d) && clear_ms < ALERT_FLAP_CLEAR_MS)
        clear_ms = ALERT_FLAP_CLEAR_MS;
    return d->since_ms + clear_ms;
}

void
alert_damp_flip(struct alert_damp *d, uint64_t now_ms)
{
    d->open = d->on;
    if (!d->open)
        return;
    memmove(d->opened_ms + 1, d->opened_ms,
        sizeof(d->opened_ms) - sizeof(d->opened_ms[0]));
    d->opened_ms[0] = now_ms > 0 ? now_ms : 1;
}

bool
alert_damp_idle(const struct alert_damp *d, uint64_t now_ms)
{
    return !d->on && !d->open &&
           (d->opened_ms[0] == 0 || now_ms > d->opened_ms[0] + ALERT_FLAP_MS);
}
