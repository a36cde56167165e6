/*
 * A bucket is kept as its debt: units times 60 000, so that a share of n per
 * minute pays off n of it per millisecond and every sum is exact.  This is GCRA
 * with the arrival time replaced by the debt it stands for, which lets a share
 * change without changing what was already used.
 */
#include "dataplane/limits.h"

#include <stdlib.h>
#include <string.h>

#include "shared/map.h"

#define UNIT ((int64_t)60000)
#define LONGEST_MS \
    ((uint64_t)3600 * 1000) /* any debt is paid by then, nearly */
#define OTHERS_MS 5000      /* shares move within this */
#define ACTIVE_MS 10000
#define SECOND_MS 900 /* timers are late */
#define DEBT_MOST ((int64_t)1 << 61)

static const char *const names[] = {
#define NAME(id, name) name,
    LIMITS(NAME)
#undef NAME
};

struct meter {
    uint64_t share;
    bool leased;       /* `share` is a Lease's */
    bool named;        /* by the Lease that is being read */
    uint64_t in_force; /* rates: what `debt` is measured against */
    int64_t debt;
    uint64_t at_ms;
    uint64_t used;      /* concurrent: in flight; quota: in the window */
    uint64_t window_ms; /* quota */
    uint64_t left;      /* quota: as the last Lease said */
    /* In the running second or so, and in the one before: */
    uint64_t asked[2];  /* admitted or not */
    uint64_t wanted[2]; /* the most that would have been held at a time */
    uint64_t forfeited, credited;
};

struct limit_state {
    enum limit_owner owner;
    struct limit_set set;
    struct meter meters[LIMIT_KINDS];
    uint64_t since_ms; /* wall */
    uint64_t used_ms;
    uint32_t holds;
    size_t id_len;
    char id[];
};

struct limits {
    struct rx_map *states[LIMIT_OWNERS]; /* id to struct limit_state */
    bool told;                           /* a Lease came */
    void (*on_short)(void *arg);
    void *on_short_arg;
    uint64_t parts;
    uint64_t demand_ms;
};

static bool
is_rate(unsigned k)
{
    return k == LIMIT_REQUESTS || k == LIMIT_TOKENS;
}

/* Spent in a window of the calendar. */
static bool
is_spent(unsigned k)
{
    return k == LIMIT_QUOTA || k == LIMIT_BUDGET;
}

static enum rx_window
window_of(const struct limit_set *set, unsigned k)
{
    return k == LIMIT_BUDGET ? set->budget_window : set->window;
}

const char *
limit_name(enum limit limit)
{
    return names[limit];
}

const char *
limit_owner_name(enum limit_owner owner)
{
    return owner == LIMIT_TENANT ? "tenant" : "key";
}

struct limits *
limits_new(void)
{
    struct limits *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    for (unsigned o = 0; o < LIMIT_OWNERS; o++)
        l->states[o] = rx_map_new();
    return l;
}

void
limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    for (unsigned o = 0; o < LIMIT_OWNERS; o++)
        rx_map_free(l->states[o], free);
    free(l);
}

/* ---- a share, and what is left of it ----------------------------------- */

/* Without a word from the control plane the whole limit is ours. */
static uint64_t
share_of(const struct limits *l, const struct limit_state *s, unsigned k)
{
    const struct meter *m = &s->meters[k];
    uint64_t most = s->set.most[k];

    if (m->leased) /* which may come before the limit itself */
        return m->share < most || most == 0 ? m->share : most;
    return l->told ? most * l->parts / LIMIT_PARTS : most;
}

static void
pay_off(struct meter *m, uint64_t now_ms)
{
    uint64_t ms = now_ms > m->at_ms ? now_ms - m->at_ms : 0;

    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    int64_t paid = (int64_t)(m->in_force * ms);
    m->debt = m->debt > paid ? m->debt - paid : 0;
    m->at_ms = now_ms;
}

