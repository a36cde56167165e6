/*
 * OAuth tokens change while requests are under way.
 *
 * A request keeps the snapshot it began with, and with it its tokens.  Before
 * each attempt the token is looked up in the snapshot in force, so that a pause
 * does not make it stale; and where a provider refuses one, the control plane
 * is told, and the request waits a moment, once, for the fresh one.
 */
#include <stdlib.h>

#include "dataplane/request_parts.h"
#include "shared/log.h"

#define WAIT_MS 2000

/* The token in force now, where it is another than the candidate's. */
static const struct credential *
find_fresh(const struct request *q, const struct candidate *to)
{
    const struct snapshot *s = follow_snapshot(q->proxy->follow);
    const struct credential *old = to->credential;

    if (old == NULL || !old->oauth || s == NULL || s == q->snapshot)
        return NULL;
    const struct credential *k =
        snapshot_find_credential(s, to->channel->id, old->id);
    return k != NULL && k->mark != old->mark ? k : NULL;
}

/* As long as the request lives, which the snapshot it is in may not. */
static const struct credential *
keep(struct request *q, const struct credential *k)
{
    struct credential *copy = rx_arena_make(q->arena, struct credential, 1);
    struct rx_header *headers =
        rx_arena_make(q->arena, struct rx_header, k->header_count);

    if (copy == NULL || headers == NULL)
        abort(); /* a few tokens of a bounded request always fit */
    for (size_t i = 0; i < k->header_count; i++) {
        headers[i].name = rx_arena_copy(q->arena, k->headers[i].name);
        headers[i].value = rx_arena_copy(q->arena, k->headers[i].value);
    }
    *copy = *k;
    copy->id = rx_arena_copy(q->arena, k->id);
    copy->secret = rx_arena_copy(q->arena, k->secret);
    copy->headers = headers;
    return copy;
}

const struct candidate *
request_token_freshen(struct request *q, const struct candidate *to)
{
    const struct credential *fresh = find_fresh(q, to);

    if (fresh == NULL)
        return to;
    struct candidate better = *to;
    better.credential = keep(q, fresh);
    /* What was repaired goes with whom it was repaired for. */
    if (q->repairing == to)
        q->repairing = &q->renewed_to;
    else if (q->repairing == &q->renewed_to)
        q->repairing = NULL;
    q->renewed_to = better;
    tries_replace(&q->tries, &q->renewed_to);
    return &q->renewed_to;
}

/* ---- a token was refused ------------------------------------------------- */

static bool
is_token_refused(const struct request *q, const struct outcome *o)
{
    const struct credential *k = q->refused.credential;

    return k != NULL && k->oauth && o->status == 401;
}

void
request_token_news(struct request *q, struct outcome *o)
{
    q->refused = *q->tries.to;
    if (q->repairing == q->tries.to)
        q->repairing = &q->refused;
    if (!is_token_refused(q, o))
        return;
    if (find_fresh(q, &q->refused) != NULL) {
        o->token = TOKEN_REPLACED;
        return;
    }
    o->token_ms = refused_tokens_note(q->proxy->refused, &q->refused);
    if (o->token_ms != 0)
        o->token = TOKEN_RENEWABLE;
}

/* Ask the same again, under the token that is in force now. */
static bool
try_fresh(struct request *q)
{
    if (find_fresh(q, &q->refused) == NULL)
        return false;
    rx_info("request.renewed", "req=" RX_STR_FMT " channel=" RX_STR_FMT,
        RX_STR_ARG(q->record.request_id), RX_STR_ARG(q->refused.channel->name));
    tries_replace(&q->tries, &q->refused);
    tries_repeat(&q->tries);
    return true;
}

static uint64_t
patience(const struct tries *t)
{
    uint64_t most = t->settings->max_wait_ms;
    uint64_t left = most > t->waited_ms ? most - t->waited_ms : 0;

    return left < WAIT_MS ? left : WAIT_MS;
}

enum exchange_next
request_token_next(
    struct request *q, const struct outcome *o, enum exchange_next next)
{
    if (!is_token_refused(q, o) || q->renewed ||
        q->record.attempt_count == RECORD_ATTEMPTS_MAX)
        return next;
    q->renewed = true;
    if (try_fresh(q))
        return EXCHANGE_TRY_NEXT;
    uint64_t ms = patience(&q->tries);
    if (ms == 0 || !follow_connected(q->proxy->follow))
        return next;
    q->gave_up = next == EXCHANGE_GIVE_UP;
    if (next != EXCHANGE_WAIT) {
        q->tries.pause_ms = ms;
        q->tries.waited_ms += ms;
    }
    request_token_await(q);
    return EXCHANGE_WAIT;
}

bool
request_token_resume(struct request *q)
{
    bool waited = q->renewed && rx_link_in(&q->waiting);

    request_token_forget(q);
    if (waited && try_fresh(q))
        q->gave_up = false;
    return !q->gave_up;
}

/* ---- waiting ------------------------------------------------------------- */

void
request_token_await(struct request *q)
{
    if (!rx_link_in(&q->waiting))
        rx_list_append(&q->proxy->waiting, &q->waiting);
}

void
request_token_forget(struct request *q)
{
    if (rx_link_in(&q->waiting))
        rx_list_remove(&q->proxy->waiting, &q->waiting);
}

/* It need not wait any longer: what is left of the pause is not spent. */
static void
wake(struct request *q)
{
    uint64_t now = rx_loop_ms(q->proxy->loop);

    if (q->pause.loop != NULL) {
        uint64_t left = q->pause.due_ms > now ? q->pause.due_ms - now : 0;
        uint64_t *waited = &q->tries.waited_ms;
        *waited -= left < *waited ? left : *waited;
        rx_timer_unset(&q->pause);
    }
    request_note(q, EXCHANGE_DUE);
}

/* Has it been waiting for this?  One that was never sent plans anew. */
static bool
is_served(const struct request *q)
{
    return q->tries.count == 0 || find_fresh(q, &q->refused) != NULL;
}

void
request_wake_waiting(struct proxy *p)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &p->waiting) {
        struct request *q = RX_LIST_ITEM(l, struct request, waiting);
        if (is_served(q))
            wake(q);
    }
}
