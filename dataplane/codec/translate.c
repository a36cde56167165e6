#include "dataplane/codec/translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/accumulate.h"
#include "dataplane/codec/count.h"
#include "dataplane/codec/estimate.h"
#include "dataplane/codec/fault.h"
#include "dataplane/codec/normalise.h"
#include "dataplane/codec/recall.h"
#include "dataplane/frames.h"
#include "dataplane/sse.h"
#include "shared/decode.h"
#include "shared/secret.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define BODY_MAX  ((size_t)256 * 1024 * 1024)
#define ERROR_MAX ((size_t)1024 * 1024)

/* How the upstream's bytes are to be taken apart. */
enum form { FORM_EVENTS, FORM_DOCUMENTS, FORM_ERROR, FORM_COUNT };

struct translation {
    const struct codec *client, *channel;
    struct rx_arena *arena;
    struct ir_request request;
    struct capability cap;
    struct codec_world world;
    struct codec_stream about;
    struct ir_losses losses;
    struct codec_outgoing outgoing;
    rx_str to_count; /* the client's body, until its tokens are estimated */
    struct recall_scope scope;
    struct recall *recall; /* notes the answer; NULL: nobody does */

    /* The answer. */
    int status;
    enum form form;
    bool begun, over;
    bool failed; /* an error was told */
    bool count;  /* of tokens only */
    bool strict; /* RX_INVALID instead of a loss */
    struct rx_decode *decode;
    struct sse sse;
    struct frames frames;
    struct rx_buf error; /* an error's body, or a count's */
    struct codec_reader *reader;
    struct normaliser *normaliser;
    struct codec_writer *writer;     /* for a client that streams */
    struct accumulator *accumulator; /* for one that does not */
    struct rx_buf *out;              /* of the call that is under way */
};

bool
translate_can(enum dialect client, enum dialect channel)
{
    return client != channel && codec_of(client) != NULL &&
           codec_of(channel) != NULL;
}

/* --- the request ------------------------------------------------------------------- */

static void *
must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

/* Who the user is, is between him and his provider; that it is the same one
 * again may be told. */
static void
hide_user(struct translation *t, rx_str tenant)
{
    static const char mark[] = "rtxu_";
    rx_str *id = &t->request.user_id;
    char text[sizeof(mark) + 2 * RX_DIGEST_SIZE];
    struct rx_buf plain;

    if (id->len == 0)
        return;
    rx_buf_init(&plain, tenant.len + id->len + 1);
    rx_buf_add(&plain, tenant);
    rx_buf_addc(&plain, '\0');
    rx_buf_add(&plain, *id);
    struct rx_digest d = rx_digest(rx_buf_str(&plain));
    rx_buf_fini(&plain);
    memcpy(text, mark, sizeof(mark));
    rx_hex(d.bytes, 16, text + sizeof(mark) - 1);
    *id = rx_arena_copy(t->arena, (rx_str){ text, strlen(text) });
}

static enum rx_code
make_request(
    struct translation *t, const struct translate_ask *ask, struct rx_err *err)
{
    struct codec_encode encode = { .request = &t->request,
        .cap = &t->cap,
        .arena = t->arena,
        .losses = &t->losses,
        .out = &t->outgoing };

    rx_str body = ask->count ? count_inner(ask->client, ask->body) : ask->body;
    t->request = (struct ir_request){ .dialect = ask->client,
        .model_asked = ir_escape(t->arena, ask->model_asked),
        .model = ir_escape(t->arena, ask->model),
        .stream = ask->stream,
        .stream_array = ask->stream_array };
    enum rx_code code =
        t->client->decode_request(body, t->arena, &t->request, err);
    if (code == RX_OK)
        hide_user(t, ask->tenant);
    if (code == RX_OK && t->scope.memory != NULL) {
        normalise_turns(&t->request);
        recall_apply(&t->scope, &t->request, t->arena);
    }
    if (code == RX_OK)
        code = normalise_request(
            &t->request, ask->key.dialect, &t->cap, t->arena, &t->losses, err);
    if (code != RX_OK)
        return code;
    /* One allocation will do for most. */
    if (rx_buf_room(&t->outgoing.body, ask->body.len + 4096) == NULL)
        return rx_fail(err, RX_TOO_BIG, "the request is too large");
    if (t->client->counts_prompt && ask->stream)
        t->to_count = ask->body;
    code = t->channel->encode_request(&encode, err);
    if (code == RX_OK && ask->count)
        return count_shape(&ask->key, &t->outgoing, t->arena, err);
    if (code == RX_OK && ask->strict && t->losses.count > 0)
        return rx_fail(err, RX_INVALID,
            "%s: would be lost (%s), which the request or the settings forbid",
            t->losses.kept[0].what, t->losses.kept[0].why);
    return code;
}

enum rx_code
translation_new(struct translation **out, const struct translate_ask *ask,
    struct rx_err *err)
{
    struct translation *t = must(calloc(1, sizeof(*t)));

