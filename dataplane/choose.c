#include "dataplane/choose.h"

#include <stdio.h>
#include <stdlib.h>

#include "dataplane/availability.h"
#include "dataplane/record.h"
#include "dataplane/session.h"
#include "dataplane/strategy.h"

#define SEATS_USUAL 128 /* more of them are not on the stack */

/* The rule's, or the settings'. */
static enum strategy
strategy_of(const struct route_request *r)
{
    return r->has_strategy ? r->strategy : r->snapshot->settings.strategy;
}

/* What is found out while the list is walked. */
struct survey {
    struct route_plan *plan;
    const struct route_request *r;
    rx_str model;
    enum strategy strategy;
    struct strategy_seat *seats;
    size_t count;
    size_t out;             /* candidates in trouble */
    size_t limits;          /* … because a provider limits them */
    size_t models;          /* … because they do not know the model */
    struct candidate guess; /* the one in trouble that is due soonest and is */
    uint64_t guess_ms;      /* worth trying; 0: none */
    size_t words;           /* bytes written */
};

static struct candidate
candidate_of(const struct survey *s, const struct place *p)
{
    return (struct candidate){ .channel = p->channel,
        .credential = p->credential,
        .endpoint = &p->channel->endpoints[p->dialect],
        .dialect = p->dialect,
        .model = p->model.ptr != NULL ? p->model : s->model };
}

static bool
is_pin(const struct session_pin *pin, const struct place *p)
{
    rx_str key = p->credential != NULL ? p->credential->id : (rx_str){ 0 };

    return pin != NULL && rx_str_eq(pin->channel, p->channel->id) &&
           rx_str_eq(pin->credential, key);
}

static void
begin_words(struct survey *s)
{
    if (s->words == 0)
        s->words = (size_t)snprintf(s->plan->words, sizeof(s->plan->words),
            s->r->home != NULL
                ? "the account that keeps the earlier response is not available"
                : "no channel is available now");
}

/* "; main is rate limited for 34 s" */
static void
say(struct survey *s, const struct channel *c, const struct availability *a)
{
    struct route_plan *p = s->plan;
    uint64_t left = a->until_ms > s->r->now_ms ? a->until_ms - s->r->now_ms : 0;
    int n;

    begin_words(s);
    size_t room = sizeof(p->words) - s->words;
    if (room < 80 + c->name.len)
        return;
    n = snprintf(p->words + s->words, room, "; " RX_STR_FMT " %s",
        RX_STR_ARG(c->name), availability_words(a));
    s->words += (size_t)n;
    if (left > 0)
        s->words += (size_t)snprintf(p->words + s->words, room - (size_t)n,
            " for %u s", (unsigned)((left + 999) / 1000));
}

static void
count_out(struct survey *s, const struct place *at, const struct candidate *c,
    const struct availability *a)
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
    p->pin_lost = p->pin_lost || is_pin(s->r->pin, at);
    say(s, c->channel, a);
}

/* Strict priorities first, and what needs no translation before what does. */
static int64_t
rank_of(const struct survey *s, const struct place *p)
{
    int64_t rank = p->dialect != s->r->dialect;

    if (s->strategy == STRATEGY_PRIORITY)
        rank -= 2 * (int64_t)p->channel->priority;
    return rank;
}

static void
look_at(struct survey *s, const struct place *p)
{
    if (s->r->home != NULL && !is_pin(s->r->home, p))
        return;
    struct candidate c = candidate_of(s, p);
    struct availability a = availability_of(s->r->standing, &c, s->r->now_ms);

    if (a.reason != ROUTE_OK)
        count_out(s, p, &c, &a);
    else
        s->seats[s->count++] =
            (struct strategy_seat){ .at = p, .rank = rank_of(s, p) };
}

/* With strict priorities the lower ones need no look when there are enough. */
static void
look_around(struct survey *s, const struct shortlist *list)
{
    bool tiers = s->strategy == STRATEGY_PRIORITY && s->r->pin == NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct place *p = &list->places[i];
        if (tiers && i > 0 && s->count >= RECORD_ATTEMPTS_MAX &&
            p->channel->priority != list->places[i - 1].channel->priority)
            break;
        look_at(s, p);
    }
}

/* The conversation's own seat comes first, the others keep their order. */
static void
put_pin_first(struct survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!is_pin(s->r->pin, s->seats[i].at))
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

#define INPUT_USUAL  ((uint64_t)10000) /* where nobody can tell */
#define OUTPUT_USUAL ((uint64_t)1000)

/* Answers are seldom as long as they may be. */
static struct rx_tokens
expected(const struct route_request *r)
{
    uint64_t output =
        r->output > 0 && r->output < OUTPUT_USUAL ? r->output : OUTPUT_USUAL;

    return (struct rx_tokens){
        .in_uncached =
            r->tokens != NULL ? r->tokens(r->tokens_arg) : INPUT_USUAL,
        .out_total = output,
    };
}

static bool
order(struct survey *s)
{
    const struct route_request *r = s->r;
    struct strategy_round round = { .standing = r->standing,
        .now_ms = r->now_ms,
        .session = r->session != 0 ? r->session : r->dice,
        .dice = r->dice };
    size_t most =
        s->count < ROUTE_CANDIDATES_MAX ? s->count : ROUTE_CANDIDATES_MAX;

    if (s->count == 0)
        return nobody(s);
    if (s->strategy == STRATEGY_COST) {
        round.tariff = r->snapshot->settings.tariff;
        round.model = s->model;
        round.expected = expected(r);
    }
    strategy_order(s->strategy, s->seats, s->count, most, &round);
    if (r->pin != NULL)
        put_pin_first(s);
    for (size_t i = 0; i < most; i++)
        s->plan->candidates[s->plan->count++] = candidate_of(s, s->seats[i].at);
    return true;
}

bool
choose(struct route_plan *plan, const struct route_request *r, rx_str model,
    const struct shortlist *list)
{
    RX_UNSET struct strategy_seat usual[SEATS_USUAL];
    struct strategy_seat *many = NULL;
    struct survey s = { .plan = plan,
        .r = r,
        .model = model,
        .strategy = strategy_of(r),
        .seats = usual };

    if (list->count > SEATS_USUAL) {
        many = malloc(list->count * sizeof(*many));
        if (many == NULL)
            abort();
        s.seats = many;
    }
    plan->words[0] = '\0';
    look_around(&s, list);
    bool found = order(&s);
    free(many);
    return found;
}
