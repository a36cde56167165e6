#include "dataplane/gossip.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/wire.h"
#include "shared/log.h"

#define SOON_MS      2 /* gathers what happens in one go */
#define AGAIN_MS     1000
#define RETRY_MS     20
#define WINDOWS      256
#define WINDOWS_MS   500
#define PINS         256
#define NOTES_MOST   4096
#define CLEARED_MOST 64
#define ARENA_MAX    ((size_t)64 * 1024 * 1024)
#define PIN_RACE_MS  1000

struct gossip {
    struct rx_loop *loop;
    struct follow *follow;
    struct standing *standing;
    struct sessions *sessions;
    struct minds *minds;
    struct rx_timer troubles;
    struct rx_timer windows;
    struct rx_timer pins;
    bool told;      /* the others believe that something is wrong here */
    uint64_t reset; /* the operator's last word that was obeyed */
    struct session_key pinned[PINS];
    size_t pin_count;
};

/* ---- telling ------------------------------------------------------------- */

static void
gather(struct gossip *g, struct wire_notice *r, struct rx_arena *arena)
{
    uint64_t now = rx_loop_ms(g->loop);
    struct trouble_note *cleared =
        rx_arena_make(arena, struct trouble_note, CLEARED_MOST);
    size_t at = 0;

    r->troubles = rx_arena_make(arena, struct trouble_note, NOTES_MOST);
    r->cleared = rx_arena_make(arena, struct wire_cleared, CLEARED_MOST);
    if (cleared == NULL || r->troubles == NULL || r->cleared == NULL)
        abort(); /* the arena is made for them */
    while (r->trouble_count < NOTES_MOST &&
           standing_next_own(
               g->standing, &at, now, &r->troubles[r->trouble_count]))
        r->trouble_count++;
    at = 0;
    while (r->trouble_count < NOTES_MOST &&
           standing_next_open(g->standing, &at, &r->troubles[r->trouble_count]))
        r->trouble_count++;
    size_t n = standing_cleared(g->standing, now, cleared, CLEARED_MOST);
    for (size_t i = 0; i < n; i++)
        r->cleared[r->cleared_count++] =
            (struct wire_cleared){ .about = cleared[i].about,
                .before_ms = cleared[i].noted_ms };
}

static void
tell_troubles(void *arg)
{
    struct gossip *g = arg;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct wire_notice report = { 0 };
    uint64_t now = rx_loop_ms(g->loop);
    struct rx_buf body;

    standing_sweep(g->standing, now);
    gather(g, &report, arena);
    bool any = report.trouble_count + report.cleared_count > 0;
    rx_buf_init(&body, rx_message_max(RX_MSG_CHANNEL_REPORT));
    enum rx_code code = RX_OK;
    if ((any || g->told) &&
        wire_add_channel_report(&body, follow_plane(g->follow), &report, now))
        code = follow_send(g->follow, RX_MSG_CHANNEL_REPORT, rx_buf_str(&body));
    rx_buf_fini(&body);
    rx_arena_free(arena);
    if (code != RX_OK) {
        rx_timer_set(
            &g->troubles, follow_connected(g->follow) ? RETRY_MS : AGAIN_MS);
        return;
    }
    g->told = any;
    if (any)
        rx_timer_set(&g->troubles, AGAIN_MS);
}

static void
on_standing_change(void *arg)
{
    struct gossip *g = arg;

    rx_timer_set(&g->troubles, SOON_MS);
}

static void
tell_windows(void *arg)
{
    struct gossip *g = arg;
    struct window_note notes[WINDOWS];
    struct rx_buf body;
    size_t n = standing_take_windows(g->standing, notes, RX_COUNT(notes));

    rx_buf_init(&body, rx_message_max(RX_MSG_WINDOW_REPORT));
    /* One that is not taken is told again when it has changed again. */
    if (n > 0 &&
        wire_add_windows(
            &body, follow_plane(g->follow), notes, n, rx_loop_ms(g->loop)) &&
        follow_send(g->follow, RX_MSG_WINDOW_REPORT, rx_buf_str(&body)) !=
            RX_OK)
        rx_debug("windows.untold", "count=%zu", n);
    rx_buf_fini(&body);
    if (n + SEAT_WINDOWS > WINDOWS)
        rx_timer_set(&g->windows, WINDOWS_MS);
}

static void
on_windows(void *arg)
{
    struct gossip *g = arg;

    if (!rx_timer_is_set(&g->windows))
        rx_timer_set(&g->windows, WINDOWS_MS);
}

static void
tell_pins(void *arg)
{
    struct gossip *g = arg;
    struct wire_pin pins[PINS];
    uint64_t now = rx_loop_ms(g->loop);
    struct rx_buf body;
    size_t n = 0;

    for (size_t i = 0; i < g->pin_count; i++) {
        const struct session_pin *p =
            sessions_find(g->sessions, &g->pinned[i], now);
        if (p != NULL)
            pins[n++] = (struct wire_pin){ .key = g->pinned[i],
                .channel = p->channel,
                .credential = p->credential,
                .left_ms = p->until_ms - now };
    }
    rx_buf_init(&body, rx_message_max(RX_MSG_PIN_REPORT));
    bool told =
        n == 0 || !wire_add_pins(&body, follow_plane(g->follow), pins, n) ||
        follow_send(g->follow, RX_MSG_PIN_REPORT, rx_buf_str(&body)) == RX_OK;
    rx_buf_fini(&body);
    /* Nobody takes it: once more, unless there are too many to keep. */
    if (told || g->pin_count == PINS)
        g->pin_count = 0;
    else
        rx_timer_set(&g->pins, RETRY_MS);
}

