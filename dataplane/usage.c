#include "dataplane/usage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/facts.h"
#include "dataplane/frames.h"
#include "dataplane/sse.h"
#include "shared/attr.h"
#include "shared/decode.h"

/*
 *   bytes -> decoder -> events or documents -> facts -> usage
 *            (if any)   (sse.c / frames.c)    (facts*.c)
 */

enum form {
    FORM_UNKNOWN, /* until the first byte */
    FORM_EVENTS,
    FORM_DOCUMENTS,
    FORM_OPAQUE, /* not ours to read */
};

struct usage_tap {
    enum form form;
    bool declared_events; /* by its content type */
    struct rx_decode *decode;
    struct sse sse;
    struct frames frames;
    struct facts facts;
};

uint64_t
usage_tokens(const struct usage *u)
{
    static const enum usage_counter counted[] = { USAGE_in_uncached,
        USAGE_cache_read, USAGE_cache_write_5m, USAGE_cache_write_1h,
        USAGE_cache_write_other, USAGE_in_tool_use, USAGE_out_total };
    uint64_t sum = 0;

    for (size_t i = 0; i < RX_COUNT(counted); i++) {
        if ((u->has >> counted[i] & 1) != 0)
            sum += u->n[counted[i]];
    }
    return sum;
}

const char *
provenance_name(enum provenance p)
{
    static const char *const names[] = {
        [PROVENANCE_NONE] = "none",
        [PROVENANCE_ESTIMATED] = "estimated",
        [PROVENANCE_PARTIAL] = "partial",
        [PROVENANCE_REPORTED] = "reported",
    };

    return names[p];
}

/* "text/html; charset=utf-8" without its parameters. */
static rx_str
media_type(rx_str content_type)
{
    rx_str type;
    rx_str parameters;

    rx_str_cut(content_type, ';', &type, &parameters);
    return rx_str_trim(type);
}

static void
cannot_read(struct usage_tap *tap)
{
    tap->form = FORM_OPAQUE;
    tap->facts.seen.unreadable = true;
}

/* A web page where an answer should be: some gateway in between failed. */
static void
refuse_page(struct usage_tap *tap)
{
    struct usage_seen *seen = &tap->facts.seen;

    cannot_read(tap);
    if (tap->facts.op == OP_MEDIA || tap->facts.op == OP_OBJECT)
        return;
    seen->error = true;
    seen->error_status = 502;
    seen->error_type = RX_S("unexpected_page");
    seen->error_message = RX_S("the upstream answered with a web page");
}

struct usage_tap *
usage_tap_new(enum dialect dialect, enum operation op, rx_str content_type,
    rx_str content_encoding)
{
    struct usage_tap *tap = calloc(1, sizeof(*tap));
    enum rx_coding coding;
    rx_str type = media_type(content_type);

    if (tap == NULL) {
        fputs("routex: out of memory for a usage tap\n", stderr);
        abort();
    }
    tap->facts.dialect = dialect;
    tap->facts.op = op;
    tap->facts.seen.at_boundary = true;
    sse_init(&tap->sse, SSE_EVENT_MAX);
    frames_init(&tap->frames, FRAMES_VALUE_MAX);
    tap->declared_events = rx_str_ieq(type, RX_S("text/event-stream"));
    if (!rx_coding_find(content_encoding, &coding))
        cannot_read(tap);
    else if (coding != RX_CODING_IDENTITY)
        tap->decode = rx_decode_new(coding);
    if (rx_str_ieq(type, RX_S("text/html")))
        refuse_page(tap);
    return tap;
}

void
usage_tap_free(struct usage_tap *tap)
{
    if (tap == NULL)
        return;
    rx_decode_free(tap->decode);
    sse_fini(&tap->sse);
    frames_fini(&tap->frames);
    free(tap);
}

/*
 * Headers lie: a stream is sent as application/json, an error as an event
 * stream.  The first byte does not, but an event stream is read as one, since
 * that reader understands both.
 */
static void
find_form(struct usage_tap *tap, rx_str *bytes)
{
    if (tap->declared_events) {
        tap->form = FORM_EVENTS;
        return;
    }
    while (
        bytes->len > 0 && (bytes->ptr[0] == ' ' || bytes->ptr[0] == '\n' ||
                              bytes->ptr[0] == '\r' || bytes->ptr[0] == '\t')) {
        bytes->ptr++;
        bytes->len--;
    }
    if (bytes->len == 0)
        return;
    switch (bytes->ptr[0]) {
    case '{':
    case '[': tap->form = FORM_DOCUMENTS; break;
    case 'd': /* data: */
    case 'e': /* event: */
    case 'i': /* id: */
    case 'r': /* retry: */
    case ':':
    case '\xef': /* a byte order mark */ tap->form = FORM_EVENTS; break;
    case '<': refuse_page(tap); break;
    default: cannot_read(tap); break;
    }
}

/* Some servers that do not end their stream with a mark still tell why they
 * stopped: then a clean end will do. */
static void
read_done_mark(struct facts *f)
{
    if (f->dialect == DIALECT_CHAT || f->stopped)
        f->seen.terminal = true;
}

/* An error, or a whole answer that was sent for a stream. */
static void
read_raw(struct facts *f, rx_str text)
{
    bool before = f->stopped;

    facts_read_document(f, text);
    if (f->stopped && !before && f->dialect != DIALECT_GEMINI)
        f->seen.terminal = true;
}

