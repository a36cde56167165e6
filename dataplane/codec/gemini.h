/* What the files of the Gemini dialect share. */
#ifndef DATAPLANE_CODEC_GEMINI_H
#define DATAPLANE_CODEC_GEMINI_H

#include "dataplane/codec/codec.h"

/* Accepted by the API where the signature of an earlier call is lost. */
#define GEMINI_NO_SIGNATURE "skip_thought_signature_validator"

enum rx_code gemini_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err);
enum rx_code gemini_encode_request(
    const struct codec_encode *in, struct rx_err *err);

struct codec_reader *gemini_reader_new(void);
void gemini_reader_fini(struct codec_reader *r);
void gemini_read(struct codec_reader *r, const struct sse_event *event);
void gemini_read_whole(struct codec_reader *r, rx_str document);
void gemini_read_end(struct codec_reader *r, bool clean);

struct codec_writer *gemini_writer_new(void);
void gemini_writer_fini(struct codec_writer *w);
void gemini_write(struct codec_writer *w, const struct ir_event *e);
void gemini_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out);
int gemini_write_error(const struct ir_error *error, struct rx_buf *out);

enum ir_stop_reason gemini_stop(rx_str word);
const char *gemini_stop_word(enum ir_stop_reason reason);

/* A medium's kind by its type. */
enum ir_media_kind gemini_media_kind(rx_str mime);

/* --- base64, in the alphabet of RFC 4648 4 -------------------------------------- */

void gemini_base64(struct rx_buf *out, rx_str bytes);
/* Of either alphabet, padded or not; blanks are passed over.  False: it is
 * something else. */
bool gemini_from_base64(rx_str text, struct rx_buf *out);

/* --- decoding, in two files --------------------------------------------------------- */

struct decode;
/* Everything but the conversation. */
bool gemini_decode_tools(struct decode *d, rx_str tools, rx_str config);
bool gemini_decode_generation(struct decode *d, rx_str config);

/* --- arguments that come piece by piece ------------------------------------------------ */

/*
 * A call whose arguments are patched together from JSON paths.  Zeroed: none
 * is being made.
 */
struct gemini_args {
    struct gemini_leaf *leaves;
    size_t count, size;
    bool bad; /* too many, or a path nobody can follow */
};
void gemini_args_add(struct gemini_args *a, rx_str partial_args);
/* The object made of all, as JSON. */
void gemini_args_put(const struct gemini_args *a, struct rx_buf *out);
void gemini_args_fini(struct gemini_args *a);

#endif
