/*
 * disposition.h - what an upstream's answer means before the client saw any.
 *
 * One table: is another candidate asked, is the same one asked again and after
 * how long, is it over; and whom does it count against.  docs/routing.md has
 * the same table in words.
 */
#ifndef DATAPLANE_DISPOSITION_H
#define DATAPLANE_DISPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/cooldown.h"
#include "dataplane/dialect.h"
#include "shared/err.h"
#include "shared/str.h"

/* Whom it counts against. */
enum blame {
    BLAME_NOBODY,
    BLAME_BREAKER,    /* the channel's breaker */
    BLAME_CHANNEL,    /* the channel, for a moment */
    BLAME_FAMILY,     /* the key, for a family of models */
    BLAME_KEY,        /* the key, for a while */
    BLAME_CREDENTIAL, /* the key, until it changes */
    BLAME_CREDIT,     /* the key, until somebody pays */
    BLAME_MODEL,      /* the channel, for that model */
};

/* id, words, try another?, a key of the same channel, too?, times in place,
 * least and most wait before that in ms, whom it counts against */
// clang-format off
#define DISPOSITIONS(X)                                                        \
    X(GOOD,      "ok",                     false, false, 0, 0, 0,              \
        BLAME_NOBODY)                                                          \
    X(UNREACHED, "could not be reached",   true,  false, 1, 200, 1000,         \
        BLAME_BREAKER)                                                         \
    X(SILENT,    "did not answer in time", true,  false, 0, 0, 0,              \
        BLAME_BREAKER)                                                         \
    X(CUT,       "broke off",              true,  false, 1, 200, 1000,         \
        BLAME_BREAKER)                                                         \
    X(THROTTLED, "rate limited",           true,  true,  0, 0, 0,              \
        BLAME_FAMILY)                                                          \
    X(EXHAUSTED, "quota used up",          true,  true,  0, 0, 0,              \
        BLAME_FAMILY)                                                          \
    X(BLIND,     "rate limited",           true,  true,  0, 0, 0,              \
        BLAME_KEY)                                                             \
    X(ONCE,      "turned away once",       true,  true,  1, 200, 1000,         \
        BLAME_NOBODY)                                                          \
    X(OVERLOADED, "overloaded",            true,  false, 3, 750, 3000,         \
        BLAME_CHANNEL)                                                         \
    X(FAILED,    "failed",                 true,  false, 1, 200, 1000,         \
        BLAME_BREAKER)                                                         \
    X(CREDENTIAL, "credential refused",    true,  true,  0, 0, 0,              \
        BLAME_CREDENTIAL)                                                      \
    X(CREDIT,    "no credit",              true,  true,  0, 0, 0,              \
        BLAME_CREDIT)                                                          \
    X(NO_MODEL,  "unknown model",          true,  false, 0, 0, 0,              \
        BLAME_MODEL)                                                           \
    X(NO_COUNT,  "does not count tokens",  true,  false, 0, 0, 0,              \
        BLAME_NOBODY)                                                          \
    X(REPAIRABLE, "asked for a change",    false, false, 0, 0, 0,              \
        BLAME_NOBODY)                                                          \
    X(CLIENT,    "refused the request",    false, false, 0, 0, 0,              \
        BLAME_NOBODY)
// clang-format on

enum disposition {
#define DISPOSITION_ENUM(id, ...) DISPOSITION_##id,
    DISPOSITIONS(DISPOSITION_ENUM)
#undef DISPOSITION_ENUM
};

struct disposition_row {
    const char *words;
    bool another;         /* other candidates may do better */
    bool another_key;     /* … also those of the same channel */
    unsigned in_place;    /* times the same may be asked again, if alone */
    uint32_t wait_min_ms; /* before that, with jitter */
    uint32_t wait_max_ms;
    enum blame blame;
};
const struct disposition_row *disposition_row(enum disposition d);

/* What is known of an OAuth token that was refused. */
enum token_news {
    TOKEN_STAYS,     /* nothing better will come soon, or it is a key */
    TOKEN_RENEWABLE, /* the control plane was asked for a fresh one lately */
    TOKEN_REPLACED,  /* a fresh one is here already */
};

/* What an attempt came to. */
struct outcome {
    enum rx_code code;
    bool answered; /* there is a whole answer */
    bool cut;
    int status; /* of the answer, or what its error event stands for */
    rx_str body;
    const struct limit_facts *limits;
    enum token_news token;
    uint64_t token_ms; /* loop time until when a renewable one may be fresh */
    struct cooldown cooldown; /* filled by disposition_of */
};
enum disposition disposition_of(
    struct outcome *o, enum dialect dialect, uint64_t wall_ms);

/*
 * The same, as far as status and body tell, of a whole answer: would another
 * try be better than passing it on?
 */
bool disposition_is_final(int status, rx_str body, enum dialect dialect);

#endif