/* What is in the bucket stays; what no longer fits is given up. */
static void
refresh_rate(struct meter *m, uint64_t share, uint64_t now_ms)
{
    pay_off(m, now_ms);
    if (share == m->in_force)
        return;
    int64_t room = (int64_t)share * UNIT;
    int64_t level = (int64_t)m->in_force * UNIT - m->debt;
    if (level > room) {
        m->forfeited += (uint64_t)((level - room) / UNIT);
        level = room;
    }
    m->debt = room - level;
    m->in_force = share;
}

static void
refresh(
    struct limits *l, struct limit_state *s, unsigned k, struct limits_time now)
{
    struct meter *m = &s->meters[k];

    if (is_rate(k)) {
        refresh_rate(m, share_of(l, s, k), now.ms);
    } else if (is_spent(k)) {
        uint64_t start = rx_window_start(window_of(&s->set, k), now.wall_ms);
        if (start != m->window_ms) {
            m->used = 0;
            m->left = s->set.most[k];
        }
        m->window_ms = start;
    }
}

static bool
fits(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = share_of(l, s, k);

    if (is_rate(k))
        return share > 0 && (m->debt == 0 || m->debt + (int64_t)need * UNIT <=
                                                 (int64_t)share * UNIT);
    return m->used <= share && need <= share - m->used;
}

static uint64_t
seconds(uint64_t ms)
{
    return ms > 1000 ? (ms + 999) / 1000 : 1;
}

static uint64_t
rate_retry(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = share_of(l, s, k);
    int64_t over = m->debt + (int64_t)need * UNIT - (int64_t)share * UNIT;

    if (over > m->debt)
        over = m->debt; /* a full bucket will do */
    uint64_t ms =
        share > 0 && over > 0 ? ((uint64_t)over + share - 1) / share : 1;
    if (share < s->set.most[k] && ms > OTHERS_MS)
        ms = OTHERS_MS;
    return seconds(ms);
}

static uint64_t
retry_after(const struct limits *l, const struct limit_state *s, unsigned k,
    uint64_t need, struct limits_time now)
{
    const struct meter *m = &s->meters[k];
    uint64_t share = share_of(l, s, k);

    if (is_rate(k))
        return rate_retry(l, s, k, need);
    if (k == LIMIT_CONCURRENT)
        return 1;
    if (share < s->set.most[k] && m->left >= need)
        return 1; /* another plane has it */
    uint64_t end = rx_window_end(window_of(&s->set, k), now.wall_ms);
    return end == 0 ? 365 * 24 * 3600 : seconds(end - now.wall_ms);
}

static void
ask(struct meter *m, unsigned k, uint64_t need)
{
    uint64_t total = is_rate(k) ? need : m->used + need;

    m->asked[0] +=
        need < LIMIT_MOST - m->asked[0] ? need : LIMIT_MOST - m->asked[0];
    if (total > m->wanted[0])
        m->wanted[0] = total;
}

static bool
refuse(struct limits *l, struct limit_state *s, unsigned k, uint64_t need,
    struct limits_time now, struct limit_refusal *why)
{
    if (share_of(l, s, k) < s->set.most[k] && l->on_short != NULL)
        l->on_short(l->on_short_arg);
    *why = (struct limit_refusal){ s->owner, (enum limit)k, s->set.most[k],
        retry_after(l, s, k, need, now) };
    return false;
}

static void
take(struct limit_state *s, unsigned k, uint64_t n)
{
    struct meter *m = &s->meters[k];

    if (!is_rate(k))
        m->used += n;
    else if (s->set.most[k] > 0 && m->debt < DEBT_MOST)
        m->debt += (int64_t)n * UNIT;
}

static void
give_back(struct meter *m, unsigned k, uint64_t n)
{
    if (is_rate(k))
        m->debt = m->debt > (int64_t)n * UNIT ? m->debt - (int64_t)n * UNIT : 0;
    else
        m->used = m->used > n ? m->used - n : 0;
}

/* ---- a request comes and goes ------------------------------------------ */