static void
read_event(struct facts *f, const struct sse_event *event)
{
    if (rx_str_starts(event->data, RX_S("[DONE]")))
        read_done_mark(f);
    else if (!event->raw)
        facts_read_event(f, event->data);
    else
        read_raw(f, event->data);
}

static void
feed_events(struct usage_tap *tap, rx_str bytes)
{
    struct sse_event event;

    while (sse_next(&tap->sse, &bytes, &event))
        read_event(&tap->facts, &event);
    tap->facts.seen.at_boundary = sse_at_boundary(&tap->sse);
    if (tap->sse.lost > 0)
        tap->facts.seen.unreadable = true;
}

static void
feed_documents(struct usage_tap *tap, rx_str bytes)
{
    struct facts *f = &tap->facts;
    rx_str text;

    while (frames_next(&tap->frames, &bytes, &text))
        facts_read_document(f, text);
    if (tap->frames.bad)
        cannot_read(tap);
    /* The elements of an array are a stream: it must tell why it stops. */
    if (tap->frames.closed)
        f->seen.terminal =
            !tap->frames.in_array || f->stopped || f->op != OP_CREATE;
    f->seen.at_boundary = tap->frames.closed;
}

static void
feed_plain(struct usage_tap *tap, rx_str bytes)
{
    if (tap->form == FORM_UNKNOWN)
        find_form(tap, &bytes);
    switch (tap->form) {
    case FORM_EVENTS: feed_events(tap, bytes); break;
    case FORM_DOCUMENTS: feed_documents(tap, bytes); break;
    case FORM_UNKNOWN:
    case FORM_OPAQUE: break;
    }
}

static void
feed_coded(struct usage_tap *tap, rx_str bytes)
{
    rx_str piece;

    do {
        enum rx_code code = rx_decode_step(tap->decode, &bytes, &piece);
        if (piece.len > 0)
            feed_plain(tap, piece);
        if (code != RX_OK) {
            cannot_read(tap);
            return;
        }
    } while ((bytes.len > 0 || piece.len > 0) && tap->form != FORM_OPAQUE);
}

void
usage_tap_feed(struct usage_tap *tap, rx_str bytes)
{
    if (bytes.len == 0 || tap->form == FORM_OPAQUE)
        return;
    if (tap->decode != NULL)
        feed_coded(tap, bytes);
    else
        feed_plain(tap, bytes);
}

/* Of a document that was cut, what came is read as far as it goes. */
static void
end_documents(struct usage_tap *tap)
{
    rx_str rest = frames_rest(&tap->frames);

    if (rest.len > 0)
        facts_read_document(&tap->facts, rest);
}

static void
end_events(struct usage_tap *tap, bool clean)
{
    struct facts *f = &tap->facts;
    struct sse_event event;

    if (sse_end(&tap->sse, &event))
        read_event(f, &event);
    /* A stop reason and a clean end do for all but Responses, whose clients
     * insist on the last event. */
    if (clean && f->stopped && f->dialect != DIALECT_RESPONSES)
        f->seen.terminal = true;
}

void
usage_tap_end(struct usage_tap *tap, bool clean)
{
    /* Compressed data that breaks off is a cut, whatever the framing says. */
    if (tap->decode != NULL && !rx_decode_complete(tap->decode))
        clean = false;
    if (tap->form == FORM_EVENTS)
        end_events(tap, clean);
    else if (tap->form == FORM_DOCUMENTS)
        end_documents(tap);
}

const struct usage_seen *
usage_tap_seen(const struct usage_tap *tap)
{
    return &tap->facts.seen;
}

static bool
has(const struct usage *u, enum usage_counter i)
{
    return (u->has >> i & 1) != 0;
}

/* Fill what was not told, and say so. */
static void
estimate(struct usage *u, const struct facts *f, uint64_t prompt_bytes)
{
    uint64_t told = u->n[USAGE_out_total];
    uint64_t output = tally_tokens(&f->tally);

    if (!has(u, USAGE_in_uncached)) {
        u->n[USAGE_in_uncached] = tally_tokens_of_bytes(prompt_bytes);
        u->has |= 1u << USAGE_in_uncached;
    }
    if (f->op == OP_CREATE || f->op == OP_COMPLETE) {
        u->n[USAGE_out_total] = told > output ? told : output;
        u->has |= 1u << USAGE_out_total;
    }
}

/* Is all there that such an answer should tell? */
static bool
is_complete(const struct usage *u, const struct facts *f)
{
    bool output = f->op == OP_CREATE || f->op == OP_COMPLETE;

    if (!f->seen.terminal)
        return false;
    return !output || (has(u, USAGE_out_total) && !f->provisional);
}

struct usage
usage_tap_result(const struct usage_tap *tap, uint64_t prompt_bytes)
{
    const struct facts *f = &tap->facts;
    struct usage u = { 0 };

    if (f->stored)
        return u;
    figures_convert(&f->figures, f->dialect, &u);
    bool told = u.has != 0;
    /* An error before content is free, unless it ends with a bill. */
    if (!f->seen.content && (!told || (f->seen.error && !f->seen.terminal)))
        return (struct usage){ 0 };
    if (told && is_complete(&u, f)) {
        u.provenance = PROVENANCE_REPORTED;
        return u;
    }
    u.provenance = told ? PROVENANCE_PARTIAL : PROVENANCE_ESTIMATED;
    if (f->op == OP_CREATE || f->op == OP_COMPLETE || f->op == OP_EMBED)
        estimate(&u, f, prompt_bytes);
    else if (!told)
        u.provenance = PROVENANCE_NONE;
    return u;
}
