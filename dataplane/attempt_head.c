/*
 * The head of an answer.
 */
#include <stdlib.h>

#include "dataplane/attempt_parts.h"
#include "dataplane/headers.h"
#include "dataplane/transform/transform.h"
#include "shared/clock.h"

static void
add_format(struct attempt *a)
{
    rx_str type = translation_content_type(a->r.translation);

    rx_buf_addf(
        &a->headers, "content-type: " RX_STR_FMT "\r\n", RX_STR_ARG(type));
    if (a->r.stream)
        rx_buf_add(&a->headers,
            RX_S("cache-control: no-cache\r\nx-accel-buffering: no\r\n"));
}

/* The head as the filter leaves it: without content-encoding, perhaps of another
 * type. */
static struct rx_client_head
plain_head(struct attempt *a, const struct rx_client_head *head, rx_str type)
{
    struct rx_client_head plain = *head;
    struct rx_header *list =
        rx_arena_make(a->r.arena, struct rx_header, head->header_count);

    if (list == NULL)
        abort(); /* heads are bounded far below the arena */
    plain.headers = list;
    plain.header_count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        struct rx_header h = head->headers[i];
        if (rx_str_ieq(h.name, RX_S("content-type")))
            h.value = type;
        if (!rx_str_ieq(h.name, RX_S("content-encoding")))
            list[plain.header_count++] = h;
    }
    plain.has_length = false;
    return plain;
}

void
attempt_keep_head(struct attempt *a, const struct rx_client_head *head)
{
    rx_str type = rx_client_header(head, RX_S("content-type"));
    rx_str coding = rx_client_header(head, RX_S("content-encoding"));
    rx_str id = rx_client_header(head, RX_S("request-id"));
    struct rx_client_head plain;

    if (a->r.filter != NULL &&
        transform_filter_begin(a->r.filter, head->status, type, coding)) {
        a->filtering = true;
        a->held.cap = TRANSLATED_MAX;
        coding = (rx_str){ 0 };
        if (transform_filter_type(a->r.filter).len > 0)
            type = transform_filter_type(a->r.filter);
        plain = plain_head(a, head, type);
        head = &plain;
    }

    if (id.len == 0)
        id = rx_client_header(head, RX_S("x-request-id"));
    if (id.len == 0)
        id = rx_client_header(head, RX_S("x-amzn-requestid"));
    a->r.record->upstream_request_id = rx_arena_copy(a->r.arena, id);
    if (a->r.translation != NULL) {
        translation_begin(a->r.translation, head->status, type, coding);
        headers_inbound_translated(&a->headers, head);
        add_format(a);
    } else {
        headers_inbound(&a->headers, head);
    }
    uint64_t wall_ms = rx_clock_wall_ms();
    for (size_t i = 0; i < head->header_count; i++)
        limit_read_header(
            &a->limits, head->headers[i].name, head->headers[i].value, wall_ms);
    a->encoded = coding.len > 0 && !rx_str_ieq(coding, RX_S("identity"));
    a->sse = type.len >= 17 &&
             rx_str_ieq((rx_str){ type.ptr, 17 }, RX_S("text/event-stream"));
    a->length = head->has_length ? head->length : RX_HTTPD_CHUNKED;
    a->tap = usage_tap_new(a->r.dialect, a->r.op, type, coding);
}
