/*
 * A request comes and goes: what it takes, reserves and gives back.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/limits_parts.h"

static const char *const names[] = {
#define NAME(id, name) name,
    LIMITS(NAME)
#undef NAME
};

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
        m->in_force = limits_share(l, s, k);
        m->debt = 0;
        m->at_ms = now.ms;
        m->left = set->most[k];
    }
    s->set.window = set->window;
    s->set.budget_window = set->budget_window;
}

struct limit_state *
limits_state(struct limits *l, enum limit_owner owner,
    const struct limit_who *who, struct limits_time now)
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
        limits_refresh(l, s, k, now);
        if (need > 0)
            limits_ask(&s->meters[k], k, need);
        /* Not even one token left: no need to read the body. */
        if (!limits_fits(l, s, k, need > 0 ? need : 1)) {
            limits_ask(&s->meters[k], k, need > 0 ? 0 : 1);
            return limits_refuse(l, s, k, need > 0 ? need : 1, now, why);
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
        of[o] = limits_state(l, (enum limit_owner)o, &who[o], now);
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
            limits_take(of[o], k, need_at_head(k));
        }
    }
    return true;
}

/* The quota a hold reserved from may have begun anew since. */
static bool
counts(const struct limits_hold *hold, unsigned o, unsigned k)
{
    return !limits_is_spent(k) ||
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
        limits_refresh(l, s, k, now);
        limits_ask(&s->meters[k], k, need);
        if (counts(hold, i / RESERVED, k) && !limits_fits(l, s, k, need))
            return limits_refuse(l, s, k, need, now, why);
    }
    for (unsigned i = 0; i < RESERVED * LIMIT_OWNERS; i++) {
        struct limit_state *s = hold->of[i / RESERVED];
        unsigned k = reserved[i % RESERVED];
        if (s != NULL && counts(hold, i / RESERVED, k))
            limits_take(s, k, amount_of(&amount, k));
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
        limits_refresh(l, s, k, now);
        if (!counts(hold, o, k))
            continue;
        if (spent > held)
            limits_take(s, k, spent - held);
        else
            limits_give_back(&s->meters[k], k, held - spent);
    }
    limits_give_back(&s->meters[LIMIT_CONCURRENT], LIMIT_CONCURRENT, 1);
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
        limits_refresh(l, hold->of[o], LIMIT_REQUESTS, now);
        limits_give_back(
            &hold->of[o]->meters[LIMIT_REQUESTS], LIMIT_REQUESTS, 1);
    }
    limits_leave(l, hold, (struct limit_amount){ 0 }, now);
}

/* ---- what is idle ------------------------------------------------------ */

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
