#include "dataplane/availability.h"

#include "dataplane/codec/count.h"
#include "dataplane/codec/translate.h"
#include "dataplane/family.h"

/*
 * The endpoint for a request: of the client's dialect if there is one, else the
 * first that can be translated to.
 */
static bool
find_endpoint(const struct channel *c, const struct route_request *r,
    enum dialect *dialect)
{
    *dialect = r->dialect;
    if (c->endpoints[r->dialect].present)
        return true;
    if (r->op != OP_CREATE && r->op != OP_COUNT)
        return false;
    for (int d = 0; d < DIALECT_COUNT; d++) {
        *dialect = (enum dialect)d;
        if (c->endpoints[d].present && translate_can(r->dialect, *dialect) &&
            (r->op == OP_CREATE || count_known(*dialect)))
            return true;
    }
    return false;
}

static bool
is_tagged(const struct channel *c, rx_str tag)
{
    for (size_t i = 0; i < c->tag_count; i++) {
        if (rx_str_eq(c->tags[i], tag))
            return true;
    }
    return tag.len == 0;
}

enum route_reason
availability_of_channel(const struct channel *c, const struct route_request *r,
    const struct route_wanted *w, struct choice *out)
{
    out->channel = c;
    if (w->only != NULL && w->only != c)
        return r->only != NULL ? ROUTE_NOT_TARGET : ROUTE_NOT_FORCED;
    if (!is_tagged(c, r->tag))
        return ROUTE_NOT_TARGET;
    if (!route_key_allows_channel(r->key, c))
        return ROUTE_NOT_ALLOWED;
    if (!route_map_model(c, w->model, &out->model))
        return ROUTE_MODEL;
    if (!find_endpoint(c, r, &out->dialect))
        return ROUTE_DIALECT;
    if (!c->enabled)
        return ROUTE_DISABLED;
    if (c->paused)
        return ROUTE_PAUSED;
    if (c->credential_count == 0 &&
        c->endpoints[out->dialect].auth != AUTH_NONE)
        return ROUTE_NO_CREDENTIAL;
    return ROUTE_OK;
}

static struct availability
troubled(enum trouble trouble, uint64_t until)
{
    return (struct availability){ ROUTE_TROUBLED, trouble,
        until == UINT64_MAX ? 0 : until };
}

/* Of several, the one that lasts longest; "nobody knows" is longest of all. */
static void
take_worse(struct availability *a, const struct trouble_note *n)
{
    if (n == NULL)
        return;
    struct availability b = troubled(n->trouble, n->until_ms);
    bool longer =
        a->until_ms != 0 && (b.until_ms == 0 || b.until_ms > a->until_ms);
    if (a->reason == ROUTE_OK || longer)
        *a = b;
}

/* What was noted about the channel, its key, or models of either. */
static struct availability
look_up(const struct standing *s, const struct candidate *c, uint64_t now)
{
    struct availability a = { ROUTE_OK, 0, 0 };
    rx_str channel = c->channel->id;
    rx_str key = c->credential != NULL ? c->credential->id : (rx_str){ 0 };
    uint64_t mark = c->credential != NULL ? c->credential->mark : 0;
    rx_str family = family_of(c->model);
    const struct subject about[] = {
        { .channel = channel },
        { .channel = channel, .credential = key },
        { .channel = channel, .credential = key, .model = family },
        { .channel = channel, .model = c->model },
    };

    for (size_t i = 0; i < RX_COUNT(about); i++) {
        /* Without a key or a family it would be another's subject. */
        bool empty =
            (i == 2 && family.len == 0) || (i == 3 && c->model.len == 0);
        if (!empty)
            take_worse(&a, standing_find(s, &about[i], mark, now));
    }
    return a;
}

struct availability
availability_of(
    const struct standing *s, const struct candidate *c, uint64_t now)
{
    struct availability a = { ROUTE_OK, 0, 0 };
    rx_str channel = c->channel->id;
    uint64_t until;

    if (s == NULL || standing_is_calm(s))
        return a;
    if (!standing_is_calm_about(s, channel))
        a = look_up(s, c, now);
    if (a.reason != ROUTE_OK)
        return a;
    const struct breaker *b = standing_breaker_of(s, channel);
    if (b != NULL && !breaker_admits(b, now, &until))
        return troubled(TROUBLE_BREAKER, until);
    return a;
}

static bool
is_sooner(const struct availability *a, const struct availability *b)
{
    if (a->reason == ROUTE_OK || b->reason == ROUTE_OK)
        return b->reason != ROUTE_OK;
    return a->until_ms != 0 && (b->until_ms == 0 || a->until_ms < b->until_ms);
}

struct availability
availability_at_all(
    const struct standing *s, const struct channel *c, uint64_t now)
{
    struct candidate to = { .channel = c };
    struct availability best = availability_of(s, &to, now);

    for (size_t i = 0; i < c->credential_count; i++) {
        to.credential = &c->credentials[i];
        struct availability a = availability_of(s, &to, now);
        if (i == 0 || is_sooner(&a, &best))
            best = a;
    }
    return best;
}

const char *
availability_words(const struct availability *a)
{
    return a->reason == ROUTE_TROUBLED ? trouble_words(a->trouble)
                                       : route_reason_words(a->reason);
}

bool
availability_is_limit(const struct availability *a)
{
    return a->reason == ROUTE_TROUBLED &&
           (a->trouble == TROUBLE_THROTTLED ||
               a->trouble == TROUBLE_EXHAUSTED || a->trouble == TROUBLE_BLIND);
}

bool
availability_is_guess(const struct availability *a)
{
    return a->reason == ROUTE_TROUBLED &&
           (a->trouble == TROUBLE_BREAKER || a->trouble == TROUBLE_OVERLOADED ||
               a->trouble == TROUBLE_UNHEALTHY);
}
