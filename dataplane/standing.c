#include "dataplane/standing.h"

#include <stdlib.h>
#include <string.h>

#include "shared/map.h"
#include "shared/secret.h"

#define TROUBLES_MAX ((size_t)16384)
#define MODELS_MAX   ((size_t)1024) /* names of these come from strangers */
#define CHANNELS_MAX ((size_t)65536)
#define KEY_MAX      ((size_t)1024)
#define CLEARED      64
#define STREAK_MS    60000
#define TOUCHED      4096 /* bits */

static const struct {
    const char *name;
    const char *words;
} names[] = {
#define TROUBLE_ROW(id, name, words) { name, words },
    TROUBLES(TROUBLE_ROW)
#undef TROUBLE_ROW
};

/* Texts of the subject follow the struct. */
struct note {
    struct trouble_note n;
    uint32_t blind; /* times in a row */
    char text[];
};

struct standing {
    struct rx_map *own;
    struct rx_map *heard;
    uint64_t touched[TOUCHED / 64]; /* a bit by channel, for any note */
    size_t models;                  /* own notes about (channel, model) */
    struct rx_map *breakers;
    size_t open; /* breakers that are not closed */
    void (*on_windows)(void *arg);
    void *on_windows_arg;
    struct rx_map *seats;
    uint64_t turns;
    struct trouble_note cleared[CLEARED]; /* ring */
    char *cleared_text[CLEARED];
    size_t cleared_at;
    void (*on_change)(void *arg);
    void *on_change_arg;
};

const char *
trouble_name(enum trouble t)
{
    return names[t].name;
}

const char *
trouble_words(enum trouble t)
{
    return names[t].words;
}

bool
trouble_find(rx_str name, enum trouble *out)
{
    for (unsigned i = 0; i < TROUBLE_COUNT; i++) {
        if (rx_str_eq(name, (rx_str){ names[i].name, strlen(names[i].name) })) {
            *out = (enum trouble)i;
            return true;
        }
    }
    return false;
}

struct standing *
standing_new(void)
{
    struct standing *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->own = rx_map_new();
    s->heard = rx_map_new();
    s->breakers = rx_map_new();
    s->seats = rx_map_new();
    return s;
}

void
standing_free(struct standing *s)
{
    if (s == NULL)
        return;
    rx_map_free(s->own, free);
    rx_map_free(s->heard, free);
    rx_map_free(s->breakers, free);
    rx_map_free(s->seats, free);
    for (size_t i = 0; i < CLEARED; i++)
        free(s->cleared_text[i]);
    free(s);
}

void
standing_on_change(struct standing *s, void (*fn)(void *arg), void *arg)
{
    s->on_change = fn;
    s->on_change_arg = arg;
}

static void
tell(struct standing *s)
{
    if (s->on_change != NULL)
        s->on_change(s->on_change_arg);
}

/* ---- who has notes at all ---------------------------------------------------- */