/* A limit that is new begins with a full bucket. */
static void
set_limits(struct limits *l, struct limit_state *s, const struct limit_set *set,
    struct limits_time now)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        struct meter *m = &s->meters[k];
        bool fresh = s->set.most[k] == 0 && set->most[k] != 0 && !m->leased;
        s->set.most[k] = set->most[k];
        if (!fresh)
            continue;
        m->in_force = share_of(l, s, k);
        m->debt = 0;
        m->at_ms = now.ms;
        m->left = set->most[k];
    }
    s->set.window = set->window;
    s->set.budget_window = set->budget_window;
}

static struct limit_state *
state_of(struct limits *l, enum limit_owner owner, const struct limit_who *who,
    struct limits_time now)
{
    struct limit_state *s = rx_map_get(l->states[owner], who->id);

    if (s == NULL) {
        s = calloc(1, sizeof(*s) + who->id.len);
        if (s == NULL)
            abort();
        s->owner = owner;
        s->since_ms = now.wall_ms;
        s->id_len = who->id.len;
        memcpy(s->id, who->id.ptr, who->id.len);
        rx_map_put(l->states[owner], who->id, s);
    }
    set_limits(l, s, who->set, now);
    s->used_ms = now.ms;
    return s;
}

/* What is needed at the head: tokens are not known yet, but may be gone. */
static uint64_t
need_at_head(unsigned k)
{
    return k == LIMIT_REQUESTS || k == LIMIT_CONCURRENT ? 1 : 0;
}

static bool
admits(struct limits *l, struct limit_state *s, struct limits_time now,
    struct limit_refusal *why)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        uint64_t need = need_at_head(k);
        if (s->set.most[k] == 0)
            continue;
        refresh(l, s, k, now);
        if (need > 0)
            ask(&s->meters[k], k, need);
        /* Not even one token left: no need to read the body. */
        if (!fits(l, s, k, need > 0 ? need : 1)) {
            ask(&s->meters[k], k, need > 0 ? 0 : 1);
            return refuse(l, s, k, need > 0 ? need : 1, now, why);
        }
    }
    return true;
}

bool
limits_enter(struct limits *l, const struct limit_who who[LIMIT_OWNERS],
    struct limits_time now, struct limits_hold *hold, struct limit_refusal *why)
{
    struct limit_state *of[LIMIT_OWNERS] = { 0 };

    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        if (who[o].set == NULL)
            continue;
        of[o] = state_of(l, (enum limit_owner)o, &who[o], now);
        if (!admits(l, of[o], now, why))
            return false;
    }
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        hold->of[o] = of[o];
        if (of[o] == NULL)
            continue;
        of[o]->holds++;
        for (unsigned k = 0; k < LIMIT_KINDS; k++) {
            hold->window[o][k] = of[o]->meters[k].window_ms;
            take(of[o], k, need_at_head(k));
        }
    }
    return true;
}

/* The quota a hold reserved from may have begun anew since. */
static bool
counts(const struct limits_hold *hold, unsigned o, unsigned k)
{
    return !is_spent(k) ||
           hold->window[o][k] == hold->of[o]->meters[k].window_ms;
}

/* What is reserved for once the body is known. */
static const unsigned reserved[] = { LIMIT_TOKENS, LIMIT_QUOTA, LIMIT_BUDGET };
#define RESERVED RX_COUNT(reserved)

static uint64_t
amount_of(const struct limit_amount *a, unsigned k)
{
    uint64_t n = k == LIMIT_BUDGET ? a->money : a->tokens;

    return n < LIMIT_MOST ? n : LIMIT_MOST;
}