    *out = NULL;
    t->client = codec_of(ask->client);
    t->channel = codec_of(ask->key.dialect);
    t->arena = rx_arena_new(ARENA_MAX);
    t->cap = capability_find(&ask->key);
    t->world = ask->world;
    t->about = (struct codec_stream){ .request = &t->request,
        .cap = &t->cap,
        .world = &t->world,
        .arena = t->arena,
        .losses = &t->losses };
    t->scope = (struct recall_scope){ ask->memory, ask->tenant,
        ask->key.dialect, t->cap.family, ask->world.now_s * 1000 };
    t->status = 200;
    t->count = ask->count;
    t->strict = ask->strict;
    rx_buf_init(&t->outgoing.body, BODY_MAX);
    rx_buf_init(&t->error, ERROR_MAX);
    enum rx_code code = make_request(t, ask, err);
    if (code == RX_OK)
        *out = t;
    else
        translation_free(t);
    return code;
}

static void
free_reader(struct codec_reader *r)
{
    if (r != NULL && r->codec->reader_fini != NULL)
        r->codec->reader_fini(r);
    free(r);
}

static void
free_writer(struct codec_writer *w)
{
    if (w != NULL && w->codec->writer_fini != NULL)
        w->codec->writer_fini(w);
    free(w);
}

void
translation_free(struct translation *t)
{
    if (t == NULL)
        return;
    if (t->begun) {
        sse_fini(&t->sse);
        frames_fini(&t->frames);
    }
    rx_decode_free(t->decode);
    free_reader(t->reader);
    free_writer(t->writer);
    normaliser_free(t->normaliser);
    accumulator_free(t->accumulator);
    recall_free(t->recall);
    rx_buf_fini(&t->outgoing.body);
    rx_buf_fini(&t->error);
    rx_arena_free(t->arena);
    free(t);
}

rx_str
translation_body(const struct translation *t)
{
    return rx_buf_str(&t->outgoing.body);
}

rx_str
translation_path(const struct translation *t)
{
    return t->outgoing.path;
}

rx_str
translation_headers(const struct translation *t)
{
    return t->outgoing.headers;
}

const struct ir_losses *
translation_losses(const struct translation *t)
{
    return &t->losses;
}

void
translation_drop_body(struct translation *t)
{
    t->to_count = (rx_str){ 0 };
    rx_buf_release(&t->outgoing.body);
}

bool
translation_needs_body(const struct translation *t)
{
    return t->client->echoes;
}

/* --- the answer -------------------------------------------------------------------- */

/* Unless somebody told what the prompt takes.  Only now: by the time the answer
 * comes the loop has been elsewhere, and a long request is not looked through
 * twice in one turn of it. */
static void
estimate_prompt(struct translation *t, const struct usage *told)
{
    bool is_told = told != NULL && ir_usage_has(told, USAGE_in_uncached);

    if (t->to_count.len > 0 && !is_told)
        t->request.prompt_estimate =
            estimate_tokens(t->client->dialect, t->to_count);
    t->to_count = (rx_str){ 0 };
}

static void
write_event(void *arg, const struct ir_event *e)
{
    struct translation *t = arg;

    t->failed = t->failed || e->kind == IR_EV_ERROR;
    if (e->kind == IR_EV_START)
        estimate_prompt(t, e->start.usage);
    t->writer->out = t->out;
    t->writer->codec->write(t->writer, e);
}

static struct ir_sink
answer_sink(struct translation *t)
{
    if (!t->request.stream) {
        t->accumulator = accumulator_new(t->arena);
        return accumulator_sink(t->accumulator);
    }
    t->writer = must(t->client->writer_new());
    t->writer->codec = t->client;
    t->writer->about = t->about;
    return (struct ir_sink){ write_event, t };
}

static bool
is_events(rx_str type)
{
    static const rx_str name = RX_STR_INIT("text/event-stream");

    return type.len >= name.len &&
           rx_str_ieq((rx_str){ type.ptr, name.len }, name);
}

void
translation_begin(struct translation *t, int status, rx_str content_type,
    rx_str content_encoding)
{
    enum rx_coding coding = RX_CODING_IDENTITY;

    t->begun = true;
    t->status = status;
    t->form = status >= 300             ? FORM_ERROR
              : t->count                ? FORM_COUNT
              : is_events(content_type) ? FORM_EVENTS
                                        : FORM_DOCUMENTS;
    /* A coding that nobody knows makes a body nobody can read: an error. */
    if (rx_coding_find(content_encoding, &coding) &&
        coding != RX_CODING_IDENTITY)
        t->decode = rx_decode_new(coding);
    sse_init(&t->sse, SSE_EVENT_MAX);
    frames_init(&t->frames, FRAMES_VALUE_MAX);
    if (status < 300)
        t->recall = recall_new(&t->scope, t->cap.replay == CAP_REPLAY_MUST);
    t->normaliser =
        normaliser_new(&t->about, recall_after(t->recall, answer_sink(t)));
    t->reader = must(t->channel->reader_new());
    t->reader->codec = t->channel;
    t->reader->about = t->about;
    t->reader->to = recall_before(t->recall, normaliser_sink(t->normaliser));
}

