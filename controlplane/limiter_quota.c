/*
 * Quotas.  A plane's `used` knows of its requests since `since_ms`; rows of those
 * are that plane's, all others were spent elsewhere and shrink what there is.
 */
#include <string.h>

#include "controlplane/limit_set.h"
#include "controlplane/limiter_parts.h"
#include "controlplane/quota.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/money.h"

/* ---- quotas ------------------------------------------------------------- */

static uint64_t
spent(struct limiter *l, const struct tracked *t, uint64_t since_ms,
    rx_str plane, uint64_t boot)
{
    struct rx_err err = { 0 };
    uint64_t sum;

    if (quota_spent(l->store, t->owner, t->kind, limiter_id(t), since_ms, plane,
            boot, &sum, &err) != RX_OK)
        rx_error("quota.unknown", "why=%s", rx_log_quote(err.text));
    return sum;
}

void
quota_fit(struct tracked *t)
{
    uint64_t limit = t->most > t->elsewhere ? t->most - t->elsewhere : 0;

    if (limit != t->lease.limit)
        t->lease.stale = true;
    t->lease.limit = limit;
}

void
quota_close_account(struct tracked *t, size_t i)
{
    if (!limiter_is_spent(t->kind))
        return;
    struct side *s = &t->sides[i];
    struct lease_holder *h = &t->lease.at[i];
    t->elsewhere += s->committed;
    h->share -= h->share < h->used ? h->share : h->used;
    h->sent -= h->sent < h->used ? h->sent : h->used;
    h->used = 0;
    *s = (struct side){ .credit = s->credit };
    quota_fit(t);
}

void
quota_open_account(
    struct limiter *l, struct tracked *t, size_t i, uint64_t since_ms)
{
    struct side *s = &t->sides[i];
    const struct plane *p = &l->planes[i];
    uint64_t from = since_ms > t->window_ms ? since_ms : t->window_ms;

    s->since_ms = since_ms;
    s->committed = spent(l, t, from, (rx_str){ p->id, strlen(p->id) }, p->boot);
    t->elsewhere -= t->elsewhere < s->committed ? t->elsewhere : s->committed;
    quota_fit(t);
}

void
quota_begin_window(struct limiter *l, struct tracked *t)
{
    t->window_ms = rx_window_start(t->window, rx_clock_wall_ms());
    t->elsewhere = spent(l, t, t->window_ms, (rx_str){ 0 }, 0);
    for (size_t i = 0; i < t->lease.count; i++) {
        uint64_t since_ms = t->sides[i].since_ms;
        t->sides[i].committed = 0;
        t->lease.at[i].used = 0;
        if (since_ms != 0)
            quota_open_account(l, t, i, since_ms);
    }
    t->lease.stale = true;
    quota_fit(t);
}

/* ---- rows --------------------------------------------------------------- */

static void
count_row(struct limiter *l, const struct usage_batch *b,
    const struct usage_row *row, enum limited owner, enum state_limit kind,
    rx_str id)
{
    struct tracked *t = limiter_find(l, owner, kind, id);

    if (t == NULL || row->started_ms < t->window_ms)
        return;
    uint64_t n = kind == STATE_LIMIT_BUDGET ? quota_money_of_row(l->store, row)
                                            : quota_of_row(row);
    size_t i = limiter_plane(l, b->plane);
    bool known = i < l->count && l->planes[i].boot == b->boot &&
                 t->sides[i].since_ms != 0 &&
                 row->started_ms >= t->sides[i].since_ms;
    if (known)
        t->sides[i].committed += n;
    else
        t->elsewhere += n;
    quota_fit(t);
}

static enum rx_code
sink_commit(void *arg, const struct usage_batch *b, struct rx_err *err)
{
    static const enum state_limit kinds[] = { STATE_LIMIT_QUOTA,
        STATE_LIMIT_BUDGET };
    struct limiter *l = arg;
    enum rx_code code = l->inner.commit(l->inner.arg, b, err);

    for (size_t i = 0; code == RX_OK && i < b->row_count; i++) {
        const struct usage_row *row = &b->rows[i];
        for (size_t k = 0; k < RX_COUNT(kinds); k++) {
            count_row(l, b, row, LIMITED_TENANT, kinds[k], row->tenant_id);
            count_row(l, b, row, LIMITED_KEY, kinds[k], row->key_id);
        }
    }
    return code;
}

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct limiter *l = arg;

    return l->inner.progress(l->inner.arg, plane, boot, seq, err);
}

