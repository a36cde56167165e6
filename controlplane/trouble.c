#include "controlplane/trouble.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/wire.h"
#include "shared/clock.h"
#include "shared/log.h"

#define MOST         ((size_t)16384) /* in all */
#define CLEARED_MOST ((size_t)256)
#define CLEARED_MS   5000 /* so long it is told, for those who missed it */
#define BEAT_MS      1000
#define SOON_MS      2
#define OURS         ":control" /* no plane has this name */

/* Each with its own text, in one piece. */
struct cell {
    struct trouble t;
    char text[];
};
struct cleared_cell {
    struct trouble_cleared c;
    uint64_t told_ms;
    char text[];
};

struct troubles {
    struct rx_loop *loop;
    struct publisher *publisher;
    struct cell **cells;
    size_t count;
    struct cleared_cell *cleared[CLEARED_MOST];
    size_t cleared_count;
    bool told; /* the planes believe that something is wrong */
    struct rx_timer beat;
    void (*also)(void *arg, struct rx_json_out *w, rx_str channel);
    void *also_arg;
    uint64_t resets;
};

static void *
alloc_or_die(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        abort();
    return p;
}

/* Copy `s` to *at and move on. */
static rx_str
keep(char **at, rx_str s)
{
    rx_str kept = { *at, s.len };

    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

/* ---- telling ------------------------------------------------------------- */

static void
drop_cell(struct troubles *t, size_t i)
{
    free(t->cells[i]);
    t->cells[i] = t->cells[--t->count];
}

static void
drop_old(struct troubles *t)
{
    uint64_t now = rx_loop_ms(t->loop);

    for (size_t i = t->count; i-- > 0;) {
        if (t->cells[i]->t.until_ms <= now)
            drop_cell(t, i);
    }
    for (size_t i = t->cleared_count; i-- > 0;) {
        if (t->cleared[i]->told_ms + CLEARED_MS > now)
            continue;
        free(t->cleared[i]);
        t->cleared[i] = t->cleared[--t->cleared_count];
    }
}

static void
tell(void *arg)
{
    struct troubles *t = arg;
    struct trouble_report all = { 0 };
    struct rx_buf body;

    drop_old(t);
    bool any = t->count + t->cleared_count > 0;
    if (!any && !t->told)
        return;
    all.troubles = alloc_or_die((t->count + 1) * sizeof(*all.troubles));
    all.cleared = alloc_or_die((t->cleared_count + 1) * sizeof(*all.cleared));
    for (size_t i = 0; i < t->count; i++) {
        if (!t->cells[i]->t.quiet)
            all.troubles[all.trouble_count++] = t->cells[i]->t;
    }
    for (; all.cleared_count < t->cleared_count; all.cleared_count++)
        all.cleared[all.cleared_count] = t->cleared[all.cleared_count]->c;
    rx_buf_init(&body, rx_message_max(RX_MSG_CHANNEL_NOTICE));
    if (wire_pack_notice(&body, &all, rx_loop_ms(t->loop)))
        publisher_send_notice(
            t->publisher, RX_MSG_CHANNEL_NOTICE, rx_buf_str(&body));
    rx_buf_fini(&body);
    free(all.troubles);
    free(all.cleared);
    t->told = any;
    if (any)
        rx_timer_set(&t->beat, BEAT_MS);
}

static void
tell_soon(struct troubles *t)
{
    rx_timer_set(&t->beat, SOON_MS);
}

/* ---- taking ---------------------------------------------------------------- */

static bool
is_about(const struct trouble *t, const struct trouble_cleared *c)
{
    if (!rx_str_eq(t->channel, c->channel) || t->noted_ms > c->before_ms)
        return false;
    return c->reset != 0 || (rx_str_eq(t->credential, c->credential) &&
                                rx_str_eq(t->model, c->model));
}

static bool
is_over(const struct troubles *t, const struct trouble *one)
{
    for (size_t i = 0; i < t->cleared_count; i++) {
        if (is_about(one, &t->cleared[i]->c))
            return true;
    }
    return one->until_ms <= rx_loop_ms(t->loop);
}

static void
add(struct troubles *t, rx_str plane, const struct trouble *one)
{
    if (t->count == MOST || is_over(t, one))
        return;
    struct cell *c =
        alloc_or_die(sizeof(*c) + plane.len + one->channel.len +
                     one->credential.len + one->model.len + one->kind.len);
    char *at = c->text;
    c->t = *one;
    c->t.plane = keep(&at, plane);
    c->t.channel = keep(&at, one->channel);
    c->t.credential = keep(&at, one->credential);
    c->t.model = keep(&at, one->model);
    c->t.kind = keep(&at, one->kind);
    t->cells = realloc(t->cells, (t->count + 1) * sizeof(struct cell *));
    if (t->cells == NULL)
        abort();
    t->cells[t->count++] = c;
}

/* A newer word about the same takes the older one's place. */
static void
drop_same(struct troubles *t, const struct trouble_cleared *c)
{
    for (size_t i = t->cleared_count; i-- > 0;) {
        const struct trouble_cleared *have = &t->cleared[i]->c;
        if (!rx_str_eq(have->channel, c->channel) ||
            !rx_str_eq(have->credential, c->credential) ||
            !rx_str_eq(have->model, c->model) ||
            (have->reset == 0) != (c->reset == 0))
            continue;
        free(t->cleared[i]);
        t->cleared[i] = t->cleared[--t->cleared_count];
    }
}

/* False when it was known: proofs are told several times. */
static bool
clear(struct troubles *t, const struct trouble_cleared *c)
{
    bool found = false;

    for (size_t i = t->count; i-- > 0;) {
        if (is_about(&t->cells[i]->t, c)) {
            drop_cell(t, i);
            found = true;
        }
    }
    if (!found && c->reset == 0)
        return false;
    drop_same(t, c);
    if (t->cleared_count == CLEARED_MOST)
        return found;
    struct cleared_cell *cell = alloc_or_die(
        sizeof(*cell) + c->channel.len + c->credential.len + c->model.len);
    char *at = cell->text;
    cell->c = *c;
    cell->c.channel = keep(&at, c->channel);
    cell->c.credential = keep(&at, c->credential);
    cell->c.model = keep(&at, c->model);
    cell->told_ms = rx_loop_ms(t->loop);
    t->cleared[t->cleared_count++] = cell;
    return true;
}

static bool
says_same(const struct trouble *a, const struct trouble *b)
{
    uint64_t apart = a->until_ms > b->until_ms ? a->until_ms - b->until_ms
                                               : b->until_ms - a->until_ms;

    return rx_str_eq(a->channel, b->channel) &&
           rx_str_eq(a->credential, b->credential) &&
           rx_str_eq(a->model, b->model) && rx_str_eq(a->kind, b->kind) &&
           a->secret == b->secret && a->quiet == b->quiet && apart < 500;
}

/* Does the plane say something that was not known of it? */
static bool
is_news(const struct troubles *t, const struct trouble_report *r)
{
    size_t known = 0;

    for (size_t i = 0; i < t->count; i++)
        known += rx_str_eq(t->cells[i]->t.plane, r->plane);
    if (known != r->trouble_count)
        return true;
    for (size_t i = 0; i < r->trouble_count; i++) {
        bool found = false;
        for (size_t k = 0; k < t->count && !found; k++)
            found = rx_str_eq(t->cells[k]->t.plane, r->plane) &&
                    says_same(&t->cells[k]->t, &r->troubles[i]);
        if (!found)
            return true;
    }
    return false;
}

void
troubles_take(struct troubles *t, const struct trouble_report *r)
{
    bool news = is_news(t, r);

    for (size_t i = t->count; i-- > 0;) {
        if (rx_str_eq(t->cells[i]->t.plane, r->plane))
            drop_cell(t, i);
    }
    for (size_t i = 0; i < r->trouble_count; i++)
        add(t, r->plane, &r->troubles[i]);
    for (size_t i = 0; i < r->cleared_count; i++) {
        /* Only the store's own word is an operator's. */
        struct trouble_cleared c = r->cleared[i];
        c.reset = 0;
        news = clear(t, &c) || news;
    }
    if (news)
        tell_soon(t);
}

static bool
drop_ours(struct troubles *t, rx_str channel, rx_str kind)
{
    for (size_t i = t->count; i-- > 0;) {
        const struct trouble *one = &t->cells[i]->t;
        if (rx_str_eq(one->plane, RX_S(OURS)) &&
            rx_str_eq(one->channel, channel) && rx_str_eq(one->kind, kind)) {
            drop_cell(t, i);
            return true;
        }
    }
    return false;
}

void
troubles_say(
    struct troubles *t, rx_str channel, const char *kind, uint64_t until_ms)
{
    rx_str word = { kind, strlen(kind) };
    bool known = drop_ours(t, channel, word);

    add(t, RX_S(OURS),
        &(struct trouble){ .channel = channel,
            .kind = word,
            .noted_ms = rx_loop_ms(t->loop),
            .until_ms = until_ms });
    if (!known)
        tell_soon(t);
}

void
troubles_unsay(struct troubles *t, rx_str channel, const char *kind)
{
    if (drop_ours(t, channel, (rx_str){ kind, strlen(kind) }))
        tell_soon(t);
}

void
troubles_reset(struct troubles *t, rx_str channel)
{
    uint64_t wall = rx_clock_wall_ms();

    t->resets = wall > t->resets ? wall : t->resets + 1;
    clear(t, &(struct trouble_cleared){ .channel = channel,
                 .before_ms = rx_loop_ms(t->loop),
                 .reset = t->resets });
    tell_soon(t);
}

/* ---- showing --------------------------------------------------------------- */

bool
troubles_next(const struct troubles *t, size_t *at, const struct trouble **out)
{
    if (*at >= t->count)
        return false;
    *out = &t->cells[(*at)++]->t;
    return true;
}

static void
put_one(
    const struct troubles *t, struct rx_json_out *w, const struct trouble *one)
{
    uint64_t now = rx_loop_ms(t->loop);

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "reason", one->kind);
    if (one->until_ms == UINT64_MAX)
        rx_json_put_null(w, "until");
    else
        rx_json_put_time(w, "until",
            rx_clock_wall_ms() +
                (one->until_ms > now ? one->until_ms - now : 0));
    if (one->credential.len > 0)
        rx_json_put_str(w, "key", one->credential);
    if (one->model.len > 0)
        rx_json_put_str(w, "model", one->model);
    rx_json_put_str(w, "plane",
        rx_str_eq(one->plane, RX_S(OURS)) ? RX_S("control") : one->plane);
    rx_json_close(w);
}

