/*
 *   bytes ─> decode ─> sse ─> last step ─> … ─> first step ─> shown, hidden
 *
 * A document is gathered first and goes through the same steps as a whole.
 */
#include "dataplane/transform/filter.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/sse.h"
#include "shared/decode.h"

#define OUT_MAX      ((size_t)96 * 1024 * 1024)
#define DOCUMENT_MAX ((size_t)64 * 1024 * 1024)
#define TREE_BASE    ((size_t)1024 * 1024)
#define TREE_PER     ((size_t)64)

enum filter_mode { FILTER_OFF, FILTER_SSE, FILTER_FRAMES, FILTER_DOCUMENT };

struct transform_filter {
    struct filter_step *steps;
    size_t count;
    uint64_t (*random)(void *arg);
    void *arg;

    enum filter_mode mode;
    int status;
    struct rx_decode *decode; /* NULL: as it comes */
    struct sse sse;
    bool has_sse;
    struct eventstream frames;
    const struct step_kind *framer; /* knows what is in a frame */
    struct rx_buf document;
    struct rx_buf shown, hidden;
};

/* Where an event is on its way. */
struct step_flow {
    struct transform_filter *filter;
    size_t left; /* steps that did not see it yet */
    struct rx_arena *arena;
    rx_str name;
};

struct transform_filter *
filter_new(const struct chain_step *steps, size_t count,
    const struct transform_outgoing *about)
{
    struct transform_filter *f = calloc(1, sizeof(*f));

    if (f == NULL)
        abort();
    f->steps = calloc(count, sizeof(*f->steps));
    if (f->steps == NULL)
        abort();
    f->count = count;
    f->random = about->random;
    f->arg = about->arg;
    for (size_t i = 0; i < count; i++) {
        f->steps[i].step = &steps[i];
        if (steps[i].kind->state == 0)
            continue;
        f->steps[i].state = calloc(1, steps[i].kind->state);
        if (f->steps[i].state == NULL)
            abort();
    }
    rx_buf_init(&f->document, DOCUMENT_MAX);
    rx_buf_init(&f->shown, OUT_MAX);
    rx_buf_init(&f->hidden, OUT_MAX);
    return f;
}

struct filter_step *
filter_step(struct transform_filter *f, size_t i)
{
    return &f->steps[i];
}

bool
filter_useful(const struct transform_filter *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->steps[i].active)
            return true;
    }
    return false;
}

void
transform_filter_free(struct transform_filter *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->count; i++) {
        const struct step_kind *kind = f->steps[i].step->kind;
        if (kind->forget != NULL && f->steps[i].state != NULL)
            kind->forget(f->steps[i].state);
        free(f->steps[i].state);
    }
    free(f->steps);
    if (f->has_sse)
        sse_fini(&f->sse);
    if (f->framer != NULL)
        eventstream_fini(&f->frames);
    rx_decode_free(f->decode);
    rx_buf_fini(&f->document);
    rx_buf_fini(&f->shown);
    rx_buf_fini(&f->hidden);
    free(f);
}

static bool
type_is(rx_str type, const char *name)
{
    size_t n = strlen(name);

    return type.len >= n &&
           rx_str_ieq((rx_str){ type.ptr, n }, (rx_str){ name, n });
}

/* Does any step want to see errors? */
static bool
wants_errors(const struct transform_filter *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->steps[i].active && f->steps[i].step->kind->errors)
            return true;
    }
    return false;
}

static bool
begin_frames(struct transform_filter *f)
{
    for (size_t i = 0; i < f->count && f->framer == NULL; i++) {
        if (f->steps[i].active && f->steps[i].step->kind->frame != NULL)
            f->framer = f->steps[i].step->kind;
    }
    if (f->framer == NULL)
        return false;
    eventstream_init(&f->frames);
    f->mode = FILTER_FRAMES;
    return true;
}

rx_str
transform_filter_type(const struct transform_filter *f)
{
    return f->mode == FILTER_FRAMES ? RX_S("text/event-stream") : (rx_str){ 0 };
}