bool
limits_reserve(struct limits *l, struct limits_hold *hold,
    struct limit_amount amount, struct limits_time now,
    struct limit_refusal *why)
{
    for (unsigned i = 0; i < RESERVED * LIMIT_OWNERS; i++) {
        struct limit_state *s = hold->of[i / RESERVED];
        unsigned k = reserved[i % RESERVED];
        uint64_t need = amount_of(&amount, k);
        if (s == NULL || s->set.most[k] == 0)
            continue;
        refresh(l, s, k, now);
        ask(&s->meters[k], k, need);
        if (counts(hold, i / RESERVED, k) && !fits(l, s, k, need))
            return refuse(l, s, k, need, now, why);
    }
    for (unsigned i = 0; i < RESERVED * LIMIT_OWNERS; i++) {
        struct limit_state *s = hold->of[i / RESERVED];
        unsigned k = reserved[i % RESERVED];
        if (s != NULL && counts(hold, i / RESERVED, k))
            take(s, k, amount_of(&amount, k));
    }
    hold->amount = amount;
    return true;
}

static void
leave(struct limits *l, struct limits_hold *hold, unsigned o,
    const struct limit_amount *amount, struct limits_time now)
{
    struct limit_state *s = hold->of[o];

    for (unsigned i = 0; i < RESERVED; i++) {
        unsigned k = reserved[i];
        uint64_t held = amount_of(&hold->amount, k);
        uint64_t spent = amount_of(amount, k);
        refresh(l, s, k, now);
        if (!counts(hold, o, k))
            continue;
        if (spent > held)
            take(s, k, spent - held);
        else
            give_back(&s->meters[k], k, held - spent);
    }
    give_back(&s->meters[LIMIT_CONCURRENT], LIMIT_CONCURRENT, 1);
    s->used_ms = now.ms;
    s->holds--;
}

void
limits_leave(struct limits *l, struct limits_hold *hold,
    struct limit_amount amount, struct limits_time now)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        if (hold->of[o] != NULL)
            leave(l, hold, o, &amount, now);
    }
    *hold = (struct limits_hold){ 0 };
}

void
limits_undo(struct limits *l, struct limits_hold *hold, struct limits_time now)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        if (hold->of[o] == NULL)
            continue;
        refresh(l, hold->of[o], LIMIT_REQUESTS, now);
        give_back(&hold->of[o]->meters[LIMIT_REQUESTS], LIMIT_REQUESTS, 1);
    }
    limits_leave(l, hold, (struct limit_amount){ 0 }, now);
}

/* ---- demand ------------------------------------------------------------ */

static uint64_t
more_of(const uint64_t pair[2])
{
    return pair[0] > pair[1] ? pair[0] : pair[1];
}

/* The share that what was asked for lately amounts to. */
static uint64_t
wanted(const struct meter *m, unsigned k, uint64_t most)
{
    uint64_t want = more_of(m->wanted);
    uint64_t asked = more_of(m->asked);

    if (is_rate(k) && asked * 60 > want)
        want = asked * 60;
    if (is_spent(k) && m->used + asked * 10 > want)
        want = m->used + asked * 10; /* good for ten seconds more */
    return want < most ? want : most;
}

static void
begin_second(struct meter *m, unsigned k)
{
    m->asked[1] = m->asked[0];
    m->asked[0] = 0;
    m->wanted[1] = m->wanted[0];
    m->wanted[0] = is_rate(k) ? 0 : m->used;
}

static void
demand_of(struct limits *l, struct limit_state *s, bool second,
    struct limits_time now,
    void (*each)(void *arg, const struct limit_demand *d), void *arg)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        struct meter *m = &s->meters[k];
        if (s->set.most[k] == 0)
            continue;
        refresh(l, s, k, now);
        struct limit_demand d = {
            .owner = s->owner,
            .id = { s->id, s->id_len },
            .limit = (enum limit)k,
            .share = share_of(l, s, k),
            .used =
                is_rate(k) ? (uint64_t)((m->debt + UNIT - 1) / UNIT) : m->used,
            .wanted = wanted(m, k, s->set.most[k]),
            .since_ms = s->since_ms,
            .window_ms = m->window_ms,
            .forfeited = m->forfeited,
        };
        each(arg, &d);
        if (second)
            begin_second(m, k);
    }
}

