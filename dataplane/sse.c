#include "dataplane/sse.h"

#include <string.h>

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

/* What an idle stream may keep for its next event. */
#define KEEP_SIZE ((size_t)1024)

void
sse_init(struct sse *s, size_t event_max)
{
    *s = (struct sse){ .boundary = true };
    rx_buf_init(&s->line, event_max);
    rx_buf_init(&s->kept, event_max);
}

void
sse_fini(struct sse *s)
{
    rx_buf_fini(&s->line);
    rx_buf_fini(&s->kept);
}

const char *
sse_line_end(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');

    for (; end - at >= 16; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        int hit = _mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr)));
        if (hit != 0)
            return at + __builtin_ctz((unsigned)hit);
    }
#endif
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    return at;
}

static void
empty(struct rx_buf *b)
{
    if (b->size > KEEP_SIZE)
        rx_buf_release(b);
    else if (b->len > 0 || b->full)
        rx_buf_clear(b);
}

/* Nothing of the event before is needed any more. */
static void
begin_event(struct sse *s)
{
    empty(&s->kept);
    s->data = (rx_str){ 0 };
    s->has_data = s->data_kept = false;
    s->raw = s->too_big = s->delivered = false;
    s->name_len = 0;
}

static void
give_up(struct sse *s)
{
    s->lost++;
    s->too_big = true;
    s->has_data = s->data_kept = s->raw = false;
    s->data = (rx_str){ 0 };
    rx_buf_release(&s->kept);
}

/* Own the data seen so far, because its read ends or more is to be joined. */
static void
keep_data(struct sse *s)
{
    if (!s->has_data || s->data_kept || s->too_big)
        return;
    rx_buf_clear(&s->kept);
    if (!rx_buf_add(&s->kept, s->data)) {
        give_up(s);
        return;
    }
    s->data = rx_buf_str(&s->kept);
    s->data_kept = true;
}

/* `in_line`: the value lies in s->line, which it then takes along. */
static void
take_data(struct sse *s, rx_str value, bool in_line)
{
    if (s->too_big)
        return;
    if (s->has_data) {
        keep_data(s);
        size_t from = (size_t)(s->data.ptr - s->kept.ptr);
        if (s->too_big || !rx_buf_addc(&s->kept, '\n') ||
            !rx_buf_add(&s->kept, value)) {
            give_up(s);
            return;
        }
        s->data = (rx_str){ s->kept.ptr + from, s->kept.len - from };
        return;
    }
    s->has_data = true;
    s->data = value;
    if (in_line) {
        struct rx_buf spare = s->kept;
        s->kept = s->line;
        s->line = spare;
        s->data_kept = true;
    }
}

static void
take_name(struct sse *s, rx_str value)
{
    s->name_len = value.len < sizeof(s->name) ? value.len : sizeof(s->name) - 1;
    if (s->name_len > 0)
        memcpy(s->name, value.ptr, s->name_len);
}

static bool
field(rx_str line, rx_str name, rx_str *value)
{
    if (!rx_str_starts(line, name))
        return false;
    *value = (rx_str){ line.ptr + name.len, line.len - name.len };
    if (value->len == 0)
        return true;
    if (value->ptr[0] != ':')
        return false;
    size_t skip = value->len > 1 && value->ptr[1] == ' ' ? 2 : 1;
    *value = (rx_str){ value->ptr + skip, value->len - skip };
    return true;
}

/* Text that is not a field: an error told as bare JSON, perhaps over several
 * lines.  True when it is complete. */
static bool
take_raw(struct sse *s, rx_str line, bool in_line)
{
    if (!s->raw) {
        if (s->has_data || (line.ptr[0] != '{' && line.ptr[0] != '['))
            return false;
        s->raw = true;
        s->raw_at = (struct rx_span_skip){ 0 };
    }
    bool whole =
        rx_span_skip_feed(&s->raw_at, line.ptr, line.ptr + line.len) != NULL;
    take_data(s, line, in_line);
    return whole;
}

