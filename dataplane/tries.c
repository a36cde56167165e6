#include "dataplane/tries.h"

#include <stdlib.h>

#include "dataplane/availability.h"
#include "shared/log.h"

#define CACHE_MIN    UINT64_C(2048) /* smaller prompts are not cached anywhere */
#define COME_BACK_MS 250            /* not all at the very moment */
#define KEPT_MS      (UINT64_C(24) * 3600 * 1000)

/* A number below `most`, all alike. */
static uint64_t
up_to(uint64_t most, uint64_t dice)
{
    return most > 0 ? dice % most : 0;
}

bool
tries_plan(struct tries *t, uint64_t now)
{
    struct route_request *route = &t->request->route;
    bool sticky = session_known(&t->session) && t->settings->session_ttl_ms > 0;

    route->now_ms = now;
    route->standing = t->standing;
    route->session = sticky ? session_hash(&t->session) : 0;
    route->pin = sticky && route->forced.len == 0
                     ? sessions_find(t->sessions, &t->session, now)
                     : NULL;
    route->home = session_known(&t->kept)
                      ? sessions_find(t->sessions, &t->kept, now)
                      : NULL;
    t->next = 0;
    if (t->decision == NULL)
        t->decision = rx_arena_make(t->arena, struct decision, 1);
    if (t->decision == NULL)
        abort(); /* one decision of a bounded request always fits */
    bool found = decide(t->decision, t->request, t->arena);
    t->plan = &t->decision->plan;
    if (t->plan->pin_lost)
        sessions_drop(t->sessions, &t->session);
    route->home = NULL;
    route->pin = NULL; /* the table may change from now on */
    if (found && t->plan->panic)
        rx_warn("route.panic", "channel=" RX_STR_FMT,
            RX_STR_ARG(t->plan->candidates[0].channel->name));
    return found;
}

static bool
fits(const struct tries *t, uint64_t ms)
{
    return t->waited_ms + ms <= t->settings->max_wait_ms;
}

static bool
pause_until(struct tries *t, uint64_t until, uint64_t now, uint64_t dice)
{
    uint64_t ms = until > now ? until - now : 1;

    if (!fits(t, ms))
        return false;
    ms += up_to(COME_BACK_MS, dice);
    t->pause_ms = ms;
    t->waited_ms += ms;
    return true;
}

bool
tries_wait(struct tries *t, uint64_t now, uint64_t dice)
{
    return t->plan->until_ms != 0 &&
           pause_until(t, t->plan->until_ms, now, dice);
}

static bool
is_barred(const struct tries *t, const struct channel *c)
{
    for (size_t i = 0; i < t->barred_count; i++) {
        if (t->barred[i] == c)
            return true;
    }
    return false;
}

static void
bar(struct tries *t, const struct channel *c)
{
    if (t->barred_count < RX_COUNT(t->barred))
        t->barred[t->barred_count++] = c;
}

/* The plan is as old as the request: others may have learnt since. */
static bool
is_fit(const struct tries *t, const struct candidate *c, uint64_t now)
{
    return !is_barred(t, c->channel) &&
           (t->plan->panic ||
               availability_of(t->standing, c, now).reason == ROUTE_OK);
}

static const struct candidate *
peek(struct tries *t, uint64_t now)
{
    while (t->next < t->plan->count &&
           !is_fit(t, &t->plan->candidates[t->next], now))
        t->next++;
    return t->next < t->plan->count ? &t->plan->candidates[t->next] : NULL;
}

const struct candidate *
tries_begin(struct tries *t, uint64_t now)
{
    if (!t->again) {
        const struct candidate *to = peek(t, now);
        if (to == NULL)
            return NULL;
        t->next++;
        t->in_place = 0;
        t->to = to;
    }
    t->again = false;
    t->count++;
    t->lesson = (struct lesson){
        .standing = t->standing, .settings = t->settings, .to = t->to
    };
    learn_begin(&t->lesson, now);
    return t->to;
}

void
tries_replace(struct tries *t, const struct candidate *to)
{
    t->to = to;
    t->lesson.to = to;
}

void
tries_repeat(struct tries *t)
{
    t->again = true;
}

/* Is there no other channel in the plan? */
static bool
is_alone(const struct tries *t)
{
    for (size_t i = 0; i < t->plan->count; i++) {
        if (t->plan->candidates[i].channel != t->to->channel)
            return false;
    }
    return true;
}

/* The same once more, after a pause of some length. */
static bool
wait_in_place(struct tries *t, const struct disposition_row *row, uint64_t dice)
{
    uint64_t ms =
        row->wait_min_ms + up_to(row->wait_max_ms - row->wait_min_ms, dice);

    if (!is_alone(t) || t->in_place >= row->in_place || !fits(t, ms))
        return false;
    t->in_place++;
    t->again = true;
    t->pause_ms = ms;
    t->waited_ms += ms;
    return true;
}

