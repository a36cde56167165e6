/*
 * standing.h - what this data plane has learnt about channels and keys.
 *
 * One table per process, keyed by ids, so that it outlives snapshots.  It holds
 * three things: troubles (who is not to be asked, why, until when), a breaker
 * per channel, and a seat per (channel, key) with the figures that strategies
 * choose by.  Memory is bounded; what does not fit is not learnt.
 *
 * Troubles are told to the other planes (follow.h), and theirs are taken in;
 * breakers and seats are this plane's own.
 */
#ifndef DATAPLANE_STANDING_H
#define DATAPLANE_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/breaker.h"
#include "dataplane/cooldown.h"
#include "shared/attr.h"
#include "shared/str.h"

/* id, name on the wire and in the API, words */
#define TROUBLES(X)                                                   \
    X(THROTTLED, "rate_limited", "is rate limited")                   \
    X(EXHAUSTED, "quota_used_up", "has used up its quota")            \
    X(BLIND, "rate_limited_blind", "is rate limited")                 \
    X(OVERLOADED, "overloaded", "is overloaded")                      \
    X(CREDENTIAL, "credential_refused", "has its credential refused") \
    X(LOGIN, "needs_login", "needs a new login")                      \
    X(CREDIT, "no_credit", "has no credit left")                      \
    X(MODEL, "model_unknown", "does not know the model")              \
    X(UNHEALTHY, "unhealthy", "fails its health checks")              \
    X(BREAKER, "failing", "is failing")

enum trouble {
#define TROUBLE_ENUM(id, name, words) TROUBLE_##id,
    TROUBLES(TROUBLE_ENUM)
#undef TROUBLE_ENUM
        TROUBLE_COUNT
};
const char *trouble_name(enum trouble t);
const char *trouble_words(enum trouble t);
bool trouble_find(rx_str name, enum trouble *out);

/* Whom a trouble is about; an empty member means "any". */
struct subject {
    rx_str channel;
    rx_str credential;
    rx_str model; /* a family of models with a credential, else a model */
};

/* A trouble as it is told.  Times are loop time of this process. */
struct trouble_note {
    struct subject about;
    enum trouble trouble;
    uint64_t noted_ms;
    uint64_t until_ms; /* UINT64_MAX: until the credential changes */
    uint64_t secret;   /* rx_secret_mark() of the credential's; 0: none */
};

struct standing;

RX_NODISCARD struct standing *standing_new(void);
void standing_free(struct standing *s);

/* fn(arg) whenever an own trouble comes or goes. */
void standing_on_change(struct standing *s, void (*fn)(void *arg), void *arg);

/* ---- troubles ------------------------------------------------------------ */

/* Learnt here.  A longer trouble is never shortened by a lesser one. */
void standing_note(struct standing *s, const struct trouble_note *n);
/*
 * How often in a row nobody said how long: the n-th time from 0, counted up by
 * this call; forgotten a minute after the last one was over.
 */
uint32_t standing_blind(
    struct standing *s, const struct subject *about, uint64_t now);
/* Proof, had now, that troubles noted before `since` are over. */
void standing_clear(struct standing *s, const struct subject *about,
    uint64_t since, uint64_t now);
/* An operator says so: everything about the channel, its breaker too. */
void standing_reset(struct standing *s, rx_str channel, uint64_t since);
/* NULL: nothing known.  `secret` is the mark of the credential in use. */
const struct trouble_note *standing_find(const struct standing *s,
    const struct subject *about, uint64_t secret, uint64_t now);
/* Nobody is in trouble: no need to look. */
bool standing_is_calm(const struct standing *s);
/* There is no note about the channel, a key or a model of it; often true when
 * there is none, never when there is one.  Breakers are no notes. */
bool standing_is_calm_about(const struct standing *s, rx_str channel);
/* Forget what is over.  Now and then. */
void standing_sweep(struct standing *s, uint64_t now);
/* Forget own troubles that are none any more, as the configuration is now. */
void standing_prune(struct standing *s,
    bool (*holds)(void *arg, const struct trouble_note *n), void *arg);
/* Walk own troubles that are still true; false behind the last. */
bool standing_next_own(const struct standing *s, size_t *at, uint64_t now,
    struct trouble_note *out);
/* Own clearings of the last few seconds; until_ms is when it was proved. */
#define STANDING_CLEARED_MS 5000
size_t standing_cleared(const struct standing *s, uint64_t now,
    struct trouble_note *out, size_t most);

/* What the others learnt: forget what they said before, take this. */
void standing_hear(
    struct standing *s, const struct trouble_note *notes, size_t count);

/* Another plane had the proof; it is not told again. */
void standing_heard_clear(
    struct standing *s, const struct subject *about, uint64_t since);

/* ---- breakers ------------------------------------------------------------ */

/* Made when it is not there; NULL when there are too many. */
struct breaker *standing_breaker(struct standing *s, rx_str channel);
const struct breaker *standing_breaker_of(
    const struct standing *s, rx_str channel);
/* After breaker_note and the like: keeps the count of the troubled right. */
void standing_breaker_changed(struct standing *s);
/* Walk those that are not closed; until_ms may be in the past (half open). */
bool standing_next_open(
    const struct standing *s, size_t *at, struct trouble_note *out);

/* ---- seats --------------------------------------------------------------- */

#define SEAT_WINDOWS 4
struct seat_window {
    char name[24]; /* "five_hour"; empty: a free place */
    bool news;     /* not told to the control plane yet */
    double used;
    uint64_t reset_ms, noted_ms; /* loop time; 0: not told, never */
};
/* A window as planes tell each other.  Times are loop time. */
struct window_note {
    rx_str channel, credential, name;
    double used;
    uint64_t reset_ms; /* 0: not told */
    uint64_t noted_ms;
};

struct seat {
    uint32_t in_flight;
    uint32_t last_minute, this_minute; /* requests */
    uint64_t minute;                   /* number of the one that runs */
    double ttft_ms;                    /* peak EWMA; 0: never measured */
    uint64_t ttft_at;
    int64_t smooth;    /* of the weighted strategy */
    uint64_t turn;     /* when it was last chosen, in choices */
    double used;       /* of the fullest subscription window; -1: not told */
    uint64_t reset_ms; /* loop time when that window ends; 0: not told */
    uint64_t since_ms; /* the drain strategy sits here since; 0: not */
    struct seat_window windows[SEAT_WINDOWS];
};

struct seat *standing_seat(
    struct standing *s, rx_str channel, rx_str credential);
void seat_begin(struct seat *seat, uint64_t now);
void seat_end(struct seat *seat);
void seat_note_ttft(struct seat *seat, double ms, uint64_t now);
/* The estimate now: peaks fade with a half-life of 10 s. */
double seat_ttft(const struct seat *seat, uint64_t now);
uint32_t seat_recent(const struct seat *seat, uint64_t now);
/* True when the others should hear of it: standing_windows_changed(). */
bool seat_note_limits(
    struct seat *seat, const struct limit_facts *f, uint64_t now);
/* Somebody else found out; what is known to be newer stays. */
void seat_hear_window(
    struct seat *seat, const struct window_note *note, uint64_t now);
/* fn(arg) whenever there are windows to tell. */
void standing_on_windows(struct standing *s, void (*fn)(void *arg), void *arg);
void standing_windows_changed(struct standing *s);
/* Those to be told, at most `most`; they count as told then. */
size_t standing_take_windows(
    struct standing *s, struct window_note *out, size_t most);
/* The next choice's number. */
uint64_t standing_turn(struct standing *s);

#endif
