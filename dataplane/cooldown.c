/*
 * Bodies are searched for the few members that matter rather than parsed: the
 * same words mean the same in a document, in an event of a stream and inside a
 * gateway's envelope, and half a body is evidence, too.
 */
#include "dataplane/cooldown.h"

#include <string.h>

#include "shared/attr.h"
#include "shared/clock.h"

#define BODY_MAX       ((size_t)16 * 1024)
#define DAY_MS         (UINT64_C(24) * 3600 * 1000)
#define OVERLOADED_MS  UINT64_C(10000)
#define OVERLOADED_MAX UINT64_C(60000)
#define EPOCH_MIN      UINT64_C(1000000000) /* less is no time of day */

/* ---- numbers and times ---------------------------------------------------- */

/* "12", "12.5": thousandths, 0 when it is no number. */
static bool
read_milli(rx_str *s, uint64_t *milli)
{
    uint64_t whole = 0;
    uint64_t part = 0;
    uint64_t unit = 100;
    size_t i = 0;

    while (i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9' && i < 13)
        whole = whole * 10 + (uint64_t)(s->ptr[i++] - '0');
    if (i == 0)
        return false;
    if (i + 1 < s->len && s->ptr[i] == '.' && s->ptr[i + 1] >= '0' &&
        s->ptr[i + 1] <= '9') {
        for (i++; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
            part += (uint64_t)(s->ptr[i] - '0') * unit;
            unit /= 10;
        }
    }
    *milli = whole * 1000 + part;
    *s = (rx_str){ s->ptr + i, s->len - i };
    return true;
}

static const struct {
    rx_str name;
    uint64_t ms;
} units[] = {
    { RX_STR_INIT("ms"), 1 },
    { RX_STR_INIT("milliseconds"), 1 },
    { RX_STR_INIT("s"), 1000 },
    { RX_STR_INIT("seconds"), 1000 },
    { RX_STR_INIT("second"), 1000 },
    { RX_STR_INIT("m"), 60 * 1000 },
    { RX_STR_INIT("minutes"), 60 * 1000 },
    { RX_STR_INIT("minute"), 60 * 1000 },
    { RX_STR_INIT("h"), 3600 * 1000 },
    { RX_STR_INIT("hours"), 3600 * 1000 },
    { RX_STR_INIT("d"), 24 * 3600 * 1000 },
    { RX_STR_INIT("days"), 24 * 3600 * 1000 },
};

static uint64_t
take_unit(rx_str *s)
{
    size_t n = 0;

    while (n < s->len && n < 16 && (s->ptr[n] | 0x20) >= 'a' &&
           (s->ptr[n] | 0x20) <= 'z')
        n++;
    rx_str word = { s->ptr, n };
    for (size_t i = 0; i < RX_COUNT(units); i++) {
        if (rx_str_ieq(word, units[i].name)) {
            *s = (rx_str){ s->ptr + n, s->len - n };
            return units[i].ms;
        }
    }
    return 0;
}

/* "6m0s", "120ms", "34.4s", "20 seconds"; 0 when it is none. */
static uint64_t
read_duration(rx_str s)
{
    uint64_t total = 0;
    uint64_t milli;

    while (total < DAY_MS * 1000 && read_milli(&s, &milli)) {
        rx_str rest = rx_str_trim(s);
        uint64_t unit = take_unit(&rest);
        if (unit == 0)
            break;
        total += milli > UINT64_MAX / unit ? DAY_MS : milli * unit / 1000;
        s = rest;
    }
    return total;
}

static uint64_t
from_now(uint64_t wall_ms, uint64_t then)
{
    return then > wall_ms ? then - wall_ms : 1;
}

/* "Wed, 21 Oct 2026 07:28:00 GMT" */
static bool
read_http_date(rx_str s, uint64_t *wall)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[] = "0000-00-00T00:00:00Z";

    if (s.len != 29 || s.ptr[3] != ',')
        return false;
    for (unsigned m = 0; m < 12; m++) {
        if (memcmp(months + (size_t)3 * m, s.ptr + 8, 3) != 0)
            continue;
        memcpy(iso, s.ptr + 12, 4);
        iso[5] = (char)('0' + (m + 1) / 10);
        iso[6] = (char)('0' + (m + 1) % 10);
        memcpy(iso + 8, s.ptr + 5, 2);
        memcpy(iso + 11, s.ptr + 17, 8);
        return rx_time_parse((rx_str){ iso, sizeof(iso) - 1 }, wall);
    }
    return false;
}