void
gossip_pin(struct gossip *g, const struct session_key *key)
{
    if (!sessions_should_tell(g->sessions, key, rx_loop_ms(g->loop)))
        return;
    if (g->pin_count == PINS)
        tell_pins(g);
    g->pinned[g->pin_count++] = *key;
    if (!rx_timer_is_set(&g->pins))
        rx_timer_set(&g->pins, SOON_MS);
}

/* ---- hearing ------------------------------------------------------------- */

/* The operator says that it is as new. */
static void
forget_channel(struct gossip *g, const struct wire_cleared *c)
{
    standing_reset(g->standing, c->about.channel, c->before_ms);
    minds_forget(g->minds, c->about.channel);
}

static void
hear_cleared(struct gossip *g, const struct wire_notice *n)
{
    uint64_t newest = g->reset;

    for (size_t i = 0; i < n->cleared_count; i++) {
        const struct wire_cleared *c = &n->cleared[i];
        if (c->reset == 0)
            standing_heard_clear(g->standing, &c->about, c->before_ms);
        else if (c->reset > g->reset)
            forget_channel(g, c);
        if (c->reset > newest)
            newest = c->reset;
    }
    g->reset = newest;
}

static void
hear_troubles(struct gossip *g, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct wire_notice n;
    size_t kept = 0;

    if (wire_read_notice(body, rx_loop_ms(g->loop), arena, &n)) {
        /* A breaker speaks of the way from there, not from here. */
        for (size_t i = 0; i < n.trouble_count; i++) {
            if (n.troubles[i].trouble != TROUBLE_BREAKER)
                n.troubles[kept++] = n.troubles[i];
        }
        hear_cleared(g, &n);
        standing_hear(g->standing, n.troubles, kept);
    }
    rx_arena_free(arena);
}

/* Of two that sat down at the same time everybody keeps the same. */
static bool
yields(
    const struct session_pin *mine, const struct wire_pin *theirs, uint64_t now)
{
    if (mine == NULL || now > mine->told_ms + PIN_RACE_MS)
        return true;
    size_t n = mine->channel.len < theirs->channel.len ? mine->channel.len
                                                       : theirs->channel.len;
    int order = memcmp(theirs->channel.ptr, mine->channel.ptr, n);
    return order < 0 || (order == 0 && theirs->channel.len < mine->channel.len);
}

static void
hear_pins(struct gossip *g, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    uint64_t now = rx_loop_ms(g->loop);
    const char *self = follow_plane(g->follow);
    struct wire_pin *pins;
    size_t count;
    rx_str plane;

    if (wire_read_pins(body, arena, &plane, &pins, &count) &&
        !rx_str_eq(plane, (rx_str){ self, strlen(self) })) {
        for (size_t i = 0; i < count; i++) {
            if (yields(sessions_find(g->sessions, &pins[i].key, now), &pins[i],
                    now))
                sessions_hear(g->sessions, &pins[i].key, pins[i].channel,
                    pins[i].credential, now, pins[i].left_ms);
        }
    }
    rx_arena_free(arena);
}

static void
hear_windows(struct gossip *g, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    uint64_t now = rx_loop_ms(g->loop);
    struct window_note *notes;
    size_t count;

    if (wire_read_windows(body, now, arena, &notes, &count)) {
        for (size_t i = 0; i < count; i++) {
            struct seat *seat = standing_seat(
                g->standing, notes[i].channel, notes[i].credential);
            if (seat != NULL)
                seat_hear_window(seat, &notes[i], now);
        }
    }
    rx_arena_free(arena);
}

static void
on_notice(void *arg, enum rx_message kind, rx_str body)
{
    if (kind == RX_MSG_CHANNEL_NOTICE)
        hear_troubles(arg, body);
    else if (kind == RX_MSG_PIN_NOTICE)
        hear_pins(arg, body);
    else if (kind == RX_MSG_WINDOW_NOTICE)
        hear_windows(arg, body);
}

/* ---- beginning and end ---------------------------------------------------- */

struct gossip *
gossip_new(struct rx_loop *loop, struct follow *follow,
    struct standing *standing, struct sessions *sessions, struct minds *minds)
{
    struct gossip *g = calloc(1, sizeof(*g));

    if (g == NULL)
        abort();
    g->loop = loop;
    g->follow = follow;
    g->standing = standing;
    g->sessions = sessions;
    g->minds = minds;
    rx_timer_init(&g->troubles, loop, tell_troubles, g);
    rx_timer_init(&g->pins, loop, tell_pins, g);
    rx_timer_init(&g->windows, loop, tell_windows, g);
    standing_on_change(standing, on_standing_change, g);
    standing_on_windows(standing, on_windows, g);
    follow_on_notice(follow, on_notice, g);
    return g;
}

void
gossip_free(struct gossip *g)
{
    if (g == NULL)
        return;
    standing_on_change(g->standing, NULL, NULL);
    standing_on_windows(g->standing, NULL, NULL);
    follow_on_notice(g->follow, NULL, NULL);
    rx_timer_fini(&g->troubles);
    rx_timer_fini(&g->windows);
    rx_timer_fini(&g->pins);
    free(g);
}