bool
transform_filter_begin(struct transform_filter *f, int status,
    rx_str content_type, rx_str content_encoding)
{
    enum rx_coding coding;

    f->status = status;
    if (status < 200 || (status >= 300 && !wants_errors(f)) ||
        !rx_coding_find(content_encoding, &coding))
        return false;
    if (status >= 300 && !type_is(content_type, "application/json"))
        return false;
    if (type_is(content_type, "text/event-stream")) {
        sse_init(&f->sse, SSE_EVENT_MAX);
        f->has_sse = true;
        f->mode = FILTER_SSE;
    } else if (type_is(content_type, "application/json")) {
        f->mode = FILTER_DOCUMENT;
    } else if (!type_is(content_type, "application/vnd.amazon.eventstream") ||
               !begin_frames(f)) {
        return false;
    }
    if (coding != RX_CODING_IDENTITY)
        f->decode = rx_decode_new(coding);
    return true;
}

/* ---- events ------------------------------------------------------------- */

static void
write_data(struct rx_buf *out, rx_str data)
{
    rx_str line;

    for (bool more = true; more;) {
        more = rx_str_cut(data, '\n', &line, &data);
        rx_buf_add(out, RX_S("data: "));
        rx_buf_add(out, line);
        rx_buf_addc(out, '\n');
    }
}

static void
write_event(struct transform_filter *f, const struct step_event *e)
{
    struct rx_buf *out = e->hidden ? &f->hidden : &f->shown;
    rx_str data = e->root != NULL ? rx_edit_text(e->root) : e->data;

    if (e->raw) {
        rx_buf_add(out, data);
        rx_buf_add(out, RX_S("\n\n"));
        return;
    }
    if (e->name.len > 0) {
        rx_buf_add(out, RX_S("event: "));
        rx_buf_add(out, e->name);
        rx_buf_addc(out, '\n');
    }
    write_data(out, data);
    rx_buf_addc(out, '\n');
}

void
step_pass(struct step_flow *flow, const struct step_event *event)
{
    struct transform_filter *f = flow->filter;
    struct step_flow next = *flow;
    struct step_event e = *event;

    while (next.left > 0) {
        struct filter_step *s = &f->steps[--next.left];
        if (!s->active)
            continue;
        next.name = e.name;
        s->step->kind->event(s->step->options, s->state, &next, &e);
        return;
    }
    write_event(f, &e);
}

static struct rx_edit *
open_data(struct rx_arena *arena, rx_str data)
{
    if (data.len == 0 || data.ptr[0] != '{')
        return NULL;
    struct rx_edit *root = rx_edit_open(arena, data);
    return rx_edit_bad(root) ? NULL : root;
}

void
step_emit(struct step_flow *flow, rx_str name, rx_str data)
{
    struct step_event e = {
        .name = name,
        .data = data,
        .root = open_data(flow->arena, data),
    };

    step_pass(flow, &e);
}

int
step_status(const struct step_flow *flow)
{
    return flow->filter->status;
}

struct rx_arena *
step_arena(struct step_flow *flow)
{
    return flow->arena;
}

rx_str
step_id(struct step_flow *flow, const char *prefix)
{
    struct rx_edit *any = rx_edit_open(flow->arena, RX_S("0"));

    return step_new_id(any, flow->filter->random, flow->filter->arg, prefix);
}

static void
take_event(struct transform_filter *f, const struct sse_event *event)
{
    struct rx_arena *arena =
        rx_arena_new(TREE_BASE + TREE_PER * event->data.len);
    struct step_flow flow = { .filter = f, .left = f->count, .arena = arena };
    struct step_event e = {
        .name = event->name,
        .data = event->data,
        .root = open_data(arena, event->data),
        .raw = event->raw,
    };

    step_pass(&flow, &e);
    rx_arena_free(arena);
}

static void
take_frame(struct transform_filter *f, const struct eventstream_message *m)
{
    struct rx_buf name, data;

    rx_buf_init(&name, 256);
    rx_buf_init(&data, EVENTSTREAM_MESSAGE_MAX);
    if (f->framer->frame(m, &name, &data)) {
        struct sse_event event = { .name = rx_buf_str(&name),
            .data = rx_buf_str(&data) };
        take_event(f, &event);
    }
    rx_buf_fini(&name);
    rx_buf_fini(&data);
}

