/*
 * Seats: the figures strategies choose by, of each key of a channel.
 */
#include <stdlib.h>

#include "dataplane/standing_parts.h"

struct seat *
standing_seat(struct standing *s, rx_str channel, rx_str credential)
{
    struct subject about = { .channel = channel, .credential = credential };
    char room[KEY_MAX];
    rx_str key = standing_key(&about, room);
    struct seat *seat = rx_map_get(s->seats, key);

    if (seat != NULL || rx_map_count(s->seats) >= CHANNELS_MAX)
        return seat;
    seat = calloc(1, sizeof(*seat));
    if (seat == NULL)
        abort();
    seat->used = -1;
    rx_map_put(s->seats, key, seat);
    return seat;
}

static void
turn_minute(struct seat *seat, uint64_t now)
{
    uint64_t minute = now / 60000;

    if (seat->minute == minute)
        return;
    seat->last_minute = seat->minute + 1 == minute ? seat->this_minute : 0;
    seat->this_minute = 0;
    seat->minute = minute;
}

void
seat_begin(struct seat *seat, uint64_t now)
{
    turn_minute(seat, now);
    seat->in_flight++;
    seat->this_minute++;
}

void
seat_end(struct seat *seat)
{
    if (seat->in_flight > 0)
        seat->in_flight--;
}

/* Of the running minute and of the one before what falls into the last 60 s. */
uint32_t
seat_recent(const struct seat *seat, uint64_t now)
{
    struct seat turned = *seat;

    turn_minute(&turned, now);
    uint64_t left = 60000 - now % 60000;
    return turned.this_minute + (uint32_t)(turned.last_minute * left / 60000);
}

/* 2^(-age / 10 s), as good as needed, without libm. */
static double
faded(double value, uint64_t age_ms)
{
    for (; age_ms >= 10000 && value > 0.001; age_ms -= 10000)
        value /= 2;
    return age_ms >= 10000 ? 0 : value * (1 - (double)age_ms / 20000);
}

double
seat_ttft(const struct seat *seat, uint64_t now)
{
    return faded(seat->ttft_ms, now - seat->ttft_at);
}

/* A peak counts at once, an improvement by a fifth. */
void
seat_note_ttft(struct seat *seat, double ms, uint64_t now)
{
    double was = seat_ttft(seat, now);

    seat->ttft_ms = ms > was ? ms : was + (ms - was) / 5;
    seat->ttft_at = now;
}

uint64_t
standing_turn(struct standing *s)
{
    return ++s->turns;
}