/* One bit of TOUCHED for a channel, eight bytes of its id at a time. */
static uint64_t
bit_of(rx_str channel)
{
    uint64_t h = channel.len;

    for (size_t at = 0; at < channel.len; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = channel.len - at;
        memcpy(&word, channel.ptr + at, left < 8 ? left : 8);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h % TOUCHED;
}

static void
touch(struct standing *s, rx_str channel)
{
    uint64_t bit = bit_of(channel);

    s->touched[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* What was dropped leaves its bit until now. */
static void
touch_all(struct standing *s)
{
    const struct rx_map *const maps[] = { s->own, s->heard };
    void *value = NULL;
    rx_str key;

    memset(s->touched, 0, sizeof(s->touched));
    for (size_t i = 0; i < RX_COUNT(maps); i++) {
        size_t at = 0;
        while (rx_map_next(maps[i], &at, &key, &value))
            touch(s, ((const struct note *)value)->n.about.channel);
    }
}

bool
standing_is_calm_about(const struct standing *s, rx_str channel)
{
    uint64_t bit = bit_of(channel);

    return (s->touched[bit / 64] >> bit % 64 & 1) == 0;
}

/* ---- troubles ---------------------------------------------------------------- */

/* "channel NUL credential NUL model" into `room`; empty when it is too long. */
static rx_str
key_of(const struct subject *about, char room[KEY_MAX])
{
    const rx_str parts[] = { about->channel, about->credential, about->model };
    size_t n = 0;

    for (size_t i = 0; i < RX_COUNT(parts); i++) {
        if (n + parts[i].len + 1 > KEY_MAX)
            return (rx_str){ 0 };
        if (parts[i].len > 0)
            memcpy(room + n, parts[i].ptr, parts[i].len);
        n += parts[i].len;
        room[n++] = '\0';
    }
    return (rx_str){ room, n };
}

/* `about` as views into a copy of its key. */
static struct subject
views(const char *text, const struct subject *about)
{
    const char *credential = text + about->channel.len + 1;
    const char *model = credential + about->credential.len + 1;

    return (struct subject){ { text, about->channel.len },
        { credential, about->credential.len }, { model, about->model.len } };
}

static struct note *
note_new(rx_str key, const struct trouble_note *n)
{
    struct note *made = calloc(1, sizeof(*made) + key.len);

    if (made == NULL)
        abort();
    memcpy(made->text, key.ptr, key.len);
    made->n = *n;
    made->n.about = views(made->text, &n->about);
    return made;
}

static bool
is_model(const struct subject *about)
{
    return about->credential.len == 0 && about->model.len > 0;
}

static bool
has_room(const struct standing *s, const struct subject *about)
{
    return rx_map_count(s->own) < TROUBLES_MAX &&
           !(is_model(about) && s->models >= MODELS_MAX);
}

static struct note *
own_note(struct standing *s, const struct trouble_note *n, bool *fresh)
{
    char room[KEY_MAX];
    rx_str key = key_of(&n->about, room);
    struct note *have = key.len > 0 ? rx_map_get(s->own, key) : NULL;

    *fresh = have == NULL;
    if (have != NULL || key.len == 0)
        return have;
    if (!has_room(s, &n->about))
        standing_sweep(s, n->noted_ms);
    if (!has_room(s, &n->about))
        return NULL;
    have = note_new(key, n);
    rx_map_put(s->own, key, have);
    touch(s, n->about.channel);
    s->models += is_model(&n->about);
    return have;
}

void
standing_note(struct standing *s, const struct trouble_note *n)
{
    bool fresh;
    struct note *have = own_note(s, n, &fresh);

    if (have == NULL)
        return;
    bool live =
        !fresh && have->n.until_ms > n->noted_ms && have->n.secret == n->secret;
    if (live && have->n.until_ms >= n->until_ms)
        return;
    struct subject about = have->n.about;
    have->n = *n;
    have->n.about = about;
    tell(s);
}

uint32_t
standing_blind(struct standing *s, const struct subject *about, uint64_t now)
{
    struct trouble_note n = { .about = *about,
        .trouble = TROUBLE_BLIND,
        .noted_ms = now,
        .until_ms = now };
    bool fresh;
    struct note *have = own_note(s, &n, &fresh);

    if (have == NULL)
        return 0;
    if (have->n.until_ms != UINT64_MAX && have->n.until_ms + STREAK_MS < now)
        have->blind = 0;
    return have->blind++;
}

static void
drop_own(struct standing *s, rx_str key, struct note *have)
{
    s->models -= is_model(&have->n.about);
    rx_map_remove(s->own, key);
    free(have);
}

static void
remember_cleared(struct standing *s, const struct subject *about,
    uint64_t since, uint64_t now)
{
    char room[KEY_MAX];
    rx_str key = key_of(about, room);
    size_t at = s->cleared_at++ % CLEARED;

    free(s->cleared_text[at]);
    s->cleared_text[at] = malloc(key.len);
    if (s->cleared_text[at] == NULL)
        abort();
    memcpy(s->cleared_text[at], key.ptr, key.len);
    s->cleared[at] = (struct trouble_note){
        .about = views(s->cleared_text[at], about),
        .noted_ms = since,
        .until_ms = now,
    };
}

/* Drop what is noted by then; true when some of it would still be true. */
static bool
drop_subject(struct standing *s, const struct subject *about, uint64_t since,
    uint64_t now)
{
    struct rx_map *const maps[] = { s->own, s->heard };
    char room[KEY_MAX];
    rx_str key = key_of(about, room);
    bool found = false;

    for (size_t i = 0; key.len > 0 && i < RX_COUNT(maps); i++) {
        struct note *have = rx_map_get(maps[i], key);
        if (have == NULL || have->n.noted_ms > since)
            continue;
        found = found || have->n.until_ms > now;
        if (maps[i] == s->own)
            drop_own(s, key, have);
        else
            free(rx_map_remove(s->heard, key));
    }
    return found;
}

void
standing_clear(struct standing *s, const struct subject *about, uint64_t since,
    uint64_t now)
{
    if (standing_is_calm(s) || !drop_subject(s, about, since, now))
        return;
    remember_cleared(s, about, since, now);
    tell(s);
}

void
standing_heard_clear(
    struct standing *s, const struct subject *about, uint64_t since)
{
    if (drop_subject(s, about, since, since))
        tell(s);
}

/* Every note the test wants gone; the map may not change while it is walked. */
static void
drop_where(struct standing *s, struct rx_map *map,
    bool (*gone)(const struct note *n, rx_str channel, uint64_t when),
    rx_str channel, uint64_t when)
{
    bool again = true;

    while (again) {
        struct note *found[64];
        size_t n = 0;
        size_t at = 0;
        rx_str key;
        void *value = NULL;
        while (n < RX_COUNT(found) && rx_map_next(map, &at, &key, &value)) {
            if (gone(value, channel, when))
                found[n++] = value;
        }
        again = n == RX_COUNT(found);
        for (size_t i = 0; i < n; i++) {
            char room[KEY_MAX];
            key = key_of(&found[i]->n.about, room);
            if (map == s->own) {
                drop_own(s, key, found[i]);
            } else {
                rx_map_remove(map, key);
                free(found[i]);
            }
        }
    }
}

static bool
is_of_channel(const struct note *n, rx_str channel, uint64_t when)
{
    return n->n.noted_ms <= when && rx_str_eq(n->n.about.channel, channel);
}

static bool
is_over(const struct note *n, rx_str channel, uint64_t when)
{
    (void)channel;
    return n->n.until_ms != UINT64_MAX && n->n.until_ms + STREAK_MS <= when;
}

void
standing_reset(struct standing *s, rx_str channel, uint64_t since)
{
    struct breaker *b = rx_map_get(s->breakers, channel);

    drop_where(s, s->own, is_of_channel, channel, since);
    drop_where(s, s->heard, is_of_channel, channel, since);
    if (b != NULL)
        *b = (struct breaker){ 0 };
    standing_breaker_changed(s);
}

void
standing_sweep(struct standing *s, uint64_t now)
{
    drop_where(s, s->own, is_over, (rx_str){ 0 }, now);
    drop_where(s, s->heard, is_over, (rx_str){ 0 }, now);
    touch_all(s);
}

bool
standing_is_calm(const struct standing *s)
{
    return rx_map_count(s->own) + rx_map_count(s->heard) + s->open == 0;
}

const struct trouble_note *
standing_find(const struct standing *s, const struct subject *about,
    uint64_t secret, uint64_t now)
{
    const struct rx_map *const maps[] = { s->own, s->heard };
    const struct trouble_note *worst = NULL;
    char room[KEY_MAX];
    rx_str key = key_of(about, room);

    for (size_t i = 0; key.len > 0 && i < RX_COUNT(maps); i++) {
        const struct note *n = rx_map_get(maps[i], key);
        if (n == NULL || n->n.until_ms <= now ||
            (n->n.secret != 0 && n->n.secret != secret))
            continue;
        if (worst == NULL || n->n.until_ms > worst->until_ms)
            worst = &n->n;
    }
    return worst;
}

void
standing_prune(struct standing *s,
    bool (*holds)(void *arg, const struct trouble_note *n), void *arg)
{
    size_t n = 0;
    size_t at = 0;
    rx_str key;
    void *value = NULL;
    struct note **gone = calloc(rx_map_count(s->own) + 1, sizeof(*gone));

    if (gone == NULL)
        abort();
    while (rx_map_next(s->own, &at, &key, &value)) {
        struct note *have = value;
        if (!holds(arg, &have->n))
            gone[n++] = have;
    }
    for (size_t i = 0; i < n; i++) {
        char room[KEY_MAX];
        drop_own(s, key_of(&gone[i]->n.about, room), gone[i]);
    }
    free(gone);
    if (n > 0)
        tell(s);
}

bool
standing_next_own(const struct standing *s, size_t *at, uint64_t now,
    struct trouble_note *out)
{
    rx_str key;
    void *value = NULL;

    while (rx_map_next(s->own, at, &key, &value)) {
        *out = ((const struct note *)value)->n;
        if (out->until_ms > now)
            return true;
    }
    return false;
}

size_t
standing_cleared(const struct standing *s, uint64_t now,
    struct trouble_note *out, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < CLEARED && n < most; i++) {
        if (s->cleared_text[i] != NULL &&
            s->cleared[i].until_ms + STANDING_CLEARED_MS > now)
            out[n++] = s->cleared[i];
    }
    return n;
}

void
standing_hear(
    struct standing *s, const struct trouble_note *notes, size_t count)
{
    char room[KEY_MAX];

    rx_map_free(s->heard, free);
    s->heard = rx_map_new();
    for (size_t i = 0; i < count && i < TROUBLES_MAX; i++) {
        rx_str key = key_of(&notes[i].about, room);
        if (key.len > 0)
            free(rx_map_put(s->heard, key, note_new(key, &notes[i])));
    }
    touch_all(s);
}

/* ---- breakers ------------------------------------------------------------------ */

struct breaker *
standing_breaker(struct standing *s, rx_str channel)
{
    struct breaker *b = rx_map_get(s->breakers, channel);

    if (b != NULL || rx_map_count(s->breakers) >= CHANNELS_MAX)
        return b;
    b = calloc(1, sizeof(*b));
    if (b == NULL)
        abort();
    rx_map_put(s->breakers, channel, b);
    return b;
}

const struct breaker *
standing_breaker_of(const struct standing *s, rx_str channel)
{
    return s->open > 0 ? rx_map_get(s->breakers, channel) : NULL;
}

void
standing_breaker_changed(struct standing *s)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    s->open = 0;
    while (rx_map_next(s->breakers, &at, &key, &value))
        s->open += ((const struct breaker *)value)->until_ms != 0;
    tell(s);
}

bool
standing_next_open(
    const struct standing *s, size_t *at, struct trouble_note *out)
{
    rx_str key;
    void *value = NULL;

    while (s->open > 0 && rx_map_next(s->breakers, at, &key, &value)) {
        const struct breaker *b = value;
        if (b->until_ms == 0)
            continue;
        *out = (struct trouble_note){ .about = { .channel = key },
            .trouble = TROUBLE_BREAKER,
            .until_ms = b->until_ms };
        return true;
    }
    return false;
}

/* ---- seats --------------------------------------------------------------------- */

struct seat *
standing_seat(struct standing *s, rx_str channel, rx_str credential)
{
    struct subject about = { .channel = channel, .credential = credential };
    char room[KEY_MAX];
    rx_str key = key_of(&about, room);
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

uint64_t
standing_turn(struct standing *s)
{
    return ++s->turns;
}