void
troubles_put(const struct troubles *t, struct rx_json_out *w, rx_str channel)
{
    uint64_t now = rx_loop_ms(t->loop);
    size_t n = 0;

    rx_json_open_object(w, "availability");
    rx_json_open_array(w, "troubles");
    for (size_t i = 0; i < t->count; i++) {
        const struct trouble *one = &t->cells[i]->t;
        if (!rx_str_eq(one->channel, channel) || one->until_ms <= now)
            continue;
        put_one(t, w, one);
        n++;
    }
    rx_json_close(w);
    rx_json_put_bool(w, "troubled", n > 0);
    rx_json_close(w);
    if (t->also != NULL)
        t->also(t->also_arg, w, channel);
}

void
troubles_put_also(struct troubles *t,
    void (*fn)(void *arg, struct rx_json_out *w, rx_str channel), void *arg)
{
    t->also = fn;
    t->also_arg = arg;
}

/* ---- beginning and end -------------------------------------------------------- */

struct troubles *
troubles_new(struct rx_loop *loop, struct publisher *publisher)
{
    struct troubles *t = alloc_or_die(sizeof(*t));

    t->loop = loop;
    t->publisher = publisher;
    rx_timer_init(&t->beat, loop, tell, t);
    return t;
}

void
troubles_free(struct troubles *t)
{
    if (t == NULL)
        return;
    rx_timer_fini(&t->beat);
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    for (size_t i = 0; i < t->cleared_count; i++)
        free(t->cleared[i]);
    free(t);
}
