/*
 * responses_write.h - a Responses answer in the making.
 *
 * The same code writes a stream and a whole answer: a quiet writer makes no
 * frames but only `output`, which is where a stream ends, too.
 */
#ifndef DATAPLANE_CODEC_RESPONSES_WRITE_H
#define DATAPLANE_CODEC_RESPONSES_WRITE_H

#include "dataplane/codec/codec.h"
#include "dataplane/codec/responses.h"

/* An answer beyond this ends as a failure: its last event repeats it all. */
#define RESPONSES_OUTPUT_MAX ((size_t)64 * 1024 * 1024)

enum responses_open { OPEN_NONE, OPEN_MESSAGE, OPEN_REASONING, OPEN_CALL };

struct responses_status {
    const char *word;
    const char *incomplete;       /* why; NULL: it is not */
    const struct ir_error *error; /* NULL: none; else good until it is told */
};

struct responses_writer {
    struct codec_writer base;
    bool quiet;
    bool started, ended;
    struct responses_status status;
    uint64_t sequence;
    size_t frame;          /* where the data of the one being made begins */
    char id[CODEC_ID_MAX]; /* of the response */
    char tier[16];
    uint64_t created_s;

    struct rx_buf output; /* items that are done */
    uint64_t items;       /* how many: the index of the one under way */

    /* the item under way; one at a time */
    enum responses_open open;
    bool shown; /* its `added` was written */
    char item_id[CODEC_ID_MAX];
    struct rx_buf head;    /* its members that do not change */
    struct rx_buf content; /* message: parts that are done */
    uint64_t parts;        /* how many */

    /* the part under way, or the arguments */
    enum ir_part_kind part;
    bool part_open;
    bool refused; /* some part was a refusal */
    struct rx_buf text;
    struct rx_buf notes; /* its annotations */
    uint64_t note_count;
    struct rx_buf logprobs;

    struct rx_buf seal; /* reasoning: encrypted_content */
    enum ir_call_kind call;
    const struct responses_builtin *builtin; /* the call is one of those */
    struct rx_buf name;                      /* of the call */

    struct usage usage;
    enum ir_stop_reason stop;
};

/* Begin the frame of an event; false when none is to be made. */
bool responses_frame(struct responses_writer *w, const char *type);
void responses_frame_end(struct responses_writer *w);
/* item_id and output_index, which nearly every event has. */
void responses_frame_item(struct responses_writer *w);

/* Items: what one event does to them. */
void responses_item_open(struct responses_writer *w, const struct ir_event *e);
void responses_item_feed(struct responses_writer *w, const struct ir_event *e);
void responses_item_close(struct responses_writer *w);
/* Nothing follows but the end: the item under way is done. */
void responses_item_finish(struct responses_writer *w);
/* It broke off: a message is kept as far as it goes, the rest is dropped. */
void responses_item_break(struct responses_writer *w);

/* Shared by message and call. */
void responses_item_begin(struct responses_writer *w, const char *prefix);
void responses_item_added(struct responses_writer *w);
void responses_item_done(struct responses_writer *w, rx_str rest);

/* The kinds. */
void responses_call_open(struct responses_writer *w, const struct ir_event *e);
void responses_call_feed(struct responses_writer *w, const struct ir_event *e);
void responses_call_close(struct responses_writer *w);
void responses_reasoning_open(struct responses_writer *w);
void responses_reasoning_feed(struct responses_writer *w, rx_str text);
void responses_reasoning_seal(
    struct responses_writer *w, const struct ir_opaque *seal);
void responses_reasoning_close(struct responses_writer *w);
void responses_image_item(struct responses_writer *w, const struct ir_media *m);
void responses_lookup_item(
    struct responses_writer *w, const struct ir_lookup *l);
void responses_sealed_item(
    struct responses_writer *w, const struct ir_opaque *seal);

/* The response object, by what the writer knows. */
void responses_put_object(const struct responses_writer *w, struct rx_buf *b);

#endif
