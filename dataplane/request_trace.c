/*
 * Which trace a request is part of: the client's, or one of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/request_parts.h"

/* The header's value if it is there once. */
static rx_str
only(const struct rx_httpd_head *head, rx_str name)
{
    rx_str found = { 0 };

    for (size_t i = 0; i < head->header_count; i++) {
        if (!rx_str_ieq(head->headers[i].name, name))
            continue;
        if (found.ptr != NULL)
            return (rx_str){ 0 };
        found = rx_str_trim(head->headers[i].value);
    }
    return found;
}

/* It may come in several pieces. */
static rx_str
state_of(struct request *q)
{
    const struct rx_httpd_head *head = rx_httpd_head(q->req);
    struct rx_buf all;
    rx_str kept = { 0 };

    rx_buf_init(&all, 1024);
    for (size_t i = 0; i < head->header_count; i++) {
        if (!rx_str_ieq(head->headers[i].name, RX_S("tracestate")))
            continue;
        if (all.len > 0)
            rx_buf_addc(&all, ',');
        rx_buf_add(&all, head->headers[i].value);
    }
    if (!all.full && rx_trace_state_fits(rx_buf_str(&all)))
        kept = rx_arena_copy(q->arena, rx_buf_str(&all));
    rx_buf_fini(&all);
    return kept;
}

/* The request's id is the first part of the trace's, so that it finds it. */
static void
draw(struct request *q, struct rx_trace *t, uint64_t dice)
{
    memcpy(t->id, q->id, sizeof(q->id));
    memcpy(t->id + sizeof(q->id), &dice, sizeof(t->id) - sizeof(q->id));
    t->flags = RX_TRACE_SAMPLED;
}

void
request_trace_begin(struct request *q)
{
    struct rx_trace *t = &q->record.context;
    uint64_t dice = proxy_dice(q->proxy);

    if (rx_trace_read(only(rx_httpd_head(q->req), RX_S("traceparent")), t))
        q->tracestate = state_of(q);
    else
        draw(q, t, dice);
    dice = proxy_dice(q->proxy);
    dice += dice == 0;
    memcpy(t->span, &dice, sizeof(t->span));
}

rx_str
request_trace_next(struct request *q)
{
    const struct rx_trace *t = &q->record.context;
    enum trace_upstream who = q->snapshot->settings.trace_upstream;
    char text[RX_TRACE_TEXT_SIZE];
    unsigned char span[8];

    if (who == TRACE_UPSTREAM_OFF ||
        (who == TRACE_UPSTREAM_CLIENT && !rx_trace_has_parent(t)))
        return (rx_str){ 0 };
    rx_trace_attempt(t, (unsigned)q->record.attempt_count, span);
    rx_trace_write(t, span, text);
    return rx_arena_copy(q->arena, (rx_str){ text, sizeof(text) - 1 });
}
