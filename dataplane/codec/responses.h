/*
 * responses.h - what the files of the Responses codec share.
 *
 *   server side   responses_request.c       a request's members
 *                 responses_input.c         ... its items
 *                 responses_tools.c         ... its tools and choice
 *                 responses_write.c         an answer, event by event
 *                 responses_write_items.c   ... its items: messages
 *                 responses_write_reasoning.c   ... reasoning
 *                 responses_write_calls.c   ... its tool calls
 *                 responses_object.c        the response object
 *   client side   responses_encode.c        a request for the channel
 *                 responses_encode_items.c  ... its items
 *                 responses_encode_tools.c  ... its tools and choice
 *                 responses_read.c          an answer, event by event
 *                 responses_slots.c         ... what of it was told already
 *                 responses_conclude.c      ... how it ended
 *   both          responses_item.c          items and parts as they stand
 */
#ifndef DATAPLANE_CODEC_RESPONSES_H
#define DATAPLANE_CODEC_RESPONSES_H

#include "dataplane/codec/codec.h"
#include "dataplane/codec/decode.h"
#include "dataplane/codec/ir.h"
#include "dataplane/codec/walk.h"

/* --- items, member by member ------------------------------------------------- */

enum responses_kind {
    RESPONSES_MESSAGE,
    RESPONSES_REASONING,
    RESPONSES_FUNCTION_CALL,
    RESPONSES_FUNCTION_OUTPUT,
    RESPONSES_CUSTOM_CALL,
    RESPONSES_CUSTOM_OUTPUT,
    RESPONSES_SHELL_CALL, /* the client's own tools: see responses_builtin */
    RESPONSES_SHELL_OUTPUT,
    RESPONSES_WEB_SEARCH,
    RESPONSES_TOOL_SEARCH_OUTPUT,
    RESPONSES_ADDITIONAL_TOOLS,
    RESPONSES_FOREIGN, /* hosted tools and what else only OpenAI knows */
};

struct responses_item {
    enum responses_kind kind;
    rx_str whole; /* raw */
    /* text */
    rx_str type, id, role, phase, status, call_id, name, space, encrypted,
        execution;
    /* raw */
    rx_str content, summary, arguments, input, output, action, tools,
        environment;
};

/* All of `object` by the table; false when it is no object, or broken. */
bool responses_walk(
    rx_str object, const struct walk_row *rows, size_t n, void *to);
#define RESPONSES_WALK(object, rows, to) \
    responses_walk(object, rows, RX_COUNT(rows), to)

/* False when it is not an object. */
bool responses_item_read(rx_str raw, struct responses_item *item);

struct responses_part {
    rx_str type, text, refusal, detail, file_id, file_url, file_data,
        filename;                                         /* text */
    rx_str image_url, input_audio, annotations, logprobs; /* raw */
};

bool responses_part_read(rx_str raw, struct responses_part *part);

/*
 * A tool the client runs and the model knows by heart.  Other models get it as
 * a function of this name, and their call becomes its item again.
 */
struct responses_builtin {
    rx_str type;      /* of the tool, and the name of the function */
    rx_str call;      /* type of the call's item */
    rx_str output;    /* type of its result's item */
    rx_str arguments; /* member of the call's item that says what to do */
    rx_str description, schema;
};
/* Does it run in a container of the provider's? */
bool responses_is_hosted(rx_str environment);
const struct responses_builtin *responses_builtin_of(rx_str type);
const struct responses_builtin *responses_builtin_call(rx_str item_type);

/* {"type":"url_citation",...} of an answer's text. */
void responses_citation_read(rx_str raw, struct ir_citation *c);

/* --- server side --------------------------------------------------------------- */

void responses_decode_input(struct decode *d, rx_str input);
void responses_decode_tools(struct decode *d, rx_str tools);
void responses_decode_choice(struct decode *d, rx_str choice);

enum rx_code responses_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err);

struct codec_writer *responses_writer_new(void);
void responses_writer_fini(struct codec_writer *w);
void responses_write(struct codec_writer *w, const struct ir_event *e);
void responses_write_whole(const struct codec_stream *about,
    const struct ir_response *response, struct rx_buf *out);
int responses_write_error(const struct ir_error *error, struct rx_buf *out);

/* --- client side --------------------------------------------------------------- */

enum rx_code responses_encode_request(
    const struct codec_encode *in, struct rx_err *err);
/* "instructions" if the system text fits there, and "input". */
enum rx_code responses_put_input(
    const struct codec_encode *in, struct rx_err *err);
/* "tools" and "tool_choice", if there are. */
void responses_put_tools(const struct codec_encode *in);
void responses_put_choice(const struct codec_encode *in);

struct codec_reader *responses_reader_new(void);
void responses_reader_fini(struct codec_reader *r);
void responses_read(struct codec_reader *r, const struct sse_event *event);
void responses_read_whole(struct codec_reader *r, rx_str document);
void responses_read_end(struct codec_reader *r, bool clean);

#endif
