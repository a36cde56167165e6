#include "controlplane/oauth_time.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)

static uint64_t
at_most(uint64_t a, uint64_t most)
{
    return a < most ? a : most;
}

uint64_t
oauth_left_ms(const struct oauth_span *s, uint64_t wall_ms)
{
    if (wall_ms <= s->got_ms) /* the clock was moved back */
        return s->life_ms;
    uint64_t gone = wall_ms - s->got_ms;
    return s->life_ms > gone ? s->life_ms - gone : 0;
}

uint64_t
oauth_due_in_ms(const struct oauth_span *s, uint64_t wall_ms, uint64_t dice)
{
    uint64_t left = oauth_left_ms(s, wall_ms);
    uint64_t ahead = at_most(s->life_ms / 6, 30 * MINUTE);

    if (ahead < 10 * SECOND)
        ahead = 10 * SECOND;
    ahead += dice % (ahead / 4 + 1);
    ahead = at_most(ahead, s->life_ms / 2);
    return left > ahead ? left - ahead : 0;
}

static uint64_t
doubled(uint64_t first, uint64_t times, uint64_t most)
{
    return times < 32 ? at_most(first << times, most) : most;
}

uint64_t
oauth_pause_ms(uint64_t failures, uint64_t dice)
{
    uint64_t most =
        doubled(SECOND, failures > 0 ? failures - 1 : 0, 10 * MINUTE);

    return most / 2 + dice % (most / 2 + 1);
}

uint64_t
oauth_refused_pause_ms(uint64_t refused)
{
    return refused == 0 ? 0 : doubled(30 * SECOND, refused - 1, 15 * MINUTE);
}
