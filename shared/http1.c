/*
 * http-parser calls back with fragments of names and values.  They are put
 * together in one text, name value name value, and only their lengths are
 * noted meanwhile, because the text may move; the pointers are filled in when
 * the head is whole.  Text and headers are given back right after on_head:
 * a stream that then runs for minutes keeps 150 bytes here.
 *
 * http-parser's own limit (its count starts anew with each chunk header and
 * trailer) is a global of the process; it is set to HARD_LIMIT once and stops
 * endless blanks, chunk extensions and trailers, none of which are kept.
 */
#include "shared/http1.h"

#include <assert.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"

#define HARD_LIMIT  ((uint32_t)256 * 1024)
#define MAX_HEADERS 256
#define MAX_LENGTH  (UINT64_MAX >> 2)

struct rx_http1 {
    http_parser parser;
    const struct rx_http1_events *events;
    void *arg;
    const char *why;
    size_t max_head;
    size_t head_used; /* bytes of reason, names and values so far */
    struct rx_buf text;
    struct rx_header *headers;
    uint16_t count;
    uint16_t room;
    bool head_only;
    bool begun;       /* a byte of an answer was seen */
    bool in_value;    /* the last fragment was of a value */
    bool head_done;   /* on_head was called: what follows are trailers */
    bool interim;     /* this head is a 1xx */
    bool until_close; /* the body ends with the connection */
    bool complete;    /* the message under way is whole */
    bool keeps;
    bool stopped;
};

static struct rx_http1 *
self(http_parser *parser)
{
    return parser->data;
}

/* Both for returning out of a callback: http-parser stops on non-zero. */
static int
broken(struct rx_http1 *h, const char *why)
{
    h->why = why;
    return -1;
}

static int
count_head(struct rx_http1 *h, size_t n)
{
    h->head_used += n;
    if (h->head_used > h->max_head)
        return broken(h, "the head of the answer is too big");
    return 0;
}

static int
on_status(http_parser *parser, const char *at, size_t n)
{
    (void)at;
    return count_head(self(parser), n);
}

static int
header_add(struct rx_http1 *h)
{
    if (h->count == MAX_HEADERS)
        return broken(h, "the answer has too many headers");
    if (h->count == h->room) {
        h->room = h->room ? (uint16_t)(h->room * 2) : 32;
        h->headers = realloc(h->headers, h->room * sizeof(*h->headers));
        if (h->headers == NULL)
            abort();
    }
    h->headers[h->count++] = (struct rx_header){ 0 };
    return count_head(h, 4);
}

static int
text_add(struct rx_http1 *h, const char *at, size_t n)
{
    if (count_head(h, n) != 0)
        return -1;
    rx_buf_add(&h->text, (rx_str){ at, n });
    return 0;
}

static int
on_field(http_parser *parser, const char *at, size_t n)
{
    struct rx_http1 *h = self(parser);

    if (h->head_done)
        return count_head(h, n);
    if ((h->in_value || h->count == 0) && header_add(h) != 0)
        return -1;
    h->in_value = false;
    h->headers[h->count - 1].name.len += n;
    return text_add(h, at, n);
}

static int
on_value(http_parser *parser, const char *at, size_t n)
{
    struct rx_http1 *h = self(parser);

    if (h->head_done)
        return count_head(h, n);
    h->in_value = true;
    h->headers[h->count - 1].value.len += n;
    return text_add(h, at, n);
}

/* Debian builds the parser lenient: it lets blanks into names. */
static int
headers_place(struct rx_http1 *h)
{
    const char *at = h->text.ptr;

    for (size_t i = 0; i < h->count; i++) {
        struct rx_header *header = &h->headers[i];
        header->name.ptr = at;
        at += header->name.len;
        header->value.ptr = at;
        at += header->value.len;
        header->value = rx_str_trim(header->value);
        if (memchr(header->name.ptr, ' ', header->name.len) != NULL)
            return broken(h, "the answer has a malformed header");
    }
    return 0;
}

static void
headers_release(struct rx_http1 *h)
{
    rx_buf_release(&h->text);
    free(h->headers);
    h->headers = NULL;
    h->count = h->room = 0;
    h->in_value = false;
}

/* The parser has come to its own view of the framing, by its own matching of
 * names; where the two differ, another reader may see a third thing. */
static int
agree(struct rx_http1 *h, const struct rx_http1_head *head, bool chunked)
{
    bool theirs_chunked = (h->parser.flags & F_CHUNKED) != 0;
    bool theirs_length = (h->parser.flags & F_CONTENTLENGTH) != 0;

    if (chunked != theirs_chunked || head->has_length != theirs_length ||
        (theirs_length && head->length != h->parser.content_length))
        return broken(h, "the answer has an ambiguous length");
    return 0;
}

