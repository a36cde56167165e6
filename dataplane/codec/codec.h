/*
 * codec.h - what each dialect can do: one table of functions, two sides.
 *
 * The server side speaks to clients: it decodes requests and writes answers.
 * The client side speaks to channels: it encodes requests and reads answers.
 * Four dialects make sixteen pairs out of eight halves, because in between is
 * only the neutral form (ir.h) and what all share:
 *
 *   request   decode_request → normalise_request → encode_request
 *   answer    reader → normaliser → writer                     (a stream)
 *             reader → normaliser → accumulator → write_whole  (a document)
 *
 * All of it is a function of its input, the clock and the ids handed in.
 */
#ifndef DATAPLANE_CODEC_CODEC_H
#define DATAPLANE_CODEC_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/codec/capability.h"
#include "dataplane/codec/ir.h"
#include "dataplane/figures.h"
#include "dataplane/sse.h"
#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Where ids and the time come from. */
struct codec_world {
    uint64_t (*random)(void *arg);
    void *arg;
    uint64_t now_s; /* wall clock */
};

#define CODEC_ID_MAX 40
/* prefix and 24 base62 characters, NUL-terminated. */
rx_str codec_id(
    const struct codec_world *w, const char *prefix, char out[CODEC_ID_MAX]);

/* --- client side: requests ---------------------------------------------------- */

struct codec_outgoing {
    struct rx_buf body;
    rx_str path;    /* "/v1/messages"; in the arena or static */
    rx_str headers; /* complete lines to be added; usually empty */
};

struct codec_encode {
    const struct ir_request *request; /* shaped by normalise_request */
    const struct capability *cap;
    struct rx_arena *arena;
    struct ir_losses *losses;
    struct codec_outgoing
        *out; /* body is initialised, path and headers empty */
};

/* --- reading an answer ---------------------------------------------------------- */

/* What a reader or a writer is made with; all outlives it. */
struct codec_stream {
    const struct ir_request *request;
    const struct capability *cap; /* of the upstream */
    const struct codec_world *world;
    struct rx_arena *arena;   /* for small texts that must outlive an event */
    struct ir_losses *losses; /* what of the answer cannot be said; or NULL */
};

/* Can it be cited elsewhere?  What has no address cannot: a loss. */
bool codec_can_cite(
    const struct codec_stream *about, const struct ir_citation *c);

/* Of the answer; both are constants. */
static inline void
codec_lose(const struct codec_stream *about, const char *what, const char *why)
{
    if (about->losses != NULL)
        ir_lose(about->losses, what, why);
}

/*
 * Each dialect begins its own reader and writer with one of these; the
 * functions get it back.
 */
struct codec_reader {
    const struct codec *codec;
    struct codec_stream about;
    struct ir_sink to;
    struct figures figures; /* told so far */
    bool over;
};

struct codec_writer {
    const struct codec *codec;
    struct codec_stream about;
    struct rx_buf *out;
};

struct codec {
    enum dialect dialect;

    /* -- server side -- */

    /*
     * RX_INVALID with "path: words" when the body is not such a request;
     * `request` comes zeroed but for dialect, model_asked, model and stream,
     * which the caller knows; views into `body` are kept.
     */
    enum rx_code (*decode_request)(rx_str body, struct rx_arena *arena,
        struct ir_request *request, struct rx_err *err);

    /* A writer; freed with plain free() after writer_fini (may be NULL). */
    struct codec_writer *(*writer_new)(void);
    void (*writer_fini)(struct codec_writer *w);
    /* One normalised event to the client's bytes. */
    void (*write)(struct codec_writer *w, const struct ir_event *e);
    bool echoes; /* its answers repeat parts of the request */
    /* Its streams begin with what the prompt takes, known or not. */
    bool counts_prompt;
    /* What to send while nothing comes; may be empty. */
    rx_str keepalive;

    /* A whole answer. */
    void (*write_whole)(const struct codec_stream *about,
        const struct ir_response *response, struct rx_buf *out);
    /* An error as a whole body; returns the HTTP status it goes with. */
    int (*write_error)(const struct ir_error *error, struct rx_buf *out);

    /* -- client side -- */

    /*
     * RX_INVALID with "path: words" when this cannot be said to that model;
     * what is merely lost goes into the ledger.
     */
    enum rx_code (*encode_request)(
        const struct codec_encode *in, struct rx_err *err);

    struct codec_reader *(*reader_new)(void);
    void (*reader_fini)(struct codec_reader *r);
    /* One server-sent event; [DONE] included.  Views die on return. */
    void (*read)(struct codec_reader *r, const struct sse_event *event);
    /* A whole document (an answer or, with any status, an error). */
    void (*read_whole)(struct codec_reader *r, rx_str document);
    /*
     * The bytes are over; `clean` when their framing says so.  Tells END or
     * ERROR (IR_FAULT_CUT) unless it was told already.
     */
    void (*read_end)(struct codec_reader *r, bool clean);
};

extern const struct codec codec_anthropic;
extern const struct codec codec_chat;
extern const struct codec codec_responses;
extern const struct codec codec_gemini;

/* NULL: this dialect is not translated (yet). */
const struct codec *codec_of(enum dialect dialect);

#endif
