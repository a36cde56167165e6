#include "dataplane/codec/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
decode_fail(struct decode *d, const char *fmt, ...)
{
    char words[sizeof(d->err->text)];
    va_list ap;

    if (!decode_ok(d))
        return false;
    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    rx_fail(d->err, RX_INVALID, "%s", words);
    return false;
}

bool
decode_fail_part(struct decode *d, const char *words)
{
    struct ir_part here = { .turn = d->turn, .index = d->index };

    if (decode_ok(d))
        ir_blame(d->err, d->r, &here, words);
    return false;
}

struct ir_part *
decode_part(struct decode *d, struct ir_parts *list, enum ir_part_kind kind)
{
    struct ir_part *p = ir_part_add(d->arena, list, kind);

    if (p == NULL) {
        rx_fail(d->err, RX_TOO_BIG, "the request has too many parts");
        return NULL;
    }
    p->turn = d->turn;
    p->index = d->index;
    return p;
}

void
decode_text(struct decode *d, struct ir_parts *list, rx_str text)
{
    struct ir_part *p = decode_part(d, list, IR_TEXT);

    if (p != NULL)
        p->text = text;
}

struct ir_turn *
decode_turn(struct decode *d, enum ir_role role)
{
    struct ir_turn *t = ir_turn_add(d->arena, d->r, role);

    if (t == NULL)
        rx_fail(d->err, RX_TOO_BIG, "the request has too many messages");
    return t;
}

bool
decode_checked(struct decode *d, const struct walk_row *wrong)
{
    if (wrong != NULL)
        return decode_fail(
            d, RX_STR_FMT ": has the wrong type", RX_STR_ARG(wrong->name));
    return decode_ok(d);
}

bool
decode_object(struct decode *d, rx_str body, const struct walk_row *rows,
    size_t n, void *to)
{
    struct rx_span j;

    *d->err = (struct rx_err){ 0 };
    rx_span_init(&j, body);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return decode_fail(d, "the body must be a JSON object");
    if (!decode_checked(d, walk_object(&j, rows, n, to)))
        return false;
    return rx_span_finish(&j) || decode_fail(d, "the body is not valid JSON");
}

void
decode_url(struct decode *d, rx_str url, struct ir_media *m)
{
    static const char mark[] = ";base64,";

    m->source = IR_URL;
    m->data = url;
    if (!rx_str_starts(url, RX_S("data:")))
        return;
    rx_str head = { url.ptr, url.len < 256 ? url.len : 256 };
    const char *at = memmem(head.ptr, head.len, mark, sizeof(mark) - 1);
    if (at == NULL)
        return;
    m->source = IR_INLINE;
    m->mime = ir_decode(
        d->arena, (rx_str){ url.ptr + 5, (size_t)(at - url.ptr) - 5 });
    at += sizeof(mark) - 1;
    m->data = (rx_str){ at, (size_t)(url.ptr + url.len - at) };
}

bool
decode_names(
    struct decode *d, const char *what, rx_str value, struct ir_name **list)
{
    struct rx_span j;
    rx_str one;

    if (value.len == 0)
        return true;
    if (value.ptr[0] == '"') {
        ir_name_add(d->arena, list, walk_text(value));
        return true;
    }
    if (!walk_array(&j, value))
        return decode_fail(d, "%s: must be a list of strings", what);
    while (walk_next(&j, &one)) {
        if (one.ptr[0] != '"')
            return decode_fail(d, "%s: must be a list of strings", what);
        ir_name_add(d->arena, list, walk_text(one));
    }
    return true;
}

enum ir_tier
decode_tier(rx_str word)
{
    static const struct {
        rx_str word;
        enum ir_tier tier;
    } tiers[] = {
        { RX_STR_INIT("auto"), IR_TIER_AUTO },
        { RX_STR_INIT("default"), IR_TIER_STANDARD },
        { RX_STR_INIT("flex"), IR_TIER_FLEX },
        { RX_STR_INIT("priority"), IR_TIER_PRIORITY },
        { RX_STR_INIT("fast"), IR_TIER_FAST },
    };

    for (size_t i = 0; i < RX_COUNT(tiers); i++) {
        if (rx_str_eq(word, tiers[i].word))
            return tiers[i].tier;
    }
    return IR_TIER_UNSET;
}

/* Level, word, budget sent for it, the most that is read as it. */
static const struct {
    enum ir_effort effort;
    const char *word;
    int64_t budget;
    int64_t most;
} efforts[] = {
    { IR_EFFORT_MINIMAL, "minimal", 512, 512 },
    { IR_EFFORT_LOW, "low", 1024, 1024 },
    { IR_EFFORT_MEDIUM, "medium", 8192, 8192 },
    { IR_EFFORT_HIGH, "high", 24576, 24576 },
    { IR_EFFORT_XHIGH, "xhigh", 32768, 32768 },
    { IR_EFFORT_MAX, "max", 128000, INT64_MAX },
};

enum ir_effort
decode_effort(rx_str word)
{
    for (size_t i = 0; i < RX_COUNT(efforts); i++) {
        if (rx_str_ieq(word, rx_str_of(efforts[i].word)))
            return efforts[i].effort;
    }
    return IR_EFFORT_UNSET;
}

const char *
effort_word(enum ir_effort effort)
{
    for (size_t i = 0; i < RX_COUNT(efforts); i++) {
        if (efforts[i].effort == effort)
            return efforts[i].word;
    }
    return NULL;
}

int64_t
effort_budget(enum ir_effort effort)
{
    for (size_t i = 0; i < RX_COUNT(efforts); i++) {
        if (efforts[i].effort == effort)
            return efforts[i].budget;
    }
    return 0;
}

static enum ir_effort
budget_effort(int64_t budget)
{
    for (size_t i = 0; i < RX_COUNT(efforts); i++) {
        if (budget <= efforts[i].most)
            return efforts[i].effort;
    }
    return IR_EFFORT_MAX;
}

enum ir_effort
effort_clamp(enum ir_effort wanted, unsigned levels)
{
    for (int away = 0; away < (int)RX_COUNT(efforts); away++) {
        int low = (int)wanted - away;
        int high = (int)wanted + away;
        if (low >= IR_EFFORT_MINIMAL && (levels >> low & 1) != 0)
            return (enum ir_effort)low;
        if (high <= IR_EFFORT_MAX && (levels >> high & 1) != 0)
            return (enum ir_effort)high;
    }
    return IR_EFFORT_UNSET;
}

bool
reasoning_wanted(const struct ir_reasoning *r)
{
    if (r->mode == IR_THINK_OFF)
        return false;
    return r->mode != IR_THINK_UNSET || r->effort != IR_EFFORT_UNSET ||
           (r->budget.there && r->budget.n != 0);
}

enum ir_effort
reasoning_effort(const struct ir_reasoning *r)
{
    if (!reasoning_wanted(r))
        return IR_EFFORT_UNSET;
    if (r->effort != IR_EFFORT_UNSET)
        return r->effort;
    if (r->budget.there && r->budget.n > 0)
        return budget_effort(r->budget.n);
    return IR_EFFORT_UNSET;
}
