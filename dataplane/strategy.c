#include "dataplane/strategy.h"

#include <math.h>
#include <string.h>

#define NEVER     1e300 /* only when nothing else is left */
#define WINDOW_MS (UINT64_C(5) * 3600 * 1000)

static uint64_t
mix(uint64_t z)
{
    /* The finaliser of SplitMix64 (Steele, Lea, Flood). */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t
strategy_hash(rx_str text, uint64_t seed)
{
    /* FNV-1a, then mixed: names differ in few bits. */
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
    return mix(h);
}

/*
 * Each seat draws an exponential of its weight's rate from the hash; the least
 * wins.  That a seat wins has then exactly its share of the weights as
 * probability, and does not depend on who else is there but for losing to them.
 * Among equal weights the logarithm changes nothing in the order.
 */
static double
draw(const struct place *p, uint64_t session, bool alike)
{
    uint64_t h = mix(p->hash ^ session);
    double u = ((double)(h >> 11) + 0.5) * 0x1p-53;

    if (p->weight <= 0)
        return NEVER * u;
    return alike ? -u : -log(u) / p->weight;
}

static bool
are_alike(const struct strategy_seat *seats, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (seats[i].at->weight != seats[0].at->weight)
            return false;
    }
    return true;
}

/* ---- the strategies --------------------------------------------------------- */

static double
score_priority(const struct strategy_seat *s, const struct strategy_round *r)
{
    (void)s;
    (void)r;
    return 0; /* their rank says it */
}

static double
score_weighted(const struct strategy_seat *s, const struct strategy_round *r)
{
    (void)r;
    if (s->at->weight <= 0)
        return NEVER;
    return s->seat != NULL ? -(double)s->seat->smooth : 0;
}

static double
score_round_robin(const struct strategy_seat *s, const struct strategy_round *r)
{
    (void)r;
    return s->seat != NULL ? (double)s->seat->turn : 0;
}

static double
score_least_used(const struct strategy_seat *s, const struct strategy_round *r)
{
    if (s->seat == NULL)
        return 0;
    return s->seat->in_flight * 1e6 + seat_recent(s->seat, r->now_ms);
}

/* What the next one may expect there: those under way are in front of it. */
static double
score_latency(const struct strategy_seat *s, const struct strategy_round *r)
{
    if (s->seat == NULL)
        return 0;
    double ms = seat_ttft(s->seat, r->now_ms);
    return (ms > 1 ? ms : 1) * (s->seat->in_flight + 1);
}

/*
 * How fast a window would have to be used to be used up when it ends: high for
 * much left, and for little time left, since what is left then is lost.
 */
static double
score_headroom(const struct strategy_seat *s, const struct strategy_round *r)
{
    double used = 0;
    uint64_t left_ms = WINDOW_MS;

    if (s->seat != NULL && s->seat->reset_ms > r->now_ms) {
        used = s->seat->used;
        left_ms = s->seat->reset_ms - r->now_ms;
    }
    if (used >= 1)
        return NEVER;
    return -(1 - (used > 0 ? used : 0)) /
           (double)(left_ms > 60000 ? left_ms : 60000);
}

static uint64_t
drain_end(const struct seat *s)
{
    return s->reset_ms > s->since_ms ? s->reset_ms : s->since_ms + WINDOW_MS;
}

/* The account that was begun last goes on until its window ends. */
static double
score_drain(const struct strategy_seat *s, const struct strategy_round *r)
{
    if (s->seat == NULL || s->seat->since_ms == 0 ||
        drain_end(s->seat) <= r->now_ms)
        return 1 - (double)s->at->channel->priority * 1e-10;
    return -(double)s->seat->since_ms;
}

/* Where no price is known: last, among themselves by hash. */
static double
score_cost(const struct strategy_seat *s, const struct strategy_round *r)
{
    rx_str model = s->at->model.ptr != NULL ? s->at->model : r->model;
    int64_t pico;

    return tariff_cost(r->tariff, s->at->channel, model, &r->expected, &pico)
               ? (double)pico
               : NEVER;
}

/* ---- what a choice changes ---------------------------------------------------- */

#define SMOOTH 1000 /* units of a weight of one */

static void
begin_weighted(struct strategy_seat *seats, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (seats[i].seat != NULL)
            seats[i].seat->smooth += (int64_t)(seats[i].at->weight * SMOOTH);
    }
}

static void
chose_weighted(
    struct strategy_seat *seats, size_t n, const struct strategy_round *r)
{
    double total = 0;

    (void)r;
    for (size_t i = 0; i < n; i++)
        total += seats[i].at->weight;
    if (seats[0].seat != NULL)
        seats[0].seat->smooth -= (int64_t)(total * SMOOTH);
}

