/*
 * normalise_parts.h - what the files of the normaliser of answers share.
 *
 * A slot is a part of the answer on its way from the reader to the writer.  Of
 * all slots one may be active: its bytes pass straight through.  The others
 * wait, holding theirs, until the active one is over.
 *
 *     waiting ──(something is in it)──> due ──> active ──> closed
 */
#ifndef DATAPLANE_CODEC_NORMALISE_PARTS_H
#define DATAPLANE_CODEC_NORMALISE_PARTS_H

#include "dataplane/codec/keep.h"
#include "dataplane/codec/normalise.h"
#include "dataplane/codec/places.h"
#include "dataplane/codec/stop_filter.h"

struct slot {
    uint32_t part; /* as the reader calls it */
    uint32_t number;
    enum ir_part_kind kind;
    bool due;
    bool active; /* stays so when it is closed */
    bool opened; /* the writer heard of it */
    bool closed;
    bool ended;  /* the reader closed it */
    bool hidden; /* not for this client */
    bool summary, redacted, sealed;
    bool any;    /* bytes came */
    bool unwrap; /* a free-text tool in a function's clothes */
    enum ir_call_kind call;
    struct ir_scan scan; /* of a call's arguments */
    struct rx_buf held;
    rx_str id, name, space;
    struct ir_opaque seal;
    const struct ir_media *media;
    const struct ir_lookup *lookup;
    struct places places; /* of a text */
    struct ir_citation *citations, *last_citation;
};

struct normaliser {
    struct codec_stream about;
    struct ir_sink to;
    struct slot **slots;
    size_t count, size;
    struct slot *active;
    uint32_t next_number;
    uint32_t calls; /* the client is to run */
    size_t held;    /* bytes waiting */
    bool have_start, started, over;
    struct ir_event start;
    struct ir_stop stop;
    struct usage usage;
    struct keep keep;
    struct rx_buf logprobs;    /* elements that wait for their text */
    uint64_t chars, bytes;     /* of the texts that are closed */
    struct stop_filter *stops; /* NULL: the model watches for itself */
    bool stopped;              /* at a sequence: the rest is not shown */
};

void *normalise_must(void *p);
/* The answer ends in an error of ours. */
void normalise_fail(
    struct normaliser *n, enum ir_fault fault, const char *words);

/* --- slots: normalise_slot.c ------------------------------------------------ */

/* NULL: too many of them, and the answer has failed. */
struct slot *normalise_slot_new(
    struct normaliser *n, uint32_t part, enum ir_part_kind kind);
/* The latest of that name that can still take something, or NULL. */
struct slot *normalise_slot(const struct normaliser *n, uint32_t part);
/* Was the latest of that name, closed or not, a call? */
bool normalise_was_call(const struct normaliser *n, uint32_t part);
/* The text that is open, or is to come, under that name, or NULL. */
struct slot *normalise_slot_cited(struct normaliser *n, uint32_t part);
void normalise_open(struct normaliser *n, const struct ir_event *e);
void normalise_keep_seal(
    struct normaliser *n, struct slot *s, const struct ir_opaque *seal);

/* --- turns: normalise_turn.c ------------------------------------------------ */

void normalise_emit_start(struct normaliser *n);
void normalise_emit_logprobs(struct normaliser *n, struct slot *s);
/* Bytes of the active one. */
void normalise_show(struct normaliser *n, struct slot *s, rx_str bytes);
/* Close what is over, and let show what is due. */
void normalise_advance(struct normaliser *n);

#endif