/* RFC 3339, seconds since 1970, or a duration: ms from now, 0 if none. */
static uint64_t
read_reset(rx_str s, uint64_t wall_ms)
{
    uint64_t then;
    uint64_t milli;
    rx_str rest = s;

    if (rx_time_parse(s, &then) || read_http_date(s, &then))
        return from_now(wall_ms, then);
    if (!read_milli(&rest, &milli))
        return 0;
    if (rest.len > 0)
        return read_duration(s);
    return milli / 1000 >= EPOCH_MIN ? from_now(wall_ms, milli) : milli;
}

/* ---- headers ---------------------------------------------------------------- */

static bool
starts_i(rx_str s, rx_str prefix)
{
    return s.len >= prefix.len &&
           rx_str_ieq((rx_str){ s.ptr, prefix.len }, prefix);
}

static struct limit_window *
window_of(struct limit_facts *f, rx_str name)
{
    size_t i = 0;

    if (name.len == 0 || name.len >= sizeof(f->windows[0].name) ||
        starts_i(name, RX_S("overage"))) /* what comes on top binds nobody */
        return NULL;
    for (; i < f->count; i++) {
        const char *have = f->windows[i].name;
        if (rx_str_eq(name, (rx_str){ have, strlen(have) }))
            return &f->windows[i];
    }
    if (i == LIMIT_WINDOWS)
        return NULL;
    memcpy(f->windows[i].name, name.ptr, name.len);
    f->count++;
    return &f->windows[i];
}

static bool
is_refusing(rx_str status)
{
    static const rx_str words[] = { RX_STR_INIT("rejected"),
        RX_STR_INIT("rate_limited"), RX_STR_INIT("blocked"),
        RX_STR_INIT("queueing_hard"), RX_STR_INIT("payment_required") };

    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (rx_str_ieq(words[i], status))
            return true;
    }
    return false;
}

/* `milli` of `whole` as a share. */
static void
set_used(struct limit_window *w, rx_str value, double whole)
{
    uint64_t milli;

    if (read_milli(&value, &milli)) {
        w->told_used = true;
        w->used = (double)milli / 1000 / whole;
    }
}

/* Where a name's last part is one of these, the rest names the window. */
enum part { PART_STATUS, PART_USED, PART_RESET, PART_REMAINING };

static const struct {
    rx_str prefix, suffix;
    enum part part;
    double whole;
    bool subscription;
} parts[] = {
    { RX_STR_INIT("anthropic-ratelimit-unified-"), RX_STR_INIT("-status"),
        PART_STATUS, 1, true },
    { RX_STR_INIT("anthropic-ratelimit-unified-"), RX_STR_INIT("-utilization"),
        PART_USED, 1, true },
    { RX_STR_INIT("anthropic-ratelimit-unified-"), RX_STR_INIT("-reset"),
        PART_RESET, 1, true },
    { RX_STR_INIT("x-codex-"), RX_STR_INIT("-used-percent"), PART_USED, 100,
        true },
    { RX_STR_INIT("x-codex-"), RX_STR_INIT("-reset-at"), PART_RESET, 1, true },
    { RX_STR_INIT("x-codex-"), RX_STR_INIT("-reset-after-seconds"), PART_RESET,
        1, true },
    { RX_STR_INIT("anthropic-ratelimit-"), RX_STR_INIT("-reset"), PART_RESET, 1,
        false },
    { RX_STR_INIT("anthropic-ratelimit-"), RX_STR_INIT("-remaining"),
        PART_REMAINING, 1, false },
    { RX_STR_INIT("x-ratelimit-reset-"), RX_STR_INIT(""), PART_RESET, 1,
        false },
    { RX_STR_INIT("x-ratelimit-remaining-"), RX_STR_INIT(""), PART_REMAINING, 1,
        false },
};

static void
set_part(struct limit_window *w, enum part part, double whole, rx_str value,
    uint64_t wall_ms)
{
    switch (part) {
    case PART_STATUS: w->refused = is_refusing(value); break;
    case PART_USED: set_used(w, value, whole); break;
    case PART_RESET: w->reset_ms = read_reset(value, wall_ms); break;
    case PART_REMAINING: w->refused = rx_str_eq(value, RX_S("0")); break;
    }
}

static void
read_window(struct limit_facts *f, rx_str name, rx_str value, uint64_t wall_ms)
{
    for (size_t i = 0; i < RX_COUNT(parts); i++) {
        rx_str p = parts[i].prefix;
        rx_str e = parts[i].suffix;
        if (name.len <= p.len + e.len || !starts_i(name, p) ||
            !rx_str_ieq((rx_str){ name.ptr + name.len - e.len, e.len }, e))
            continue;
        struct limit_window *w = window_of(
            f, (rx_str){ name.ptr + p.len, name.len - p.len - e.len });
        if (w == NULL)
            return;
        w->subscription = parts[i].subscription;
        set_part(w, parts[i].part, parts[i].whole, value, wall_ms);
        return;
    }
}

