/*
 * decode.h - what the decoders of requests share.
 */
#ifndef DATAPLANE_CODEC_DECODE_H
#define DATAPLANE_CODEC_DECODE_H

#include "dataplane/codec/codec.h"
#include "dataplane/codec/walk.h"

struct decode {
    struct rx_arena *arena;
    struct ir_request *r;
    struct rx_err *err;   /* code is RX_OK as long as all is well */
    uint32_t turn, index; /* where we are */
    const char *turns;    /* "messages" */
};

/* The first failure stands; always false. */
bool decode_fail(struct decode *d, const char *fmt, ...) RX_PRINTF(2, 3);
/* "messages[3].content[1]: words" */
bool decode_fail_part(struct decode *d, const char *words);
static inline bool
decode_ok(const struct decode *d)
{
    return d->err->code == RX_OK;
}

/* A part that knows where it stood; NULL (and failed) past the limit. */
struct ir_part *decode_part(
    struct decode *d, struct ir_parts *list, enum ir_part_kind kind);
void decode_text(struct decode *d, struct ir_parts *list, rx_str text);
struct ir_turn *decode_turn(struct decode *d, enum ir_role role);

/* A walk's verdict: "<name>: has the wrong type". */
bool decode_checked(struct decode *d, const struct walk_row *wrong);

/*
 * The members of a whole request by a table.  False, and failed, when it is no
 * JSON object or one of them has the wrong type.
 */
bool decode_object(struct decode *d, rx_str body, const struct walk_row *rows,
    size_t n, void *to);

/* "data:image/png;base64,…" into an inline medium; any other is a URL. */
void decode_url(struct decode *d, rx_str url, struct ir_media *m);

/* A member's strings, or one string, as names. */
bool decode_names(
    struct decode *d, const char *what, rx_str value, struct ir_name **list);

/* OpenAI's "service_tier". */
enum ir_tier decode_tier(rx_str word);
enum ir_effort decode_effort(rx_str word);
/* NULL for IR_EFFORT_UNSET. */
const char *effort_word(enum ir_effort effort);
/* Levels and budgets stand for each other (wire.md 3.8). */
int64_t effort_budget(enum ir_effort effort);
/* The nearest level of the set; a tie goes to the lower. */
enum ir_effort effort_clamp(enum ir_effort wanted, unsigned levels);
/* What is wanted in all, as a level or as a budget; unset if nothing is. */
enum ir_effort reasoning_effort(const struct ir_reasoning *r);
bool reasoning_wanted(const struct ir_reasoning *r);

#endif