/* Whoever of the plan comes back first, if a provider said when. */
static bool
wait_for_first(struct tries *t, uint64_t now, uint64_t dice)
{
    const struct candidate *first = NULL;
    uint64_t until = UINT64_MAX;

    for (size_t i = 0; i < t->plan->count; i++) {
        const struct candidate *c = &t->plan->candidates[i];
        struct availability a = availability_of(t->standing, c, now);
        if (is_barred(t, c->channel) || !availability_is_limit(&a) ||
            a.until_ms == 0 || a.until_ms >= until)
            continue;
        first = c;
        until = a.until_ms;
    }
    if (first == NULL || !pause_until(t, until, now, dice))
        return false;
    t->to = first;
    t->again = true;
    return true;
}

enum exchange_next
tries_failed(struct tries *t, enum disposition d, const struct outcome *o,
    uint64_t now, uint64_t dice)
{
    const struct disposition_row *row = disposition_row(d);

    learn_bad(&t->lesson, d, o, now, dice);
    if (d == DISPOSITION_SILENT || (!row->another_key && !is_alone(t)))
        bar(t, t->to->channel);
    if (!row->another || t->count >= t->settings->max_attempts ||
        t->count >= RECORD_ATTEMPTS_MAX)
        return EXCHANGE_GIVE_UP;
    if (row->another_key || !is_alone(t)) {
        if (peek(t, now) != NULL)
            return EXCHANGE_TRY_NEXT;
    }
    if (wait_in_place(t, row, dice) || wait_for_first(t, now, dice))
        return EXCHANGE_WAIT;
    return EXCHANGE_GIVE_UP;
}

/*
 * Does the conversation sit where this request goes?  What a rule, a sub-agent's
 * tag or the client itself sent elsewhere says nothing about the rest of it.
 */
static bool
is_sticky(const struct tries *t)
{
    const struct decision *d = t->decision;

    return session_known(&t->session) && t->settings->session_ttl_ms > 0 &&
           d->rule == NULL && !d->direct && !d->by_agent;
}

bool
tries_pin(struct tries *t, uint64_t now)
{
    const struct credential *key = t->to->credential;
    const struct session_pin *pin;

    if (!is_sticky(t))
        return false;
    pin = sessions_find(t->sessions, &t->session, now);
    rx_str id = key != NULL ? key->id : (rx_str){ 0 };
    bool here = pin == NULL || (rx_str_eq(pin->channel, t->to->channel->id) &&
                                   rx_str_eq(pin->credential, id));
    if (here)
        sessions_pin(t->sessions, &t->session, t->to->channel->id, id, now,
            t->settings->session_ttl_ms);
    return here;
}

void
tries_kept(struct tries *t, const struct session_key *answer, uint64_t now)
{
    const struct credential *key = t->to->credential;

    sessions_pin(t->sessions, answer, t->to->channel->id,
        key != NULL ? key->id : (rx_str){ 0 }, now, KEPT_MS);
}

static void
note_cache(struct tries *t, const struct usage *u)
{
    static const enum usage_counter input[] = { USAGE_in_uncached,
        USAGE_cache_read, USAGE_cache_write_5m, USAGE_cache_write_1h,
        USAGE_cache_write_other };
    uint64_t total = 0;

    if (u->provenance != PROVENANCE_REPORTED ||
        (u->has >> USAGE_cache_read & 1) == 0 || !is_sticky(t))
        return;
    for (size_t i = 0; i < RX_COUNT(input); i++)
        total += (u->has >> input[i] & 1) != 0 ? u->n[input[i]] : 0;
    if (total >= CACHE_MIN)
        sessions_note_cache(t->sessions, &t->session, u->n[USAGE_cache_read]);
}

void
tries_done(struct tries *t, enum disposition d,
    const struct limit_facts *limits, uint64_t first_content_ms,
    const struct usage *usage, uint64_t now, uint64_t dice)
{
    static const struct outcome nothing;
    double ttft = first_content_ms > t->lesson.start_ms
                      ? (double)(first_content_ms - t->lesson.start_ms)
                      : 0.5;

    if (d != DISPOSITION_GOOD) {
        learn_bad(&t->lesson, d, &nothing, now, dice);
        return;
    }
    learn_good(&t->lesson, limits, first_content_ms != 0 ? ttft : 0, now, dice);
    note_cache(t, usage);
}

void
tries_cancel(struct tries *t)
{
    if (t->lesson.seat != NULL || t->lesson.probe)
        learn_nothing(&t->lesson);
}
