#include "dataplane/learn.h"

#include <inttypes.h>

#include "dataplane/family.h"
#include "shared/log.h"

#define PROBE_MS  60000 /* a probe that is not heard of again is given up */
#define CREDIT_MS (UINT64_C(3600) * 1000) /* then one request finds out */
#define MODEL_MS  (UINT64_C(300) * 1000)

static rx_str
key_of(const struct lesson *l)
{
    const struct credential *c = l->to->credential;

    return c != NULL ? c->id : (rx_str){ 0 };
}

void
learn_begin(struct lesson *l, uint64_t now)
{
    struct breaker *b =
        l->settings->breaker.window_ms > 0 && !standing_is_calm(l->standing)
            ? standing_breaker(l->standing, l->to->channel->id)
            : NULL;

    l->start_ms = now;
    l->seat = standing_seat(l->standing, l->to->channel->id, key_of(l));
    if (l->seat != NULL)
        seat_begin(l->seat, now);
    l->probe = b != NULL && breaker_lease(b, now, PROBE_MS);
}

static void
note_breaker(struct lesson *l, bool good, uint64_t now, uint64_t dice)
{
    struct breaker *b = standing_breaker(l->standing, l->to->channel->id);

    if (b == NULL)
        return;
    bool was_open = b->until_ms != 0;
    bool opened = breaker_note(b, &l->settings->breaker, good, now, dice);
    if (opened)
        rx_warn("breaker.open",
            "channel=" RX_STR_FMT " ms=%" PRIu64 " openings=%u",
            RX_STR_ARG(l->to->channel->name), b->until_ms - now, b->openings);
    else if (was_open && b->until_ms == 0)
        rx_info("breaker.closed", "channel=" RX_STR_FMT,
            RX_STR_ARG(l->to->channel->name));
    if (opened || was_open != (b->until_ms != 0))
        standing_breaker_changed(l->standing);
}

static void
leave(struct lesson *l)
{
    if (l->seat != NULL)
        seat_end(l->seat);
    l->seat = NULL;
    l->probe = false;
}

/* Everybody this candidate is. */
static void
subjects_of(const struct lesson *l, struct subject about[4])
{
    rx_str channel = l->to->channel->id;

    about[0] = (struct subject){ .channel = channel };
    about[1] = (struct subject){ .channel = channel, .credential = key_of(l) };
    about[2] = (struct subject){ .channel = channel,
        .credential = key_of(l),
        .model = family_of(l->to->model) };
    about[3] = (struct subject){ .channel = channel, .model = l->to->model };
}

void
learn_good(struct lesson *l, const struct limit_facts *limits, double ttft_ms,
    uint64_t now, uint64_t dice)
{
    struct subject about[4];

    if (l->standing == NULL)
        return;
    note_breaker(l, true, now, dice);
    if (!standing_is_calm(l->standing)) {
        subjects_of(l, about);
        for (size_t i = 0; i < RX_COUNT(about); i++)
            standing_clear(l->standing, &about[i], l->start_ms, now);
    }
    if (l->seat != NULL && ttft_ms > 0)
        seat_note_ttft(l->seat, ttft_ms, now);
    if (l->seat != NULL && limits != NULL && limits->count > 0 &&
        seat_note_limits(l->seat, limits, now))
        standing_windows_changed(l->standing);
    leave(l);
}

/* ---- troubles ------------------------------------------------------------------ */

static const struct {
    enum trouble trouble;
    unsigned subject; /* of subjects_of() */
} by_blame[] = {
    [BLAME_CHANNEL] = { TROUBLE_OVERLOADED, 0 },
    [BLAME_FAMILY] = { TROUBLE_THROTTLED, 2 },
    [BLAME_KEY] = { TROUBLE_BLIND, 1 },
    [BLAME_CREDENTIAL] = { TROUBLE_CREDENTIAL, 1 },
    [BLAME_CREDIT] = { TROUBLE_CREDIT, 1 },
    [BLAME_MODEL] = { TROUBLE_MODEL, 3 },
};

static void
note_trouble(
    struct lesson *l, enum disposition d, const struct outcome *o, uint64_t now)
{
    const struct credential *key = l->to->credential;
    enum blame blame = disposition_row(d)->blame;
    struct subject about[4];

    subjects_of(l, about);
    struct trouble_note n = { .about = about[by_blame[blame].subject],
        .trouble = by_blame[blame].trouble,
        .noted_ms = now,
        .until_ms = now + o->cooldown.ms };
    if (d == DISPOSITION_EXHAUSTED)
        n.trouble = TROUBLE_EXHAUSTED;
    if (blame == BLAME_KEY)
        n.until_ms =
            now + cooldown_guess(standing_blind(l->standing, &n.about, now));
    if (blame == BLAME_CREDIT)
        n.until_ms = now + CREDIT_MS;
    if (blame == BLAME_MODEL)
        n.until_ms = now + MODEL_MS;
    if (blame == BLAME_CREDENTIAL)
        n.until_ms = o->token == TOKEN_RENEWABLE ? o->token_ms : UINT64_MAX;
    if (blame == BLAME_CREDENTIAL || blame == BLAME_CREDIT)
        n.secret = key != NULL ? key->mark : 0;
    rx_warn("channel.trouble",
        "channel=" RX_STR_FMT " trouble=%s evidence=%s ms=%" PRIu64,
        RX_STR_ARG(l->to->channel->name), trouble_name(n.trouble),
        rx_log_quote(o->cooldown.evidence != NULL ? o->cooldown.evidence : ""),
        n.until_ms == UINT64_MAX ? 0 : n.until_ms - now);
    standing_note(l->standing, &n);
}

void
learn_bad(struct lesson *l, enum disposition d, const struct outcome *o,
    uint64_t now, uint64_t dice)
{
    enum blame blame = disposition_row(d)->blame;

    if (l->standing == NULL)
        return;
    if (blame == BLAME_BREAKER)
        note_breaker(l, false, now, dice);
    else if (l->probe) /* it answers: what it says is another matter */
        note_breaker(l, true, now, dice);
    if (blame != BLAME_NOBODY && blame != BLAME_BREAKER &&
        !(blame == BLAME_CREDENTIAL && o->token == TOKEN_REPLACED))
        note_trouble(l, d, o, now);
    if (o->limits != NULL && l->seat != NULL &&
        seat_note_limits(l->seat, o->limits, now))
        standing_windows_changed(l->standing);
    leave(l);
}

void
learn_nothing(struct lesson *l)
{
    if (l->standing == NULL)
        return;
    if (l->probe) {
        struct breaker *b = standing_breaker(l->standing, l->to->channel->id);
        if (b != NULL)
            breaker_release(b);
    }
    leave(l);
}
