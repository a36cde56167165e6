/* What the files of the Chat Completions dialect share. */
#ifndef DATAPLANE_CODEC_CHAT_H
#define DATAPLANE_CODEC_CHAT_H

#include "dataplane/codec/codec.h"

enum rx_code chat_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err);
enum rx_code chat_encode_request(
    const struct codec_encode *in, struct rx_err *err);

struct codec_reader *chat_reader_new(void);
void chat_reader_fini(struct codec_reader *r);
void chat_read(struct codec_reader *r, const struct sse_event *event);
void chat_read_whole(struct codec_reader *r, rx_str document);
void chat_read_end(struct codec_reader *r, bool clean);

struct codec_writer *chat_writer_new(void);
void chat_write(struct codec_writer *w, const struct ir_event *e);
void chat_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out);
int chat_write_error(const struct ir_error *error, struct rx_buf *out);

/* A call's object, as in requests and answers; what else it says may follow. */
void chat_put_call(struct rx_buf *b, const struct ir_call *c);

enum ir_stop_reason chat_stop(rx_str word);
const char *chat_stop_word(enum ir_stop_reason reason);

/* --- tool calls out of fragments (chat_calls.c) -------------------------------- */

struct chat_calls;

/* One entry of delta.tool_calls. */
struct chat_fragment {
    struct ir_int index;
    rx_str id, name;
    rx_str args;   /* text */
    rx_str object; /* raw: arguments that came as an object */
    bool custom;
    struct ir_opaque seal;
};

struct chat_calls *chat_calls_new(struct ir_sink to, uint32_t first_part);
void chat_calls_free(struct chat_calls *c);
void chat_calls_add(struct chat_calls *c, const struct chat_fragment *f);
/* The answer is over: what was held back is told. */
void chat_calls_finish(struct chat_calls *c);

#endif