static int
find_framing(struct rx_http1 *h, struct rx_http1_head *head, bool *chunked)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct rx_header *header = &h->headers[i];
        if (rx_str_ieq(header->name, RX_S("content-length"))) {
            if (head->has_length || !rx_str_u64(header->value, &head->length) ||
                head->length > MAX_LENGTH)
                return broken(h, "the answer has a bad content-length");
            head->has_length = true;
        } else if (rx_str_ieq(header->name, RX_S("transfer-encoding"))) {
            if (*chunked || !rx_str_ieq(header->value, RX_S("chunked")))
                return broken(h, "the answer has an unknown transfer-encoding");
            *chunked = true;
        }
    }
    if (*chunked && (head->has_length || head->minor == 0))
        return broken(h, "the answer has an ambiguous length");
    return agree(h, head, *chunked);
}

static int
on_interim(struct rx_http1 *h)
{
    if (h->parser.status_code == 101)
        return broken(h, "the answer switches protocols");
    h->interim = true;
    headers_release(h);
    return 1;
}

/* 0: a body follows, 1: none does, -1: stop. */
static int
on_headers_complete(http_parser *parser)
{
    struct rx_http1 *h = self(parser);
    struct rx_http1_head head = { .status = parser->status_code,
        .minor = parser->http_minor };
    bool chunked = false;

    if (parser->http_major != 1 || parser->http_minor > 1)
        return broken(h, "the answer is not HTTP/1.1");
    if (head.status < 100 || head.status > 999)
        return broken(h, "the answer has a bad status");
    if (head.status < 200)
        return on_interim(h);

    if (headers_place(h) != 0 || find_framing(h, &head, &chunked) != 0)
        return -1;
    bool bodyless = h->head_only || head.status == 204 || head.status == 304;
    if (bodyless) {
        head.has_length = false;
        head.length = 0;
    }
    h->until_close = !bodyless && !chunked && !head.has_length;

    head.headers = h->headers;
    head.header_count = h->count;
    h->head_done = true;
    h->stopped = !h->events->on_head(h->arg, &head);
    headers_release(h);
    h->head_used = 0; /* the trailer's turn */
    return h->stopped ? -1 : bodyless;
}

static int
on_body(http_parser *parser, const char *at, size_t n)
{
    struct rx_http1 *h = self(parser);

    if (n == 0)
        return 0;
    h->stopped = !h->events->on_body(h->arg, (rx_str){ at, n });
    return h->stopped ? -1 : 0;
}

/* Pausing makes the parser hand back what it did not read. */
static int
on_message_complete(http_parser *parser)
{
    struct rx_http1 *h = self(parser);

    h->complete = true;
    h->keeps = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_status = on_status,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct rx_http1 *
rx_http1_new(const struct rx_http1_events *events, void *arg, size_t max_head)
{
    struct rx_http1 *h = calloc(1, sizeof(*h));

    if (h == NULL)
        abort();
    http_parser_set_max_header_size(HARD_LIMIT);
    h->events = events;
    h->max_head = max_head < HARD_LIMIT ? max_head : HARD_LIMIT;
    rx_buf_init(&h->text, h->max_head);
    rx_http1_reset(h, arg, false);
    return h;
}

void
rx_http1_free(struct rx_http1 *h)
{
    if (h == NULL)
        return;
    headers_release(h);
    free(h);
}

static void
parser_begin(struct rx_http1 *h)
{
    http_parser_init(&h->parser, HTTP_RESPONSE);
    h->parser.data = h;
    h->interim = h->complete = false;
}

void
rx_http1_reset(struct rx_http1 *h, void *arg, bool head_only)
{
    headers_release(h);
    parser_begin(h);
    h->arg = arg;
    h->why = NULL;
    h->head_used = 0;
    h->head_only = head_only;
    h->begun = h->head_done = h->until_close = false;
    h->keeps = h->stopped = false;
}

static enum rx_http1_step
fault(struct rx_http1 *h)
{
    enum http_errno no = HTTP_PARSER_ERRNO(&h->parser);

    if (h->stopped)
        return RX_HTTP1_STOPPED;
    if (h->why == NULL)
        h->why = http_errno_description(no);
    return RX_HTTP1_BROKEN;
}

enum rx_http1_step
rx_http1_feed(struct rx_http1 *h, const char *bytes, size_t size, size_t *taken)
{
    *taken = 0;
    while (*taken < size) {
        h->begun = true;
        *taken += http_parser_execute(
            &h->parser, &settings, bytes + *taken, size - *taken);
        if (!h->complete) {
            if (HTTP_PARSER_ERRNO(&h->parser) != HPE_OK)
                return fault(h);
            assert(*taken == size);
            return RX_HTTP1_MORE;
        }
        if (!h->interim)
            return RX_HTTP1_DONE;
        parser_begin(h);
    }
    return RX_HTTP1_MORE;
}

enum rx_http1_step
rx_http1_eof(struct rx_http1 *h)
{
    if (h->head_done && h->until_close) {
        h->keeps = false;
        return RX_HTTP1_DONE;
    }
    if (!h->begun)
        h->why = "closed without an answer";
    else if (!h->head_done)
        h->why = "closed inside the head of the answer";
    else
        h->why = "closed inside the body of the answer";
    return RX_HTTP1_BROKEN;
}

bool
rx_http1_keeps(const struct rx_http1 *h)
{
    return h->keeps;
}

const char *
rx_http1_why(const struct rx_http1 *h)
{
    return h->why;
}