void
limits_demand(struct limits *l, bool all, struct limits_time now,
    void (*each)(void *arg, const struct limit_demand *d), void *arg)
{
    bool second = now.ms - l->demand_ms >= SECOND_MS;

    if (second)
        l->demand_ms = now.ms;
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(l->states[o], &at, &id, &value)) {
            struct limit_state *s = value;
            if (all || s->holds > 0 || now.ms - s->used_ms < ACTIVE_MS)
                demand_of(l, s, second, now, each, arg);
        }
    }
}

void
limits_on_short(struct limits *l, void (*fn)(void *arg), void *arg)
{
    l->on_short = fn;
    l->on_short_arg = arg;
}

/* ---- leases ------------------------------------------------------------ */

static void
each_state(struct limits *l,
    void (*fn)(struct limits *l, struct limit_state *s, struct limits_time now),
    struct limits_time now)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(l->states[o], &at, &id, &value))
            fn(l, value, now);
    }
}

static void
begin_state(struct limits *l, struct limit_state *s, struct limits_time now)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        refresh(l, s, k, now); /* under the old share, up to now */
        s->meters[k].named = false;
    }
}

static void
forget_credits(struct limits *l, struct limit_state *s, struct limits_time now)
{
    (void)l;
    (void)now;
    for (unsigned k = 0; k < LIMIT_KINDS; k++)
        s->meters[k].credited = 0;
}

void
limits_lease_begin(
    struct limits *l, bool new_control, uint64_t parts, struct limits_time now)
{
    each_state(l, begin_state, now);
    if (new_control)
        each_state(l, forget_credits, now);
    l->told = true;
    l->parts = parts < LIMIT_PARTS ? parts : LIMIT_PARTS;
}

void
limits_lease_item(
    struct limits *l, const struct limit_lease *item, struct limits_time now)
{
    struct limit_state *s = rx_map_get(l->states[item->owner], item->id);

    if (s == NULL) {
        /* Its limits come with its first request; the share waits here. */
        struct limit_set none = { 0 };
        s = state_of(
            l, item->owner, &(struct limit_who){ item->id, &none }, now);
        s->used_ms = 0;
    }
    struct meter *m = &s->meters[item->limit];
    bool first = s->set.most[item->limit] == 0 && !m->leased;
    m->named = true;
    m->leased = true;
    m->share = item->share < LIMIT_MOST ? item->share : LIMIT_MOST;
    m->left = item->left;
    if (first) {
        m->in_force = m->share;
        m->at_ms = now.ms;
    }
    if (!is_rate(item->limit))
        return;
    refresh(l, s, item->limit, now);
    if (item->credit > m->credited) {
        give_back(m, item->limit, item->credit - m->credited);
        m->credited = item->credit;
    }
}

static void
end_state(struct limits *l, struct limit_state *s, struct limits_time now)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        if (!s->meters[k].named)
            s->meters[k].leased = false;
        refresh(l, s, k, now);
    }
}

void
limits_lease_end(struct limits *l, struct limits_time now)
{
    each_state(l, end_state, now);
}

/* A share that was given to it is not known from elsewhere. */
static bool
is_leased(const struct limit_state *s)
{
    for (unsigned k = 0; k < LIMIT_KINDS; k++) {
        if (s->meters[k].leased)
            return true;
    }
    return false;
}

void
limits_sweep(struct limits *l, uint64_t idle_ms, struct limits_time now)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        struct rx_map *kept = rx_map_new();
        size_t at = 0;
        rx_str id;
        void *value = NULL;
        while (rx_map_next(l->states[o], &at, &id, &value)) {
            struct limit_state *s = value;
            if (s->holds > 0 || is_leased(s) || now.ms - s->used_ms < idle_ms)
                rx_map_put(kept, id, s);
            else
                free(s);
        }
        rx_map_free(l->states[o], NULL);
        l->states[o] = kept;
    }
}

size_t
limits_count(const struct limits *l)
{
    return rx_map_count(l->states[LIMIT_TENANT]) +
           rx_map_count(l->states[LIMIT_KEY]);
}
