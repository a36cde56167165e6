/* The response object that ends an answer, and what is told at the end. */
#include <string.h>

#include "dataplane/codec/fault.h"
#include "dataplane/codec/reader.h"
#include "dataplane/codec/responses_slots.h"

/* --- the response object ------------------------------------------------------------ */

bool
responses_object_read(rx_str raw, struct responses_object *out)
{
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, responses_object, "object", object),
        WALK_ROW(TEXT, responses_object, "id", id),
        WALK_ROW(TEXT, responses_object, "model", model),
        WALK_ROW(TEXT, responses_object, "status", status),
        WALK_ROW(TEXT, responses_object, "service_tier", service_tier),
        WALK_ROW(INT, responses_object, "created_at", created),
        WALK_ROW(RAW, responses_object, "error", error),
        WALK_ROW(
            RAW, responses_object, "incomplete_details", incomplete_details),
        WALK_ROW(RAW, responses_object, "output", output),
        WALK_ROW(RAW, responses_object, "usage", usage),
    };

    *out = (struct responses_object){ 0 };
    return RESPONSES_WALK(raw, rows, out);
}

void
responses_put_start(
    struct responses_reader *r, const struct responses_object *x)
{
    struct ir_event e = { .kind = IR_EV_START };

    if (r->started)
        return;
    r->started = true;
    e.start.id = x->id;
    e.start.model = x->model;
    e.start.tier = x->service_tier;
    e.start.created = (uint64_t)x->created.n;
    reader_put(&r->base, &e);
}

static void
put_usage(struct responses_reader *r, const struct responses_object *x)
{
    struct figures *f = &r->base.figures;

    if (x->service_tier.len > 0 && x->service_tier.len < sizeof(f->tier))
        memcpy(f->tier, x->service_tier.ptr, x->service_tier.len);
    reader_put_usage(&r->base, x->usage);
}

static size_t
count_items(rx_str output)
{
    struct rx_span j;
    rx_str item;
    size_t n = 0;

    for (bool is = walk_array(&j, output); is && walk_next(&j, &item);)
        n++;
    return n;
}

/* Items that were never streamed.  With servers that number them otherwise
 * than they list them, none is missing if as many were done. */
static void
put_missing(struct responses_reader *r, rx_str output)
{
    struct rx_span j;
    rx_str item;
    uint64_t n = 0;

    if (r->done >= count_items(output))
        return;
    for (bool is = walk_array(&j, output); is && walk_next(&j, &item); n++)
        slot_item(r, n, item);
}

static rx_str
incomplete_reason(rx_str details)
{
    struct details {
        rx_str reason;
    } d = { 0 };
    static const struct walk_row rows[] = { WALK_ROW(
        TEXT, details, "reason", reason) };

    RESPONSES_WALK(details, rows, &d);
    return d.reason;
}

static void
put_stop(struct responses_reader *r, const struct responses_object *x)
{
    struct ir_event e = { .kind = IR_EV_STOP };
    rx_str reason = incomplete_reason(x->incomplete_details);

    e.stop.raw = reason.len > 0 ? reason : x->status;
    if (rx_str_eq(reason, RX_S("max_output_tokens")))
        e.stop.reason = IR_STOP_MAX_TOKENS;
    else if (rx_str_eq(reason, RX_S("content_filter")))
        e.stop.reason = IR_STOP_FILTERED;
    else if (!rx_str_starts(x->status, RX_S("complete")))
        e.stop.reason = IR_STOP_UNKNOWN;
    else if (r->refused && !r->said)
        e.stop.reason = IR_STOP_REFUSAL;
    else
        e.stop.reason = IR_STOP_END;
    reader_put(&r->base, &e);
}

static void
put_failure(struct responses_reader *r, rx_str error, const char *words)
{
    struct ir_error e = { .fault = IR_FAULT_UPSTREAM,
        .message = { words, strlen(words) } };

    fault_read_value(error, &e);
    reader_fail(&r->base, &e);
}

static bool
has_failed(const struct responses_object *x)
{
    return rx_str_eq(x->status, RX_S("failed")) ||
           rx_str_eq(x->status, RX_S("cancelled")) ||
           rx_span_kind_of(x->error) == RX_SPAN_OBJECT;
}

/* The last word: `x` is all of the answer. */
void
responses_conclude(struct responses_reader *r, const struct responses_object *x)
{
    responses_put_start(r, x);
    put_missing(r, x->output);
    put_usage(r, x);
    if (has_failed(x)) {
        put_failure(r, x->error, "the response failed");
        return;
    }
    put_stop(r, x);
    reader_put(&r->base, &(struct ir_event){ .kind = IR_EV_END });
    r->base.over = true;
}
