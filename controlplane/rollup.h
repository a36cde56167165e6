/*
 * rollup.h - sums of usage, kept in step with the rows.
 *
 * Rows that were committed are added up in memory and reach the tables in one
 * transaction, at least once a second while there are any, together with the
 * mark: the id of the last row they are made of.  What is lost in memory when
 * the program dies is made again from the rows behind the mark, so sums are
 * exactly those of the rows, whatever happens when.
 *
 * Whoever reads sums calls rollup_flush() first, and sees all that is committed.
 */
#ifndef CONTROLPLANE_ROLLUP_H
#define CONTROLPLANE_ROLLUP_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/state.h"
#include "shared/err.h"
#include "shared/loop.h"

struct store;
struct rollup;

/* id, name, column of usage_cube */
#define ROLLUP_DIMS(X)                  \
    X(TOTAL, "total", "''")             \
    X(TENANT, "tenant", "tenant_id")    \
    X(KEY, "key", "key_id")             \
    X(CHANNEL, "channel", "channel_id") \
    X(MODEL, "model", "model")          \
    X(RULE, "rule", "rule")             \
    X(TAG, "tag", "tag")                \
    X(AGENT, "agent", "agent")          \
    X(CLIENT, "client", "client")

enum rollup_dim {
#define ROLLUP_DIM_ENUM(id, name, column) ROLLUP_##id,
    ROLLUP_DIMS(ROLLUP_DIM_ENUM)
#undef ROLLUP_DIM_ENUM
        ROLLUP_DIM_COUNT,
    /* usage_cube has the dimensions up to here, together. */
    ROLLUP_CUBE_LAST = ROLLUP_MODEL
};

enum rollup_level { ROLLUP_MINUTE, ROLLUP_HOUR, ROLLUP_DAY, ROLLUP_LEVELS };
/* ms of one bucket */
uint64_t rollup_span(enum rollup_level level);

/* The columns of both tables, in order. */
#define ROLLUP_COUNTERS(X) \
    X(requests)            \
    X(failed)              \
    X(unknown)             \
    X(estimated)           \
    X(unpriced)            \
    X(input_tokens)        \
    X(cache_read_tokens)   \
    X(cache_write_tokens)  \
    X(output_tokens)       \
    X(reasoning_tokens)    \
    X(duration_ms)         \
    X(cost)                \
    X(saved)

enum rollup_counter {
#define ROLLUP_COUNTER_ENUM(name) ROLLUP_N_##name,
    ROLLUP_COUNTERS(ROLLUP_COUNTER_ENUM)
#undef ROLLUP_COUNTER_ENUM
        ROLLUP_N_COUNT
};

/* A row as far as sums want it. */
struct rollup_row {
    uint64_t id;
    uint64_t started_ms;
    rx_str names[ROLLUP_DIM_COUNT]; /* of TOTAL: empty */
    bool ok;
    rx_str provenance;
    uint64_t input, cache_read, cache_write, output, reasoning;
    uint64_t duration_ms, ttft_ms; /* 0: there was no first token */
    bool priced, counted;
    int64_t cost, saved;
};

RX_NODISCARD enum rx_code rollup_open(
    struct rollup **out, struct store *store, struct rx_err *err);
void rollup_free(struct rollup *r); /* NULL is allowed; what is in memory too */
/* From now on it flushes by itself, and catches up where much is behind. */
void rollup_run(struct rollup *r, struct rx_loop *loop);

/* These rows are committed; in order of ids, and nothing between is missing. */
void rollup_add(struct rollup *r, const struct rollup_row *row);
/* No sums are missing behind it; outside a transaction. */
RX_NODISCARD enum rx_code rollup_flush(struct rollup *r, struct rx_err *err);
/* Forget some of the minutes and hours that are not kept any longer; days stay.
 * *more: not all of them yet. */
RX_NODISCARD enum rx_code rollup_forget(
    struct rollup *r, bool *more, struct rx_err *err);
/* Rows up to this id are in the tables. */
uint64_t rollup_mark(const struct rollup *r);
/* Rows were there before the sums, and are not all in them yet. */
bool rollup_is_behind(const struct rollup *r);

#endif