struct usage_sink
limiter_sink(struct limiter *l, struct usage_sink inner)
{
    l->inner = inner;
    return (struct usage_sink){ l, sink_progress, sink_commit };
}

/* ---- shown -------------------------------------------------------------- */

static uint64_t
used_now(const struct tracked *t)
{
    uint64_t used = t->elsewhere;

    for (size_t i = 0; i < t->lease.count; i++)
        used += limiter_is_rate(t) ? t->sides[i].filled : t->lease.at[i].used;
    return used;
}

/* The last part of a budget is too small for a request, and stays. */
#define FULL_PERCENT 99

void
quota_tell_mark(struct limiter *l, struct tracked *t)
{
    uint64_t used = used_now(t);
    unsigned mark = 0;

    if (t->kind != STATE_LIMIT_BUDGET || l->on_mark == NULL || t->most == 0)
        return;
    if (used >= t->most / 100 * FULL_PERCENT)
        mark = 100;
    else if (used >= t->most / 100 * 80)
        mark = 80;
    if (mark == t->told_pct)
        return;
    t->told_pct = mark;
    l->on_mark(l->on_mark_arg,
        &(struct budget_mark){ .owner = t->owner,
            .id = limiter_id(t),
            .percent = mark,
            .used = used,
            .most = t->most,
            .window = t->window,
            .resets_ms = rx_window_end(t->window, rx_clock_wall_ms()) });
}

void
limiter_on_mark(struct limiter *l,
    void (*fn)(void *arg, const struct budget_mark *mark), void *arg)
{
    l->on_mark = fn;
    l->on_mark_arg = arg;
}

/*
 * When all of it is there again if nobody asks: at the end of a window, or once
 * the bucket is full.  0: when requests end, or never.
 */
static uint64_t
resets_ms(const struct state_limits *limits, unsigned kind, uint64_t used,
    uint64_t wall)
{
    if (limiter_is_spent((enum state_limit)kind))
        return rx_window_end(
            limiter_window(limits, (enum state_limit)kind), wall);
    if (kind == STATE_LIMIT_CONCURRENT)
        return 0;
    uint64_t most = limits->most[kind];
    uint64_t part = used < most ? used : most;
    return wall + (uint64_t)((double)part * 60000.0 / (double)most);
}

static void
put_used(struct rx_json_out *w, enum state_limit k,
    const struct state_limits *limits, uint64_t used)
{
    if (k == STATE_LIMIT_BUDGET) {
        rx_decimal_put(w, "limit_usd", (int64_t)limits->most[k], 6);
        rx_decimal_put(w, "used_usd", (int64_t)used, 6);
    } else {
        rx_json_put_u64(w, "limit", limits->most[k]);
        rx_json_put_u64(w, "used", used);
    }
    if (limiter_is_spent(k))
        rx_json_put_text(
            w, "window", rx_window_name(limiter_window(limits, k)));
}

void
limiter_put(struct limiter *l, struct rx_json_out *w, const char *key,
    enum limited owner, rx_str id, const struct state_limits *limits)
{
    uint64_t wall = rx_clock_wall_ms();

    rx_json_open_object(w, key);
    for (unsigned k = 0; k < STATE_LIMITS; k++) {
        const struct tracked *t =
            limiter_find(l, owner, (enum state_limit)k, id);
        if (limits->most[k] == 0)
            continue;
        rx_json_open_object(w, limit_set_name((enum state_limit)k));
        uint64_t used = t != NULL ? used_now(t) : 0;
        put_used(w, (enum state_limit)k, limits, used);
        rx_json_put_time(w, "resets_at", resets_ms(limits, k, used, wall));
        rx_json_close(w);
    }
    rx_json_close(w);
}

rx_str
limiter_text(struct limiter *l, struct rx_arena *arena, enum limited owner,
    rx_str id, const struct state_limits *limits)
{
    struct rx_buf text;

    rx_buf_init(&text, 4096);
    struct rx_json_out w = rx_json_out(&text);
    limiter_put(l, &w, NULL, owner, id, limits);
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}
