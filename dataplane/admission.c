#include "dataplane/admission.h"

#include <inttypes.h>
#include <stdio.h>

#include "dataplane/codec/estimate.h"

#define OUTPUT_TOKENS ((uint64_t)4096)

static const char *const phrases[LIMIT_KINDS] = {
    [LIMIT_REQUESTS] = "requests per minute",
    [LIMIT_TOKENS] = "tokens per minute",
    [LIMIT_CONCURRENT] = "requests at a time",
    [LIMIT_QUOTA] = "tokens",
};

/* Nobody should blame the provider for it. */
static void
word(struct admission *out, const struct limit_refusal *why,
    const struct limit_who *who)
{
    const char *owner = limit_owner_name(why->owner);
    const char *per = why->limit != LIMIT_QUOTA ? ""
                      : who->set->window == RX_WINDOW_TOTAL
                          ? " in all"
                          : rx_window_name(who->set->window);

    out->refusal = why->limit == LIMIT_QUOTA ? REFUSE_QUOTA : REFUSE_LIMIT;
    snprintf(out->words, sizeof(out->words),
        "limited by Routex, not by the provider: this %s may have %" PRIu64
        " %s%s%s; try again in %" PRIu64 " s",
        owner, why->most, phrases[why->limit],
        why->limit == LIMIT_QUOTA && per[0] != ' ' ? " per " : "", per,
        why->retry_s);
    snprintf(out->headers, sizeof(out->headers),
        "retry-after: %" PRIu64 "\r\nx-routex-limit: %s %s\r\n", why->retry_s,
        owner, limit_name(why->limit));
}

static bool
address_allowed(const struct guard *g, rx_str peer)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        if (g->ips[o].count > 0 && !rx_ip_in_list(&g->ips[o], peer))
            return false;
    }
    return true;
}

bool
admission_enter(struct limits *l, const struct client_key *key, rx_str peer,
    struct limits_time now, struct limits_hold *hold, struct admission *why)
{
    const struct guard *g = key->guard;
    struct limit_refusal refused;

    if (!address_allowed(g, peer)) {
        *why = (struct admission){ .refusal = REFUSE_ADDRESS,
            .words = "this API key may not be used from this address" };
        return false;
    }
    if (!g->limited || limits_enter(l, g->who, now, hold, &refused))
        return true;
    word(why, &refused, &g->who[refused.owner]);
    return false;
}

static bool
counts_tokens(const struct guard *g)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        const struct limit_set *set = g->who[o].set;
        if (set != NULL &&
            (set->most[LIMIT_TOKENS] > 0 || set->most[LIMIT_QUOTA] > 0))
            return true;
    }
    return false;
}

bool
admission_reserve(struct limits *l, const struct client_key *key,
    enum dialect dialect, const struct inbound *in, struct limits_time now,
    struct limits_hold *hold, struct admission *why)
{
    struct limit_refusal refused;

    if (!key->guard->limited || !counts_tokens(key->guard))
        return true;
    uint64_t output =
        in->scan.has_max_tokens ? in->scan.max_tokens : OUTPUT_TOKENS;
    if (output > LIMIT_MOST)
        output = LIMIT_MOST;
    uint64_t tokens = estimate_tokens(dialect, in->body) + output;
    if (limits_reserve(l, hold, tokens, now, &refused))
        return true;
    word(why, &refused, &key->guard->who[refused.owner]);
    limits_undo(l, hold, now);
    return false;
}
