#include "dataplane/choose.h"

#include <stdio.h>

#include "dataplane/availability.h"
#include "dataplane/record.h"
#include "dataplane/session.h"
#include "dataplane/strategy.h"

enum strategy
choose_strategy(const struct route_request *r)
{
    return r->has_strategy ? r->strategy : r->snapshot->settings.strategy;
}

/* What is found out on the way; of those in trouble only once nobody is left. */
struct survey {
    struct route_plan *plan;
    const struct route_request *r;
    rx_str model;
    const struct shortlist *list;
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

static bool
is_free(void *arg, const struct place *p)
{
    const struct survey *s = arg;
    struct candidate c = candidate_of(s, p);

    return availability_of(s->r->standing, &c, s->r->now_ms).reason == ROUTE_OK;
}

static void
look_at(struct survey *s, const struct place *p)
{
    struct candidate c = candidate_of(s, p);
    struct availability a = availability_of(s->r->standing, &c, s->r->now_ms);

    count_out(s, p, &c, &a);
}

/* Nobody is free: why, and until when? */
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
struct rx_tokens
choose_expected(const struct route_request *r)
{
    uint64_t output =
        r->output > 0 && r->output < OUTPUT_USUAL ? r->output : OUTPUT_USUAL;

    return (struct rx_tokens){
        .in_uncached =
            r->tokens != NULL ? r->tokens(r->tokens_arg) : INPUT_USUAL,
        .out_total = output,
    };
}

static void
add(struct survey *s, const struct place *p)
{
    s->plan->candidates[s->plan->count++] = candidate_of(s, p);
}

/* Who keeps what is referred to, or nobody. */
static bool
go_home(struct survey *s)
{
    const struct session_pin *home = s->r->home;
    const struct place *p =
        shortlist_place(s->list, home->channel, home->credential);

    if (p != NULL && is_free(s, p)) {
        add(s, p);
        s->plan->pinned = is_pin(s->r->pin, p);
        return true;
    }
    if (p != NULL)
        look_at(s, p);
    return nobody(s);
}

/* The conversation's own seat; NULL when it has none here, or has lost it. */
static const struct place *
seat_of(struct survey *s)
{
    const struct session_pin *pin = s->r->pin;

    if (pin == NULL)
        return NULL;
    const struct place *p =
        shortlist_place(s->list, pin->channel, pin->credential);
    if (p == NULL || is_free(s, p))
        return p;
    s->plan->pin_lost = true;
    return NULL;
}

/* The conversation's own seat comes first, the others keep their order. */
static void
add_all(struct survey *s, const struct place *own,
    const struct place *const *others, size_t n)
{
    s->plan->pinned = own != NULL;
    if (own != NULL)
        add(s, own);
    for (size_t i = 0; i < n && s->plan->count < ROUTE_CANDIDATES_MAX; i++) {
        if (others[i] != own)
            add(s, others[i]);
    }
}

bool
choose(struct route_plan *plan, const struct route_request *r, rx_str model,
    const struct shortlist *list)
{
    struct survey s = { .plan = plan, .r = r, .model = model, .list = list };
    enum strategy strategy = choose_strategy(r);
    bool calm = r->standing == NULL || standing_is_calm(r->standing);
    struct strategy_round round = { .standing = r->standing,
        .now_ms = r->now_ms,
        .session = r->session,
        .dice = r->dice,
        .is_free = calm ? NULL : is_free,
        .arg = &s };
    const struct place *picked[ROUTE_CANDIDATES_MAX];
    struct rx_tokens tokens;

    plan->words[0] = '\0';
    if (r->home != NULL)
        return go_home(&s);
    if (strategy == STRATEGY_COST) {
        tokens = choose_expected(r);
        round.expected = &tokens;
    }
    size_t n =
        strategy_pick(strategy, list, &round, picked, ROUTE_CANDIDATES_MAX);
    const struct place *own = seat_of(&s);
    if (n > 0) {
        add_all(&s, own, picked, n);
        return true;
    }
    for (size_t i = 0; i < list->count; i++)
        look_at(&s, &list->places[i]);
    return nobody(&s);
}
