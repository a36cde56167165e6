#include "tests/demo/script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)256 << 20)

void
script_init(struct script *s)
{
    memset(s, 0, sizeof(*s));
    s->status = 200;
    s->terminal = SIZE_MAX;
    rx_buf_init(&s->headers, 16 * 1024);
    rx_buf_init(&s->body, BODY_MAX);
}

void
script_fini(struct script *s)
{
    rx_buf_fini(&s->headers);
    rx_buf_fini(&s->body);
    free(s->ends);
}

void
script_header(struct script *s, const char *name, const char *value)
{
    rx_buf_addf(&s->headers, "%s: %s\r\n", name, value);
}

void
script_json(struct script *s, int status)
{
    s->status = status;
    s->stream = false;
    script_header(s, "content-type", "application/json");
}

void
script_sse(struct script *s)
{
    s->stream = true;
    script_header(s, "content-type", "text/event-stream; charset=utf-8");
    script_header(s, "cache-control", "no-cache");
}

void
script_event(struct script *s, const char *name)
{
    if (name != NULL)
        rx_buf_addf(&s->body, "event: %s\n", name);
    rx_buf_add(&s->body, RX_S("data: "));
}

void
script_piece_end(struct script *s)
{
    if (s->count == s->size) {
        s->size = s->size == 0 ? 64 : s->size * 2;
        s->ends = realloc(s->ends, s->size * sizeof(*s->ends));
        if (s->ends == NULL)
            abort();
    }
    s->ends[s->count++] = s->body.len;
}

void
script_event_end(struct script *s)
{
    rx_buf_add(&s->body, RX_S("\n\n"));
    script_piece_end(s);
}

void
script_mark_terminal(struct script *s)
{
    s->terminal = s->count;
}

void
script_truncate(struct script *s, size_t count)
{
    if (count >= s->count)
        return;
    s->count = count;
    s->body.len = count == 0 ? 0 : s->ends[count - 1];
}

rx_str
script_event_bytes(const struct script *s, size_t i)
{
    size_t from = i == 0 ? 0 : s->ends[i - 1];

    return (rx_str){ s->body.ptr + from, s->ends[i] - from };
}
