/* What the files of the Anthropic dialect share. */
#ifndef DATAPLANE_CODEC_ANTHROPIC_H
#define DATAPLANE_CODEC_ANTHROPIC_H

#include "dataplane/codec/codec.h"

enum rx_code anthropic_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err);
enum rx_code anthropic_encode_request(
    const struct codec_encode *in, struct rx_err *err);

struct codec_reader *anthropic_reader_new(void);
void anthropic_reader_fini(struct codec_reader *r);
void anthropic_read(struct codec_reader *r, const struct sse_event *event);
void anthropic_read_whole(struct codec_reader *r, rx_str document);
void anthropic_read_end(struct codec_reader *r, bool clean);

struct codec_writer *anthropic_writer_new(void);
void anthropic_write(struct codec_writer *w, const struct ir_event *e);
void anthropic_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out);
int anthropic_write_error(const struct ir_error *error, struct rx_buf *out);

/* Both ways; a word nobody knows is IR_STOP_UNKNOWN. */
enum ir_stop_reason anthropic_stop(rx_str word);
const char *anthropic_stop_word(enum ir_stop_reason reason);

#endif
