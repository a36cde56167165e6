#include "dataplane/choose.h"

#include <stdio.h>

#include "dataplane/availability.h"
#include "dataplane/record.h"
#include "dataplane/session.h"
#include "dataplane/strategy.h"

/* The rule's, or the settings'. */
static enum strategy
strategy_of(const struct route_request *r)
{
    return r->has_strategy ? r->strategy : r->snapshot->settings.strategy;
}

/* What is found out while channels are spread over their keys. */
struct survey {
    struct route_plan *plan;
    const struct route_request *r;
    struct strategy_seat *seats;
    size_t count;
    size_t out;             /* candidates in trouble */
    size_t limits;          /* … because a provider limits them */
    size_t models;          /* … because they do not know the model */
    struct candidate guess; /* the one in trouble that is due soonest and is */
    uint64_t guess_ms;      /* worth trying; 0: none */
    size_t words;           /* bytes written */
};

static bool
is_pin(const struct session_pin *pin, const struct candidate *c)
{
    rx_str key = c->credential != NULL ? c->credential->id : (rx_str){ 0 };

    return pin != NULL && rx_str_eq(pin->channel, c->channel->id) &&
           rx_str_eq(pin->credential, key);
}

/* "; main is rate limited for 34 s" */
static void
say(struct survey *s, const struct candidate *c, const struct availability *a)
{
    struct route_plan *p = s->plan;
    size_t room = sizeof(p->words) - s->words;
    uint64_t left = a->until_ms > s->r->now_ms ? a->until_ms - s->r->now_ms : 0;
    int n;

    if (room < 80 + c->channel->name.len)
        return;
    n = snprintf(p->words + s->words, room, "; " RX_STR_FMT " %s",
        RX_STR_ARG(c->channel->name), availability_words(a));
    s->words += (size_t)n;
    if (left > 0)
        s->words += (size_t)snprintf(p->words + s->words, room - (size_t)n,
            " for %u s", (unsigned)((left + 999) / 1000));
}

static void
count_out(
    struct survey *s, const struct candidate *c, const struct availability *a)
{
    struct route_plan *p = s->plan;

    s->out++;
    s->limits += availability_is_limit(a);
    s->models += a->trouble == TROUBLE_MODEL;
    if (a->until_ms != 0 && (p->until_ms == 0 || a->until_ms < p->until_ms))
        p->until_ms = a->until_ms;
    if (availability_is_guess(a) &&
        (s->guess_ms == 0 || a->until_ms < s->guess_ms)) {
        s->guess = *c;
        s->guess_ms = a->until_ms;
    }
    p->pin_lost = p->pin_lost || is_pin(s->r->pin, c);
    say(s, c, a);
}

/* Strict priorities first, and what needs no translation before what does. */
static int64_t
rank_of(const struct route_request *r, const struct choice *choice)
{
    int64_t rank = choice->dialect != r->dialect;

    if (strategy_of(r) == STRATEGY_PRIORITY)
        rank -= 2 * (int64_t)choice->channel->priority;
    return rank;
}

static void
look_at(struct survey *s, const struct choice *choice,
    const struct credential *credential, size_t keys)
{
    struct candidate c = { .channel = choice->channel,
        .credential = credential,
        .endpoint = &choice->channel->endpoints[choice->dialect],
        .dialect = choice->dialect,
        .model = choice->model };
    struct availability a = availability_of(s->r->standing, &c, s->r->now_ms);

    if (a.reason != ROUTE_OK) {
        count_out(s, &c, &a);
        return;
    }
    s->seats[s->count++] = (struct strategy_seat){ .to = c,
        .rank = rank_of(s->r, choice),
        .weight = (double)choice->channel->weight / (double)keys };
}

static void
look_at_keys(struct survey *s, const struct choice *choice)
{
    const struct channel *c = choice->channel;

    if (c->credential_count == 0)
        look_at(s, choice, NULL, 1);
    for (size_t i = 0; i < c->credential_count; i++)
        look_at(s, choice, &c->credentials[i], c->credential_count);
}

static size_t
count_seats(const struct choice *choices, size_t n)
{
    size_t seats = 0;

    for (size_t i = 0; i < n; i++)
        seats += choices[i].channel->credential_count > 0
                     ? choices[i].channel->credential_count
                     : 1;
    return seats;
}

/* With strict priorities the lower ones need no look when there are enough. */
static void
look_around(struct survey *s, const struct choice *choices, size_t n)
{
    bool tiers = strategy_of(s->r) == STRATEGY_PRIORITY;

    for (size_t i = 0; i < n; i++) {
        bool lower = i > 0 && choices[i].channel->priority !=
                                  choices[i - 1].channel->priority;
        if (tiers && lower && s->count >= RECORD_ATTEMPTS_MAX &&
            s->r->pin == NULL)
            break;
        look_at_keys(s, &choices[i]);
    }
}

/* The conversation's own seat comes first, the others keep their order. */
static void
put_pin_first(struct survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!is_pin(s->r->pin, &s->seats[i].to))
            continue;
        struct strategy_seat own = s->seats[i];
        for (; i > 0; i--)
            s->seats[i] = s->seats[i - 1];
        s->seats[0] = own;
        s->plan->pinned = true;
        return;
    }
}

static bool
nobody(struct survey *s)
{
    struct route_plan *p = s->plan;

    if (s->guess_ms != 0 && !s->r->sober) {
        p->candidates[p->count++] = s->guess;
        p->panic = true;
        return true;
    }
    p->refusal = REFUSE_NO_CHANNEL;
    if (s->limits == s->out)
        p->refusal = REFUSE_LIMITED;
    else if (s->models == s->out)
        p->refusal = REFUSE_NO_MODEL;
    return false;
}

bool
choose(struct route_plan *plan, const struct route_request *r,
    const struct choice *choices, size_t n, struct rx_arena *arena)
{
    struct survey s = { .plan = plan,
        .r = r,
        .seats = rx_arena_make(
            arena, struct strategy_seat, count_seats(choices, n)) };
    struct strategy_round round = { .standing = r->standing,
        .now_ms = r->now_ms,
        .session = r->session != 0 ? r->session : r->dice,
        .dice = r->dice };
    size_t most = ROUTE_CANDIDATES_MAX;

    if (s.seats == NULL) {
        plan->refusal = REFUSE_INTERNAL;
        snprintf(plan->words, sizeof(plan->words), "too many channels");
        return false;
    }
    s.words = (size_t)snprintf(
        plan->words, sizeof(plan->words), "no channel is available now");
    look_around(&s, choices, n);
    if (s.count == 0)
        return nobody(&s);
    if (most > s.count)
        most = s.count;
    strategy_order(strategy_of(r), s.seats, s.count,
        most < RECORD_ATTEMPTS_MAX ? most : RECORD_ATTEMPTS_MAX, &round);
    put_pin_first(&s);
    for (size_t i = 0; i < most; i++)
        plan->candidates[plan->count++] = s.seats[i].to;
    return true;
}
