/*
 * Changes of a request's head, noted by the steps and carried out once the head
 * is written.
 */
#include <string.h>

#include "dataplane/transform/filter.h"
#include "shared/header_rule.h"

#define HEAD_MAX    ((size_t)512 * 1024)
#define CHANGES_MAX 64

struct change {
    enum header_change what;
    rx_str name, value;
    bool done;
};

struct transform_headers {
    struct change changes[CHANGES_MAX];
    size_t count;
};

struct transform_headers *
headers_new(struct rx_arena *arena)
{
    return step_room(arena, sizeof(struct transform_headers));
}

bool
headers_any(const struct transform_headers *h)
{
    return h->count > 0;
}

void
step_header(struct step_request *r, enum header_change change, rx_str name,
    rx_str value)
{
    struct transform_headers *h = r->headers;

    if (h->count < CHANGES_MAX)
        h->changes[h->count++] = (struct change){ change, name, value, false };
}

static void
add_line(struct rx_buf *out, rx_str name, rx_str value)
{
    rx_buf_add(out, name);
    rx_buf_add(out, RX_S(": "));
    rx_buf_add(out, value);
    rx_buf_add(out, RX_S("\r\n"));
}

/* Is `item` one of the comma-separated list? */
static bool
listed(rx_str list, rx_str item)
{
    rx_str one;

    for (bool more = true; more;) {
        more = rx_str_cut(list, ',', &one, &list);
        if (rx_str_eq(rx_str_trim(one), rx_str_trim(item)))
            return true;
    }
    return false;
}

/* One header line through one change; what is left is put out. */
static void
change_line(struct rx_buf *out, rx_str line, struct change *c)
{
    rx_str name;
    rx_str value;

    if (!rx_str_cut(line, ':', &name, &value) || !rx_str_ieq(name, c->name)) {
        rx_buf_add(out, line);
        rx_buf_add(out, RX_S("\r\n"));
        return;
    }
    if (c->what != HEADER_APPEND)
        return;
    c->done = true;
    rx_buf_add(out, line);
    if (!listed(value, c->value)) {
        rx_buf_addc(out, ',');
        rx_buf_add(out, c->value);
    }
    rx_buf_add(out, RX_S("\r\n"));
}

static void
apply(struct rx_buf *out, rx_str head, struct change c)
{
    rx_str line;
    bool first = true;

    while (rx_str_cut(head, '\r', &line, &head) && line.len > 0) {
        if (head.len > 0) { /* the LF */
            head.ptr++;
            head.len--;
        }
        if (first) {
            rx_buf_add(out, line);
            rx_buf_add(out, RX_S("\r\n"));
        } else {
            change_line(out, line, &c);
        }
        first = false;
    }
    if (c.what != HEADER_REMOVE && !c.done)
        add_line(out, c.name, c.value);
    rx_buf_add(out, RX_S("\r\n"));
}

void
transform_head(const struct transform_headers *headers, struct rx_buf *head)
{
    for (size_t i = 0; i < headers->count; i++) {
        struct rx_buf out;
        rx_buf_init(&out, HEAD_MAX);
        apply(&out, rx_buf_str(head), headers->changes[i]);
        rx_buf_clear(head);
        rx_buf_add(head, rx_buf_str(&out));
        rx_buf_fini(&out);
    }
}