void
limit_read_header(
    struct limit_facts *f, rx_str name, rx_str value, uint64_t wall_ms)
{
    char first = name.len > 0 ? (char)(name.ptr[0] | 0x20) : '\0';

    if (first != 'a' && first != 'r' && first != 'x')
        return; /* most of them */
    value = rx_str_trim(value);
    if (rx_str_ieq(name, RX_S("retry-after-ms"))) {
        uint64_t milli;
        if (read_milli(&value, &milli))
            f->retry_after_ms = milli / 1000 + 1;
    } else if (rx_str_ieq(name, RX_S("retry-after"))) {
        if (f->retry_after_ms == 0)
            f->retry_after_ms = read_reset(value, wall_ms);
        if (f->retry_after_ms == 0 && value.len > 0)
            f->retry_after_ms = 1;
    } else if (rx_str_ieq(name, RX_S("x-should-retry"))) {
        f->should_retry = rx_str_ieq(value, RX_S("true"));
    } else if (rx_str_ieq(name, RX_S("anthropic-ratelimit-unified-reset"))) {
        f->reset_ms = read_reset(value, wall_ms);
    } else if (rx_str_ieq(name,
                   RX_S("anthropic-ratelimit-unified-representative-claim"))) {
        if (value.len < sizeof(f->claim))
            memcpy(f->claim, value.ptr, value.len);
    } else {
        read_window(f, name, value, wall_ms);
    }
    f->mentions_limits = f->mentions_limits ||
                         starts_i(name, RX_S("anthropic-ratelimit-")) ||
                         starts_i(name, RX_S("x-ratelimit-")) ||
                         starts_i(name, RX_S("x-codex-"));
}

/* ---- bodies ------------------------------------------------------------------ */

/* What follows `mark` in the body's beginning; nothing when it is not there. */
static rx_str
after(rx_str body, const char *mark)
{
    size_t n = strlen(mark);
    size_t end = body.len < BODY_MAX ? body.len : BODY_MAX;

    for (size_t at = 0; at + n <= end; at++) {
        if (rx_str_ieq((rx_str){ body.ptr + at, n }, (rx_str){ mark, n }))
            return (rx_str){ body.ptr + at + n, end - at - n };
    }
    return (rx_str){ 0 };
}

static bool
says(rx_str body, const char *mark)
{
    return after(body, mark).ptr != NULL;
}

/* Behind a member's name: to where its value begins. */
static rx_str
value_of(rx_str s)
{
    while (s.len > 0 && memchr(" \t\r\n:\"", s.ptr[0], 6) != NULL)
        s = (rx_str){ s.ptr + 1, s.len - 1 };
    return s;
}

bool
cooldown_is_credit(rx_str body)
{
    static const char *const marks[] = { "insufficient_quota",
        "credit balance is too low", "billing_hard_limit_reached",
        "insufficient balance", "insufficient_balance", "insufficient credits",
        "payment_required", "exceeded_current_quota_error",
        "extra usage is required" };

    for (size_t i = 0; i < RX_COUNT(marks); i++) {
        if (says(body, marks[i]))
            return true;
    }
    return false;
}

/* Quotas per day come back at midnight Pacific; said for winter time, so in
 * summer an hour late rather than early. */
static uint64_t
to_pacific_midnight(uint64_t wall_ms)
{
    return DAY_MS - (wall_ms + DAY_MS - UINT64_C(8) * 3600 * 1000) % DAY_MS;
}

static const struct {
    const char *mark;
    enum cooldown_kind kind;
    const char *evidence;
} body_marks[] = {
    { "resets_in_seconds\"", COOLDOWN_EXHAUSTED, "resets_in_seconds" },
    { "resets_at\"", COOLDOWN_EXHAUSTED, "resets_at" },
    { "retrydelay\"", COOLDOWN_THROTTLED, "retryDelay" },
    { "please retry in ", COOLDOWN_THROTTLED, "retry in" },
    { "please try again in ", COOLDOWN_THROTTLED, "try again in" },
};

static struct cooldown
read_body(rx_str body, uint64_t wall_ms)
{
    rx_str quota = after(body, "quotaid\"");

    if (quota.len > 0 &&
        says(
            (rx_str){ quota.ptr, quota.len < 160 ? quota.len : 160 }, "perday"))
        return (struct cooldown){ COOLDOWN_EXHAUSTED,
            to_pacific_midnight(wall_ms), "daily quota" };
    for (size_t i = 0; i < RX_COUNT(body_marks); i++) {
        rx_str at = value_of(after(body, body_marks[i].mark));
        size_t n = 0;
        while (n < at.len && n < 40 && memchr("\",}\n", at.ptr[n], 4) == NULL)
            n++;
        rx_str text = rx_str_trim((rx_str){ at.ptr, n });
        uint64_t ms = read_duration(text);
        if (ms == 0)
            ms = read_reset(text, wall_ms);
        if (ms > 0)
            return (struct cooldown){ body_marks[i].kind, ms,
                body_marks[i].evidence };
    }
    return (struct cooldown){ 0 };
}

