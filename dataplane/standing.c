/*
 * Troubles: learnt here and heard from others, found by whom they are about.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/standing_parts.h"

#define TROUBLES_MAX ((size_t)16384)
#define MODELS_MAX   ((size_t)1024) /* names of these come from strangers */
#define STREAK_MS    60000

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
        if (rx_str_eq(name, rx_str_of(names[i].name))) {
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

void
standing_tell(struct standing *s)
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
rx_str
standing_key(const struct subject *about, char room[KEY_MAX])
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
    rx_str key = standing_key(&n->about, room);
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
    standing_tell(s);
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
drop(struct standing *s, struct rx_map *map, struct note *have)
{
    char room[KEY_MAX];

    if (map == s->own)
        s->models -= is_model(&have->n.about);
    rx_map_remove(map, standing_key(&have->n.about, room));
    free(have);
}

static void
remember_cleared(struct standing *s, const struct subject *about,
    uint64_t since, uint64_t now)
{
    char room[KEY_MAX];
    rx_str key = standing_key(about, room);
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
    rx_str key = standing_key(about, room);
    bool found = false;

    for (size_t i = 0; key.len > 0 && i < RX_COUNT(maps); i++) {
        struct note *have = rx_map_get(maps[i], key);
        if (have == NULL || have->n.noted_ms > since)
            continue;
        found = found || have->n.until_ms > now;
        drop(s, maps[i], have);
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
    standing_tell(s);
}

void
standing_heard_clear(
    struct standing *s, const struct subject *about, uint64_t since)
{
    if (drop_subject(s, about, since, since))
        standing_tell(s);
}

/* Drop every note that is gone; the map may not change while it is walked. */
static size_t
drop_where(struct standing *s, struct rx_map *map,
    bool (*gone)(void *arg, const struct note *n), void *arg)
{
    struct note *found[64];
    size_t dropped = 0;
    size_t n = RX_COUNT(found);

    while (n == RX_COUNT(found)) {
        size_t at = 0;
        rx_str key;
        void *value = NULL;
        n = 0;
        while (n < RX_COUNT(found) && rx_map_next(map, &at, &key, &value)) {
            if (gone(arg, value))
                found[n++] = value;
        }
        for (size_t i = 0; i < n; i++)
            drop(s, map, found[i]);
        dropped += n;
    }
    return dropped;
}

/* Noted about a channel, and no later. */
struct noted {
    rx_str channel;
    uint64_t by_ms;
};

static bool
is_noted(void *arg, const struct note *n)
{
    const struct noted *by = arg;

    return n->n.noted_ms <= by->by_ms &&
           rx_str_eq(n->n.about.channel, by->channel);
}

static bool
is_over(void *arg, const struct note *n)
{
    const uint64_t *now = arg;

    return n->n.until_ms != UINT64_MAX && n->n.until_ms + STREAK_MS <= *now;
}

void
standing_reset(struct standing *s, rx_str channel, uint64_t since)
{
    struct breaker *b = rx_map_get(s->breakers, channel);
    struct noted by = { channel, since };

    drop_where(s, s->own, is_noted, &by);
    drop_where(s, s->heard, is_noted, &by);
    if (b != NULL)
        *b = (struct breaker){ 0 };
    standing_breaker_changed(s);
}

void
standing_sweep(struct standing *s, uint64_t now)
{
    drop_where(s, s->own, is_over, &now);
    drop_where(s, s->heard, is_over, &now);
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
    rx_str key = standing_key(about, room);

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

struct holding {
    bool (*holds)(void *arg, const struct trouble_note *n);
    void *arg;
};

static bool
holds_no_more(void *arg, const struct note *n)
{
    const struct holding *by = arg;

    return !by->holds(by->arg, &n->n);
}

void
standing_prune(struct standing *s,
    bool (*holds)(void *arg, const struct trouble_note *n), void *arg)
{
    struct holding by = { holds, arg };

    if (drop_where(s, s->own, holds_no_more, &by) > 0)
        standing_tell(s);
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
        rx_str key = standing_key(&notes[i].about, room);
        if (key.len > 0)
            free(rx_map_put(s->heard, key, note_new(key, &notes[i])));
    }
    touch_all(s);
}