static void
feed_events(struct translation *t, rx_str bytes)
{
    struct sse_event event;

    while (sse_next(&t->sse, &bytes, &event))
        t->channel->read(t->reader, &event);
}

static void
feed_documents(struct translation *t, rx_str bytes)
{
    rx_str value;

    while (frames_next(&t->frames, &bytes, &value)) {
        struct sse_event event = { .data = value, .raw = true };
        if (t->frames.in_array)
            t->channel->read(t->reader, &event);
        else
            t->channel->read_whole(t->reader, value);
    }
}

static void
feed_plain(struct translation *t, rx_str bytes)
{
    size_t room = ERROR_MAX - t->error.len;

    switch (t->form) {
    case FORM_EVENTS: feed_events(t, bytes); break;
    case FORM_DOCUMENTS: feed_documents(t, bytes); break;
    case FORM_COUNT:
    case FORM_ERROR:
        if (bytes.len > room)
            bytes.len = room;
        rx_buf_add(&t->error, bytes);
        break;
    }
}

/* What was packed is unpacked piece by piece; broken data is a cut. */
static void
feed_packed(struct translation *t, rx_str bytes)
{
    rx_str piece;

    do {
        if (rx_decode_step(t->decode, &bytes, &piece) != RX_OK)
            return;
        if (piece.len > 0)
            feed_plain(t, piece);
    } while (bytes.len > 0 || piece.len > 0);
}

void
translation_feed(struct translation *t, rx_str bytes, struct rx_buf *out)
{
    if (t->over || bytes.len == 0)
        return;
    t->out = out;
    if (t->decode != NULL)
        feed_packed(t, bytes);
    else
        feed_plain(t, bytes);
    t->out = NULL;
}

/* --- the end ------------------------------------------------------------------------ */

static void
end_error(struct translation *t)
{
    struct ir_error e;

    if (!fault_read(rx_buf_str(&t->error), t->status, &e))
        e = (struct ir_error){ .fault = IR_FAULT_UPSTREAM };
    if (e.message.len == 0)
        e.message = RX_S("the upstream told an error without words");
    t->failed = true;
    t->status = t->client->write_error(&e, t->out);
}

static void
end_count(struct translation *t)
{
    uint64_t tokens;

    if (count_read(t->channel->dialect, rx_buf_str(&t->error), &tokens))
        estimate_answer(t->client->dialect, tokens, t->out);
    else
        end_error(t);
}

/* Nothing was shown yet: who would rather have none than not all gets none. */
static void
refuse_answer(struct translation *t)
{
    char words[256];

    snprintf(words, sizeof(words),
        "%s: of the answer would be lost (%s), which the request or the "
        "settings forbid",
        t->losses.kept[0].what, t->losses.kept[0].why);
    t->failed = true;
    t->status = t->client->write_error(
        &(struct ir_error){ .fault = IR_FAULT_INVALID,
            .message = ir_escape(t->arena, (rx_str){ words, strlen(words) }) },
        t->out);
}

static void
end_whole(struct translation *t)
{
    const struct ir_response *r = accumulator_result(t->accumulator);
    size_t from = t->out->len;

    if (r->failed) {
        t->failed = true;
        t->status = t->client->write_error(&r->error, t->out);
        return;
    }
    t->client->write_whole(&t->about, r, t->out);
    if (t->strict && t->losses.count > 0) {
        t->out->len = from;
        refuse_answer(t);
    }
}

void
translation_end(struct translation *t, bool clean, struct rx_buf *out)
{
    struct sse_event event;

    if (t->over || !t->begun)
        return;
    t->over = true;
    t->out = out;
    if (t->decode != NULL && !rx_decode_complete(t->decode))
        clean = false;
    if (t->form == FORM_ERROR) {
        end_error(t);
    } else if (t->form == FORM_COUNT) {
        end_count(t);
    } else {
        if (t->form == FORM_EVENTS && sse_end(&t->sse, &event))
            t->channel->read(t->reader, &event);
        t->channel->read_end(t->reader, clean);
        if (t->accumulator != NULL)
            end_whole(t);
    }
    t->out = NULL;
}

int
translation_status(const struct translation *t)
{
    return t->status;
}

rx_str
translation_content_type(const struct translation *t)
{
    if (t->writer == NULL || t->form == FORM_ERROR || t->count ||
        t->request.stream_array)
        return RX_S("application/json");
    return RX_S("text/event-stream; charset=utf-8");
}

bool
translation_failed(const struct translation *t)
{
    return t->failed;
}