/* ---- the judgement ------------------------------------------------------------ */

static const struct {
    const char *claim, *window;
} claims[] = {
    { "five_hour", "5h" },
    { "seven_day", "7d" },
    { "seven_day_opus", "7d_opus" },
    { "seven_day_sonnet", "7d_sonnet" },
};

static bool
is_window(const struct limit_window *w, const char *name)
{
    return strcmp(w->name, name) == 0;
}

/* The reset of the window the provider names as the one that binds. */
static uint64_t
claimed_reset(const struct limit_facts *f)
{
    const char *name = f->claim;

    if (name[0] == '\0')
        return 0;
    for (size_t i = 0; i < RX_COUNT(claims); i++) {
        if (strcmp(claims[i].claim, f->claim) == 0)
            name = claims[i].window;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (f->windows[i].subscription && is_window(&f->windows[i], name))
            return f->windows[i].reset_ms;
    }
    return 0;
}

/* The latest reset of the windows that refuse or are full. */
static uint64_t
spent_reset(const struct limit_facts *f, bool subscription)
{
    uint64_t latest = 0;

    for (size_t i = 0; i < f->count; i++) {
        const struct limit_window *w = &f->windows[i];
        bool spent = w->refused || (w->told_used && w->used >= 1);
        if (w->subscription == subscription && spent && w->reset_ms > latest)
            latest = w->reset_ms;
    }
    return latest;
}

static struct cooldown
read_429(const struct limit_facts *f, rx_str body, uint64_t wall_ms)
{
    const struct {
        uint64_t ms;
        enum cooldown_kind kind;
        const char *evidence;
    } said[] = {
        { claimed_reset(f), COOLDOWN_EXHAUSTED, "representative claim" },
        { f->reset_ms, COOLDOWN_EXHAUSTED, "unified reset" },
        { spent_reset(f, true), COOLDOWN_EXHAUSTED, "window used up" },
    };

    for (size_t i = 0; i < RX_COUNT(said); i++) {
        if (said[i].ms > 0)
            return (
                struct cooldown){ said[i].kind, said[i].ms, said[i].evidence };
    }
    struct cooldown told = read_body(body, wall_ms);
    if (told.kind == COOLDOWN_EXHAUSTED)
        return told;
    if (cooldown_is_credit(body))
        return (struct cooldown){ COOLDOWN_CREDIT, 0, "no credit" };
    if (f->retry_after_ms > 0)
        return (struct cooldown){ COOLDOWN_THROTTLED, f->retry_after_ms,
            "retry-after" };
    if (told.kind != COOLDOWN_NONE)
        return told;
    if (spent_reset(f, false) > 0)
        return (struct cooldown){ COOLDOWN_THROTTLED, spent_reset(f, false),
            "rate-limit reset" };
    if (f->should_retry && !f->mentions_limits)
        return (struct cooldown){ COOLDOWN_NONE, 0, "this request only" };
    return (struct cooldown){ COOLDOWN_BLIND, 0, "no reset given" };
}

static struct cooldown
read_overload(const struct limit_facts *f)
{
    uint64_t ms = f->retry_after_ms > 0 ? f->retry_after_ms : OVERLOADED_MS;

    if (ms > OVERLOADED_MAX)
        ms = OVERLOADED_MAX;
    return (struct cooldown){ COOLDOWN_OVERLOADED, ms,
        f->retry_after_ms > 0 ? "retry-after" : "overloaded" };
}

struct cooldown
cooldown_read(
    const struct limit_facts *f, int status, rx_str body, uint64_t wall_ms)
{
    struct cooldown c = { 0 };

    switch (status) {
    case 429: c = read_429(f, body, wall_ms); break;
    case 402: c = (struct cooldown){ COOLDOWN_CREDIT, 0, "no credit" }; break;
    case 503:
    case 529: c = read_overload(f); break;
    default: break;
    }
    if (c.ms > 0 && c.ms < COOLDOWN_FLOOR_MS)
        c.ms = COOLDOWN_FLOOR_MS;
    if (c.ms > COOLDOWN_CAP_MS)
        c.ms = COOLDOWN_CAP_MS;
    return c;
}

uint64_t
cooldown_guess(uint32_t nth)
{
    return nth >= 4 ? 60000 : UINT64_C(5000) << nth;
}