/* Let each step say what it held back, the one nearest the provider first. */
static void
end_steps(struct transform_filter *f)
{
    for (size_t i = f->count; i-- > 0;) {
        struct filter_step *s = &f->steps[i];
        if (!s->active || s->step->kind->end == NULL)
            continue;
        struct rx_arena *arena = rx_arena_new(DOCUMENT_MAX);
        struct step_flow flow = { .filter = f, .left = i, .arena = arena };
        s->step->kind->end(s->step->options, s->state, &flow);
        rx_arena_free(arena);
    }
}

/* ---- documents ---------------------------------------------------------- */

static void
take_document(struct transform_filter *f)
{
    rx_str text = rx_buf_str(&f->document);
    struct rx_arena *arena = rx_arena_new(TREE_BASE + TREE_PER * text.len);
    struct rx_edit *root = rx_edit_open(arena, text);
    struct step_flow flow = { .filter = f, .arena = arena };

    for (size_t i = f->count; !rx_edit_bad(root) && i-- > 0;) {
        struct filter_step *s = &f->steps[i];
        if (s->active && (f->status < 300 || s->step->kind->errors))
            s->step->kind->document(s->step->options, s->state, &flow, root);
    }
    if (rx_edit_bad(root))
        rx_buf_add(&f->shown, text); /* not for us to judge */
    else
        rx_edit_print(root, &f->shown);
    rx_arena_free(arena);
}

/* ---- bytes -------------------------------------------------------------- */

static enum rx_code
take_frames(struct transform_filter *f, rx_str bytes)
{
    struct eventstream_message m;

    while (eventstream_next(&f->frames, &bytes, &m))
        take_frame(f, &m);
    return f->frames.broken ? RX_INVALID : RX_OK;
}

static enum rx_code
take_bytes(struct transform_filter *f, rx_str bytes)
{
    struct sse_event event;
    enum rx_code code = RX_OK;

    if (f->mode == FILTER_DOCUMENT)
        return rx_buf_add(&f->document, bytes) ? RX_OK : RX_TOO_BIG;
    if (f->mode == FILTER_FRAMES)
        code = take_frames(f, bytes);
    while (f->mode == FILTER_SSE && sse_next(&f->sse, &bytes, &event))
        take_event(f, &event);
    return f->shown.full || f->hidden.full ? RX_TOO_BIG : code;
}

/* The decoder gives its output in portions. */
static enum rx_code
take_coded(struct transform_filter *f, rx_str bytes)
{
    rx_str plain;

    do {
        if (rx_decode_step(f->decode, &bytes, &plain) != RX_OK)
            return RX_INVALID;
        enum rx_code code = take_bytes(f, plain);
        if (code != RX_OK)
            return code;
    } while (bytes.len > 0 || plain.len > 0);
    return RX_OK;
}

enum rx_code
transform_filter_feed(
    struct transform_filter *f, rx_str bytes, struct transform_bytes *out)
{
    enum rx_code code = RX_OK;

    rx_buf_clear(&f->shown);
    rx_buf_clear(&f->hidden);
    if (f->decode != NULL)
        code = take_coded(f, bytes);
    else
        code = take_bytes(f, bytes);
    *out = (struct transform_bytes){ rx_buf_str(&f->shown),
        rx_buf_str(&f->hidden) };
    return code;
}

void
transform_filter_end(
    struct transform_filter *f, bool clean, struct transform_bytes *out)
{
    struct sse_event event;

    rx_buf_clear(&f->shown);
    rx_buf_clear(&f->hidden);
    if (f->mode == FILTER_SSE) {
        if (sse_end(&f->sse, &event))
            take_event(f, &event);
        end_steps(f);
    } else if (f->mode == FILTER_FRAMES) {
        end_steps(f);
    } else if (f->mode == FILTER_DOCUMENT && clean) {
        take_document(f);
    }
    *out = (struct transform_bytes){ rx_buf_str(&f->shown),
        rx_buf_str(&f->hidden) };
}
