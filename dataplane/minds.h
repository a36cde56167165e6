/*
 * minds.h - what models of channels were found to mind.
 *
 * A request that was refused for a part of it and taken without teaches that
 * the next one is better sent without at once (repair.h).  Bounded, and
 * forgotten after an hour: providers change.
 */
#ifndef DATAPLANE_MINDS_H
#define DATAPLANE_MINDS_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/dialect.h"
#include "dataplane/repair.h"
#include "shared/attr.h"
#include "shared/str.h"

#define MINDS_MODELS 256 /* the one heard of longest ago gives way */
#define MINDS_PER    8
#define MINDS_TTL_MS ((uint64_t)3600 * 1000)

struct minds;

/* A model of a channel, in one of its dialects. */
struct minds_of {
    rx_str channel; /* id */
    enum dialect dialect;
    rx_str model;
};

RX_NODISCARD struct minds *minds_new(void);
void minds_free(struct minds *m); /* NULL is allowed */

/* Passes over what is not lasting, and what is known already. */
void minds_learn(struct minds *m, const struct minds_of *of,
    const struct repair *r, uint64_t now_ms);
/* What was learnt of this channel is not so any more. */
void minds_forget(struct minds *m, rx_str channel);
/* What is known, in the order it was learnt; good until the next lesson. */
const struct repair *minds_find(const struct minds *m,
    const struct minds_of *of, uint64_t now_ms, size_t *count);

#endif
