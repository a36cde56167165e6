#include "dataplane/admission.h"

#include <inttypes.h>
#include <stdio.h>

#include "dataplane/codec/estimate.h"
#include "dataplane/tariff.h"
#include "shared/money.h"

#define OUTPUT_TOKENS ((uint64_t)4096)

static const char *const phrases[LIMIT_KINDS] = {
    [LIMIT_REQUESTS] = "requests per minute",
    [LIMIT_TOKENS] = "tokens per minute",
    [LIMIT_CONCURRENT] = "requests at a time",
    [LIMIT_QUOTA] = "tokens",
    [LIMIT_BUDGET] = "dollars",
};

/* "50", and of dollars "12.5" */
static void
write_most(char out[RX_DECIMAL_SIZE], const struct limit_refusal *why)
{
    rx_decimal_format(
        (int64_t)why->most, why->limit == LIMIT_BUDGET ? 6 : 0, out);
}

/* " per month", " in all" */
static void
write_window(
    char out[24], const struct limit_refusal *why, const struct limit_set *set)
{
    bool spent = why->limit == LIMIT_QUOTA || why->limit == LIMIT_BUDGET;
    enum rx_window w =
        why->limit == LIMIT_BUDGET ? set->budget_window : set->window;

    out[0] = '\0';
    if (spent && w == RX_WINDOW_TOTAL)
        snprintf(out, 24, " in all");
    else if (spent)
        snprintf(out, 24, " per %s", rx_window_name(w));
}

/* Nobody should blame the provider for it. */
static void
word(struct admission *out, const struct limit_refusal *why,
    const struct limit_who *who)
{
    const char *owner = limit_owner_name(why->owner);
    bool spent = why->limit == LIMIT_QUOTA || why->limit == LIMIT_BUDGET;
    char most[RX_DECIMAL_SIZE], per[24];

    write_most(most, why);
    write_window(per, why, who->set);
    out->refusal = spent ? REFUSE_QUOTA : REFUSE_LIMIT;
    snprintf(out->words, sizeof(out->words),
        "limited by Routex, not by the provider: this %s may have %s %s%s; "
        "try again in %" PRIu64 " s",
        owner, most, phrases[why->limit], per, why->retry_s);
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
admission_limits(struct limits *l, const struct client_key *key,
    struct limits_time now, struct limits_hold *hold, struct admission *why)
{
    const struct guard *g = key->guard;
    struct limit_refusal refused;

    if (!g->limited || limits_enter(l, g->who, now, hold, &refused))
        return true;
    word(why, &refused, &g->who[refused.owner]);
    return false;
}

bool
admission_enter(struct limits *l, const struct client_key *key, rx_str peer,
    struct limits_time now, struct limits_hold *hold, struct admission *why)
{
    const struct guard *g = key->guard;

    if (!address_allowed(g, peer)) {
        *why = (struct admission){ .refusal = REFUSE_ADDRESS,
            .words = "this API key may not be used from this address" };
        return false;
    }
    return admission_limits(l, key, now, hold, why);
}

static bool
counts(const struct guard *g, enum limit k)
{
    for (unsigned o = 0; o < LIMIT_OWNERS; o++) {
        if (g->who[o].set != NULL && g->who[o].set->most[k] > 0)
            return true;
    }
    return false;
}

bool
admission_reserve(struct limits *l, const struct client_key *key,
    const struct snapshot *snapshot, enum dialect dialect,
    const struct inbound *in, struct limits_time now, struct limits_hold *hold,
    struct admission *why)
{
    const struct guard *g = key->guard;
    struct limit_refusal refused;

    if (!g->limited || (!counts(g, LIMIT_TOKENS) && !counts(g, LIMIT_QUOTA) &&
                           !counts(g, LIMIT_BUDGET)))
        return true;
    uint64_t output =
        in->scan.has_max_tokens ? in->scan.max_tokens : OUTPUT_TOKENS;
    if (output > LIMIT_MOST)
        output = LIMIT_MOST;
    uint64_t input = estimate_tokens(dialect, in->body);
    struct limit_amount amount = { .tokens = input + output };
    if (counts(g, LIMIT_BUDGET))
        amount.money = tariff_estimate(snapshot, in->model, input, output);
    if (limits_reserve(l, hold, amount, now, &refused))
        return true;
    word(why, &refused, &g->who[refused.owner]);
    limits_undo(l, hold, now);
    return false;
}

bool
admission_counts_money(const struct guard *g)
{
    return g != NULL && counts(g, LIMIT_BUDGET);
}
