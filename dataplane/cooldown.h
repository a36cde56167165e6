/*
 * cooldown.h - what a provider says about its limits, and until when.
 *
 * A pure reading of evidence: headers one by one, then status and body.  It
 * believes what the provider says, at least a second and at most a day; what
 * is not said is for the caller to guess (cooldown_guess).  The table of
 * windows is filled from any answer, also a good one, and tells how much of an
 * account is left.
 */
#ifndef DATAPLANE_COOLDOWN_H
#define DATAPLANE_COOLDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/str.h"

#define COOLDOWN_FLOOR_MS UINT64_C(1000)
#define COOLDOWN_CAP_MS   (UINT64_C(24) * 3600 * 1000)

#define LIMIT_WINDOWS 8

/* "5h", "7d_opus", "primary", "requests": one thing that is limited. */
struct limit_window {
    char name[24];
    bool subscription; /* not a bucket of an API key */
    bool told_used;
    bool refused;      /* its status is one that refuses */
    double used;       /* 0..1, may be more */
    uint64_t reset_ms; /* from now; 0: not said */
};

/* Zero it, then give it every header of an answer. */
struct limit_facts {
    struct limit_window windows[LIMIT_WINDOWS];
    size_t count;
    char claim[24];          /* the window that binds, as the provider says */
    uint64_t retry_after_ms; /* 0: not said */
    uint64_t reset_ms;       /* anthropic-ratelimit-unified-reset */
    bool should_retry;       /* x-should-retry: true */
    bool mentions_limits;    /* any header about limits */
};
void limit_read_header(
    struct limit_facts *f, rx_str name, rx_str value, uint64_t wall_ms);

enum cooldown_kind {
    COOLDOWN_NONE,      /* says nothing about this account or channel */
    COOLDOWN_THROTTLED, /* until the reset that was given */
    COOLDOWN_EXHAUSTED, /* a subscription window or daily quota is used up */
    COOLDOWN_BLIND,     /* limited, nobody said how long */
    COOLDOWN_CREDIT,    /* nothing left to pay with */
    COOLDOWN_OVERLOADED /* the provider's own trouble */
};

struct cooldown {
    enum cooldown_kind kind;
    uint64_t ms;          /* how long; 0: BLIND and CREDIT do not say */
    const char *evidence; /* in words: "retry-after" */
};

/* For 429, 402, 503 and 529, or what an error event stands for; `body` is the
 * answer's beginning, in any dialect, or nothing. */
struct cooldown cooldown_read(
    const struct limit_facts *f, int status, rx_str body, uint64_t wall_ms);
/* 5 s, 10 s, … 60 s: the n-th time (from 0) nobody said how long. */
uint64_t cooldown_guess(uint32_t nth);
/* Do these words say that the account cannot pay? */
bool cooldown_is_credit(rx_str body);

#endif
