#include "dataplane/codec/reader.h"

#include "dataplane/codec/fault.h"

void
reader_put_bytes(
    struct codec_reader *r, enum ir_event_kind kind, uint32_t part, rx_str text)
{
    if (text.len > 0)
        reader_put(
            r, &(struct ir_event){ .kind = kind, .part = part, .text = text });
}

void
reader_put_usage(struct codec_reader *r, rx_str object)
{
    struct rx_span j;
    struct usage u = { 0 };

    if (object.len == 0)
        return;
    rx_span_init(&j, object);
    figures_read(&r->figures, r->codec->dialect, &j);
    figures_convert(&r->figures, r->codec->dialect, &u);
    if (u.has != 0)
        reader_put(r, &(struct ir_event){ .kind = IR_EV_USAGE, .usage = &u });
}

struct ir_opaque
reader_seal(const struct codec_reader *r, rx_str bytes, char kind)
{
    return (struct ir_opaque){ .bytes = bytes,
        .dialect = r->codec->dialect,
        .family = r->about.cap->family,
        .kind = kind };
}

void
reader_fail(struct codec_reader *r, const struct ir_error *e)
{
    r->over = true;
    reader_put(r, &(struct ir_event){ .kind = IR_EV_ERROR, .error = *e });
}

void
reader_fail_with(struct codec_reader *r, enum ir_fault fault, rx_str words)
{
    reader_fail(r, &(struct ir_error){ .fault = fault, .message = words });
}

void
reader_fail_by(struct codec_reader *r, rx_str document, rx_str words)
{
    struct ir_error e;

    if (!fault_read(document, 0, &e))
        e = (struct ir_error){ .fault = IR_FAULT_UPSTREAM, .message = words };
    reader_fail(r, &e);
}

void
reader_fail_cut(struct codec_reader *r)
{
    reader_fail_with(
        r, IR_FAULT_CUT, RX_S("upstream closed the stream before it finished"));
}