/* True when this line, which is not empty, completes an event. */
static bool
take_line(struct sse *s, rx_str line, bool in_line)
{
    rx_str value;
    bool data = field(line, RX_S("data"), &value);

    if (!data && !field(line, RX_S("event"), &value))
        return take_raw(s, line, in_line);
    if (s->raw) /* it was not JSON after all */
        begin_event(s);
    if (data)
        take_data(s, value, in_line);
    else
        take_name(s, value);
    return false;
}

static bool
deliver(struct sse *s, struct sse_event *event)
{
    if (!s->has_data || s->data.len == 0 || s->too_big)
        return false;
    *event = (struct sse_event){
        .name = { s->name, s->name_len },
        .data = s->data,
        .raw = s->raw,
    };
    s->delivered = true;
    return true;
}

/* A line is whole; `in_line`: it lies in s->line.  True: deliver an event. */
static bool
end_line(struct sse *s, rx_str line, bool in_line, struct sse_event *event)
{
    bool blank = line.len == 0 && !s->line_dropped;
    bool done = blank;

    if (line.len > 0 && !s->line_dropped)
        done = take_line(s, line, in_line);
    s->line_dropped = false;
    s->boundary = done;
    if (done && deliver(s, event))
        return true;
    if (blank)
        begin_event(s);
    if (in_line)
        empty(&s->line);
    return false;
}

static void
drop(rx_str *bytes, size_t n)
{
    bytes->ptr += n;
    bytes->len -= n;
}

/* Keep the beginning of a line; of an event too big nothing is kept. */
static void
keep_line(struct sse *s, rx_str part)
{
    if (part.len == 0)
        return;
    if (!s->too_big && !rx_buf_add(&s->line, part))
        give_up(s);
    if (s->too_big) {
        rx_buf_release(&s->line);
        s->line_dropped = true;
    }
}

/* The byte order mark may come at the very beginning, also in pieces. */
static void
skip_bom(struct sse *s, rx_str *bytes)
{
    static const char mark[] = "\xef\xbb\xbf";

    while (s->bom < 3 && bytes->len > 0) {
        if (bytes->ptr[0] != mark[s->bom]) {
            keep_line(s, (rx_str){ mark, s->bom });
            s->bom = 4;
            return;
        }
        s->bom++;
        drop(bytes, 1);
    }
    if (s->bom == 3)
        s->bom = 4;
}

/* The next whole line of `bytes`, joined with what was kept of it. */
static bool
next_line(struct sse *s, rx_str *bytes, rx_str *line, bool *in_line)
{
    if (s->after_cr && bytes->len > 0) {
        s->after_cr = false;
        if (bytes->ptr[0] == '\n')
            drop(bytes, 1);
    }
    const char *end = bytes->ptr + bytes->len;
    const char *at = sse_line_end(bytes->ptr, end);
    rx_str part = { bytes->ptr, (size_t)(at - bytes->ptr) };

    *in_line = s->line.len > 0 || s->line_dropped;
    if (at == end || *in_line)
        keep_line(s, part);
    if (at == end) {
        drop(bytes, part.len);
        s->boundary = s->boundary && part.len == 0;
        return false;
    }
    s->after_cr = *at == '\r';
    drop(bytes, part.len + 1);
    *line = *in_line ? rx_buf_str(&s->line) : part;
    return true;
}

bool
sse_next(struct sse *s, rx_str *bytes, struct sse_event *event)
{
    rx_str line;
    bool in_line;

    if (s->delivered) {
        begin_event(s);
        empty(&s->line);
    }
    if (s->bom < 4)
        skip_bom(s, bytes);
    while (bytes->len > 0) {
        if (next_line(s, bytes, &line, &in_line) &&
            end_line(s, line, in_line, event))
            return true;
    }
    keep_data(s);
    return false;
}

bool
sse_end(struct sse *s, struct sse_event *event)
{
    if (s->delivered) {
        begin_event(s);
        empty(&s->line);
    }
    if (s->line.len > 0)
        take_line(s, rx_buf_str(&s->line), true);
    return (rx_str_starts(s->data, RX_S("[DONE]")) || rx_span_whole(s->data)) &&
           deliver(s, event);
}

bool
sse_at_boundary(const struct sse *s)
{
    return s->boundary;
}