static void
chose_round_robin(
    struct strategy_seat *seats, size_t n, const struct strategy_round *r)
{
    (void)n;
    if (seats[0].seat != NULL)
        seats[0].seat->turn = standing_turn(r->standing);
}

/* Power of two choices: the better of two drawn at random goes first, so that
 * planes and requests do not all run to the one that was fastest just now. */
static void
begin_latency(
    struct strategy_seat *seats, size_t n, const struct strategy_round *r)
{
    if (n < 3)
        return;
    size_t a = (size_t)(mix(r->dice) % n);
    size_t b = (size_t)(mix(r->dice + 1) % (n - 1));
    b += b >= a;
    for (size_t i = 0; i < n; i++) {
        if (i != a && i != b)
            seats[i].score += 1e12;
    }
}

static void
chose_drain(
    struct strategy_seat *seats, size_t n, const struct strategy_round *r)
{
    struct seat *seat = seats[0].seat;

    (void)n;
    if (seat != NULL && (seat->since_ms == 0 || drain_end(seat) <= r->now_ms))
        seat->since_ms = r->now_ms > 0 ? r->now_ms : 1;
}

static const struct {
    const char *name;
    double (*score)(
        const struct strategy_seat *s, const struct strategy_round *r);
    void (*chose)(
        struct strategy_seat *seats, size_t n, const struct strategy_round *r);
} strategies[] = {
    [STRATEGY_PRIORITY] = { "priority", score_priority, NULL },
    [STRATEGY_WEIGHTED] = { "weighted", score_weighted, chose_weighted },
    [STRATEGY_ROUND_ROBIN] = { "round_robin", score_round_robin,
        chose_round_robin },
    [STRATEGY_LEAST_USED] = { "least_used", score_least_used, NULL },
    [STRATEGY_LATENCY] = { "latency", score_latency, NULL },
    [STRATEGY_COST] = { "cost", score_cost, NULL },
    [STRATEGY_HEADROOM] = { "headroom", score_headroom, NULL },
    [STRATEGY_DRAIN] = { "drain", score_drain, chose_drain },
};

bool
strategy_find(rx_str name, enum strategy *out)
{
    for (size_t i = 0; i < RX_COUNT(strategies); i++) {
        const char *have = strategies[i].name;
        if (rx_str_eq(name, (rx_str){ have, strlen(have) })) {
            *out = (enum strategy)i;
            return true;
        }
    }
    return false;
}

static bool
is_before(const struct strategy_seat *a, const struct strategy_seat *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->score != b->score ? a->score < b->score : a->tie < b->tie;
}

static void
take_seats(enum strategy strategy, struct strategy_seat *seats, size_t n,
    const struct strategy_round *r)
{
    bool alike = are_alike(seats, n);

    for (size_t i = 0; i < n; i++) {
        const struct place *p = seats[i].at;
        if (strategy != STRATEGY_PRIORITY && r->standing != NULL)
            seats[i].seat = standing_seat(r->standing, p->channel->id,
                p->credential != NULL ? p->credential->id : (rx_str){ 0 });
    }
    if (strategy == STRATEGY_WEIGHTED)
        begin_weighted(seats, n);
    for (size_t i = 0; i < n; i++) {
        seats[i].score = strategies[strategy].score(&seats[i], r);
        seats[i].tie = draw(seats[i].at, r->session, alike);
    }
    if (strategy == STRATEGY_LATENCY)
        begin_latency(seats, n, r);
}

/* Seats [0, sorted) are in order; put seat `i` among them. */
static void
insert(struct strategy_seat *seats, size_t sorted, size_t i)
{
    struct strategy_seat own = seats[i];

    for (; sorted > 0 && is_before(&own, &seats[sorted - 1]); sorted--)
        seats[sorted] = seats[sorted - 1];
    seats[sorted] = own;
}

/* Most seats are compared once, with the last of those in front. */
static void
put_best_first(struct strategy_seat *seats, size_t n, size_t most)
{
    for (size_t i = 1; i < most; i++)
        insert(seats, i, i);
    for (size_t i = most; i < n; i++) {
        if (!is_before(&seats[i], &seats[most - 1]))
            continue;
        struct strategy_seat own = seats[i];
        seats[i] = seats[most - 1];
        seats[most - 1] = own;
        insert(seats, most - 1, most - 1);
    }
}

void
strategy_order(enum strategy strategy, struct strategy_seat *seats, size_t n,
    size_t most, const struct strategy_round *r)
{
    if (n == 0 || most == 0)
        return;
    take_seats(strategy, seats, n, r);
    put_best_first(seats, n, most < n ? most : n);
    if (strategies[strategy].chose != NULL && r->standing != NULL)
        strategies[strategy].chose(seats, n, r);
}
