#include "dataplane/eventstream.h"

#include <stdint.h>
#include <string.h>

#include "shared/decode.h"

#define PRELUDE     ((size_t)12)
#define SUM         ((size_t)4)
#define HEADERS_MAX ((size_t)128 * 1024)

void
eventstream_init(struct eventstream *s)
{
    *s = (struct eventstream){ 0 };
    /* One read may stand behind a message that is almost whole. */
    rx_buf_init(&s->kept, 2 * EVENTSTREAM_MESSAGE_MAX);
}

void
eventstream_fini(struct eventstream *s)
{
    rx_buf_fini(&s->kept);
}

static uint32_t
u32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

static bool
sum_is(const char *from, size_t size)
{
    return rx_crc32(0, (rx_str){ from, size }) == u32(from + size);
}

/* ---- headers -------------------------------------------------------------- */

static bool
take(rx_str *rest, size_t n, rx_str *out)
{
    if (rest->len < n)
        return false;
    *out = (rx_str){ rest->ptr, n };
    rest->ptr += n;
    rest->len -= n;
    return true;
}

/* The value of a header; empty unless it is a text. */
static bool
take_value(rx_str *rest, rx_str *text)
{
    enum { TEXT = 7, BYTES = 6 };
    static const unsigned char sizes[] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };
    rx_str kind, size, value;

    *text = (rx_str){ 0 };
    if (!take(rest, 1, &kind))
        return false;
    unsigned k = (unsigned char)kind.ptr[0];
    if (k >= sizeof(sizes))
        return false;
    if (k != TEXT && k != BYTES)
        return take(rest, sizes[k], &value);
    if (!take(rest, 2, &size))
        return false;
    size_t n =
        (size_t)((unsigned char)size.ptr[0] << 8 | (unsigned char)size.ptr[1]);
    return take(rest, n, k == TEXT ? text : &value);
}

static bool
read_headers(rx_str rest, struct eventstream_message *m)
{
    const struct {
        rx_str name;
        rx_str *to;
    } known[] = { { RX_S(":message-type"), &m->type },
        { RX_S(":event-type"), &m->name },
        { RX_S(":exception-type"), &m->name },
        { RX_S(":error-code"), &m->name },
        { RX_S(":error-message"), &m->words } };

    while (rest.len > 0) {
        rx_str size, name, value;
        if (!take(&rest, 1, &size) ||
            !take(&rest, (unsigned char)size.ptr[0], &name) ||
            !take_value(&rest, &value))
            return false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (rx_str_eq(name, known[i].name))
                *known[i].to = value;
        }
    }
    return true;
}

/* ---- messages ------------------------------------------------------------- */

/* How long the message at `at` is; 0: not known yet. */
static size_t
length_of(struct eventstream *s, const char *at, size_t have)
{
    if (have < PRELUDE)
        return 0;
    size_t total = u32(at);
    size_t headers = u32(at + 4);
    s->broken = !sum_is(at, PRELUDE - SUM) || total < PRELUDE + SUM ||
                total > EVENTSTREAM_MESSAGE_MAX || headers > HEADERS_MAX ||
                headers > total - PRELUDE - SUM;
    return s->broken ? 0 : total;
}

static bool
read_message(struct eventstream *s, const char *at, size_t n,
    struct eventstream_message *m)
{
    size_t headers = u32(at + 4);
    size_t payload = n - PRELUDE - SUM - headers;

    *m = (struct eventstream_message){ .payload = {
                                           at + PRELUDE + headers, payload } };
    s->broken = !sum_is(at, n - SUM) ||
                !read_headers((rx_str){ at + PRELUDE, headers }, m);
    return !s->broken;
}

bool
eventstream_next(
    struct eventstream *s, rx_str *bytes, struct eventstream_message *m)
{
    if (s->at == s->kept.len) {
        rx_buf_clear(&s->kept);
        s->at = 0;
    }
    if (bytes->len > 0 && !rx_buf_add(&s->kept, *bytes))
        s->broken = true;
    *bytes = (rx_str){ 0 };
    if (s->broken)
        return false;
    const char *at = s->kept.ptr + s->at;
    size_t have = s->kept.len - s->at;
    size_t n = length_of(s, at, have);
    if (n == 0 || have < n) {
        if (s->at > 0)
            rx_buf_drop(&s->kept, s->at);
        s->at = 0;
        return false;
    }
    s->at += n;
    return read_message(s, at, n, m);
}

bool
eventstream_at_boundary(const struct eventstream *s)
{
    return !s->broken && s->at == s->kept.len;
}
