/*
 * How much of its subscription windows an account has used: from answers'
 * headers, and from what the control plane was told elsewhere.
 */
#include <string.h>

#include "dataplane/standing_parts.h"

/* The same window by whoever names it. */
static rx_str
canonical(rx_str name)
{
    static const struct {
        rx_str header, name;
    } rows[] = {
        { RX_STR_INIT("5h"), RX_STR_INIT("five_hour") },
        { RX_STR_INIT("7d"), RX_STR_INIT("seven_day") },
        { RX_STR_INIT("7d_opus"), RX_STR_INIT("seven_day_opus") },
        { RX_STR_INIT("7d_sonnet"), RX_STR_INIT("seven_day_sonnet") },
        { RX_STR_INIT("primary"), RX_STR_INIT("five_hour") },
        { RX_STR_INIT("secondary"), RX_STR_INIT("seven_day") },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (rx_str_eq(name, rows[i].header))
            return rows[i].name;
    }
    return name;
}

/* Where it is kept; when all places are taken, where the oldest was. */
static struct seat_window *
place_of(struct seat *seat, rx_str name)
{
    struct seat_window *oldest = &seat->windows[0];

    for (size_t i = 0; i < SEAT_WINDOWS; i++) {
        struct seat_window *w = &seat->windows[i];
        if (rx_str_eq(name, (rx_str){ w->name, strlen(w->name) }))
            return w;
        if (w->noted_ms < oldest->noted_ms)
            oldest = w;
    }
    *oldest = (struct seat_window){ 0 };
    memcpy(oldest->name, name.ptr, name.len);
    return oldest;
}

static bool
is_over(const struct seat_window *w, uint64_t now)
{
    return w->noted_ms == 0 || (w->reset_ms != 0 && w->reset_ms <= now);
}

/* What strategies ask for: the fullest of those that still run. */
static void
sum_up(struct seat *seat, uint64_t now)
{
    bool told = false;

    for (size_t i = 0; i < SEAT_WINDOWS; i++) {
        const struct seat_window *w = &seat->windows[i];
        if (is_over(w, now) || (told && w->used <= seat->used))
            continue;
        seat->used = w->used;
        seat->reset_ms = w->reset_ms;
        told = true;
    }
}

static bool
differs(const struct seat_window *w, double used, uint64_t reset_ms)
{
    double by = used > w->used ? used - w->used : w->used - used;
    uint64_t apart = reset_ms > w->reset_ms ? reset_ms - w->reset_ms
                                            : w->reset_ms - reset_ms;

    return w->noted_ms == 0 || by >= 0.005 || apart > 60000;
}

bool
seat_note_limits(struct seat *seat, const struct limit_facts *f, uint64_t now)
{
    bool news = false;

    for (size_t i = 0; i < f->count; i++) {
        const struct limit_window *l = &f->windows[i];
        if (!l->subscription || !l->told_used)
            continue;
        struct seat_window *w =
            place_of(seat, canonical((rx_str){ l->name, strlen(l->name) }));
        uint64_t reset = l->reset_ms > 0 ? now + l->reset_ms : 0;
        w->news = w->news || differs(w, l->used, reset);
        news = news || w->news;
        w->used = l->used;
        w->reset_ms = reset;
        w->noted_ms = now > 0 ? now : 1;
    }
    sum_up(seat, now);
    return news;
}

void
seat_hear_window(
    struct seat *seat, const struct window_note *note, uint64_t now)
{
    if (note->name.len == 0 || note->name.len >= sizeof(seat->windows[0].name))
        return;
    struct seat_window *w = place_of(seat, note->name);
    if (w->noted_ms >= note->noted_ms && w->noted_ms != 0)
        return;
    w->used = note->used;
    w->reset_ms = note->reset_ms;
    w->noted_ms = note->noted_ms > 0 ? note->noted_ms : 1;
    w->news = false;
    sum_up(seat, now);
}

/* ---- told to the others --------------------------------------------------- */

void
standing_on_windows(struct standing *s, void (*fn)(void *arg), void *arg)
{
    s->on_windows = fn;
    s->on_windows_arg = arg;
}

void
standing_windows_changed(struct standing *s)
{
    if (s->on_windows != NULL)
        s->on_windows(s->on_windows_arg);
}

size_t
standing_take_windows(struct standing *s, struct window_note *out, size_t most)
{
    size_t at = 0, n = 0;
    rx_str key;
    void *value = NULL;

    while (
        n + SEAT_WINDOWS <= most && rx_map_next(s->seats, &at, &key, &value)) {
        struct seat *seat = value;
        size_t len = strnlen(key.ptr, key.len);
        rx_str credential = { key.ptr + len + 1, 0 };
        credential.len = strnlen(credential.ptr, key.len - len - 1);
        for (size_t i = 0; i < SEAT_WINDOWS; i++) {
            struct seat_window *w = &seat->windows[i];
            if (!w->news)
                continue;
            w->news = false;
            out[n++] = (struct window_note){ { key.ptr, len }, credential,
                { w->name, strlen(w->name) }, w->used, w->reset_ms,
                w->noted_ms };
        }
    }
    return n;
}
