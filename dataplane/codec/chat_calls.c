/*
 * Tool calls out of fragments that not two servers send alike (wire.md 4.3):
 * indices may be missing or always zero, ids missing, repeated or made up anew
 * each time, names late, arguments an object, or first "{}" and then the truth.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/chat.h"
#include "dataplane/sse.h"

#define CALLS_MAX 512

struct call {
    struct call *before; /* the one that began earlier */
    uint32_t part;
    struct ir_int index;
    bool custom;
    bool opened;
    bool hollow; /* "{}" came and nothing else: it is held back */
    struct rx_buf id, name;
    struct rx_buf held; /* arguments that came before the name */
    struct rx_buf seal_bytes;
    struct ir_opaque seal;
    struct ir_scan scan;
};

struct chat_calls {
    struct ir_sink to;
    uint32_t next_part;
    unsigned count;
    struct call *latest;
};

struct chat_calls *
chat_calls_new(struct ir_sink to, uint32_t first_part)
{
    struct chat_calls *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->to = to;
    c->next_part = first_part;
    return c;
}

void
chat_calls_free(struct chat_calls *c)
{
    if (c == NULL)
        return;
    for (struct call *k = c->latest, *before; k != NULL; k = before) {
        before = k->before;
        rx_buf_fini(&k->id);
        rx_buf_fini(&k->name);
        rx_buf_fini(&k->held);
        rx_buf_fini(&k->seal_bytes);
        free(k);
    }
    free(c);
}

static struct call *
begin(struct chat_calls *c, const struct chat_fragment *f)
{
    if (c->count == CALLS_MAX)
        return c->latest; /* nobody means that */
    struct call *k = calloc(1, sizeof(*k));
    if (k == NULL)
        abort();
    c->count++;
    k->before = c->latest;
    c->latest = k;
    k->part = c->next_part++;
    k->index = f->index;
    k->custom = f->custom;
    rx_buf_init(&k->id, 4096);
    rx_buf_init(&k->name, 4096);
    rx_buf_init(&k->held, SSE_EVENT_MAX);
    rx_buf_init(&k->seal_bytes, SSE_EVENT_MAX);
    return k;
}

static struct call *
by_id(const struct chat_calls *c, rx_str id)
{
    struct call *k = c->latest;

    while (k != NULL && !rx_str_eq(rx_buf_str(&k->id), id))
        k = k->before;
    return k;
}

static struct call *
by_index(const struct chat_calls *c, int64_t index)
{
    struct call *k = c->latest;

    while (k != NULL && (!k->index.there || k->index.n != index))
        k = k->before;
    return k;
}

/* Does a fragment under an id nobody knows go on with this call? */
static bool
goes_on(const struct call *k, const struct chat_fragment *f)
{
    if (k == NULL)
        return false;
    if (k->id.len == 0)
        return true; /* the id comes late */
    return f->name.len == 0 && !k->scan.complete;
}

static struct call *
match(struct chat_calls *c, const struct chat_fragment *f)
{
    struct call *k;

    if (f->id.len > 0) {
        k = by_id(c, f->id);
        if (k != NULL)
            return k;
        k = f->index.there ? by_index(c, f->index.n) : NULL;
        return goes_on(k, f) ? k : begin(c, f);
    }
    k = f->index.there ? by_index(c, f->index.n) : c->latest;
    bool anew = k == NULL || (!f->index.there && f->name.len > 0 &&
                                 k->name.len > 0 && k->scan.complete);
    return anew ? begin(c, f) : k;
}

static void
put_args(struct chat_calls *c, struct call *k, rx_str text)
{
    if (text.len > 0)
        ir_put(&c->to, &(struct ir_event){
                           .kind = IR_EV_ARGS, .part = k->part, .text = text });
}

static void
open_call(struct chat_calls *c, struct call *k)
{
    if (k->opened || k->name.len == 0)
        return;
    k->opened = true;
    ir_put(
        &c->to, &(struct ir_event){ .kind = IR_EV_OPEN,
                    .part = k->part,
                    .open = { .kind = IR_TOOL_CALL,
                        .call = k->custom ? IR_CALL_CUSTOM : IR_CALL_FUNCTION,
                        .id = rx_buf_str(&k->id),
                        .name = rx_buf_str(&k->name),
                        .seal = k->seal_bytes.len > 0 ? &k->seal : NULL } });
    put_args(c, k, rx_buf_str(&k->held));
    rx_buf_release(&k->held);
}

static void
take_args(struct chat_calls *c, struct call *k, rx_str text)
{
    if (text.len == 0)
        return;
    if (k->hollow) {
        k->hollow = false;
        k->scan = (struct ir_scan){ 0 };
        if (text.ptr[0] != '{')
            take_args(c, k, RX_S("{}"));
        k->hollow = false;
    } else if (k->scan.skip.depth == 0 && !k->scan.complete && !k->custom &&
               rx_str_eq(text, RX_S("{}"))) {
        k->hollow = true;
        k->scan.complete = true;
        return;
    }
    ir_scan_feed(&k->scan, text);
    if (k->opened)
        put_args(c, k, text);
    else
        rx_buf_add(&k->held, text);
}

void
chat_calls_add(struct chat_calls *c, const struct chat_fragment *f)
{
    struct call *k = match(c, f);

    if (k->id.len == 0)
        rx_buf_add(&k->id, f->id);
    if (f->name.len > 0 && !k->opened) {
        rx_buf_clear(&k->name);
        rx_buf_add(&k->name, f->name);
    }
    if (f->seal.bytes.len > 0 && k->seal_bytes.len == 0) {
        rx_buf_add(&k->seal_bytes, f->seal.bytes);
        k->seal = f->seal;
        k->seal.bytes = rx_buf_str(&k->seal_bytes);
    }
    open_call(c, k);
    if (f->object.len > 0) {
        struct rx_buf text;
        rx_buf_init(&text, 6 * f->object.len + 1);
        rx_buf_add_json(&text, f->object);
        take_args(c, k, rx_buf_str(&text));
        rx_buf_fini(&text);
    } else {
        take_args(c, k, f->args);
    }
}

static void
finish(struct chat_calls *c, struct call *k)
{
    if (k == NULL)
        return;
    finish(c, k->before);
    if (k->opened && k->hollow)
        put_args(c, k, RX_S("{}"));
    k->hollow = false;
}

void
chat_calls_finish(struct chat_calls *c)
{
    finish(c, c->latest);
}
