/*
 *   value   record*
 *   record  what (1)  kind of seal (1)  flags (1)  three texts: length (4), bytes
 *
 * The texts of thinking: reasoning, seal, nothing; of a call: id, seal, nothing.
 */
#include "dataplane/codec/recall.h"

#include <stdlib.h>
#include <string.h>

#define NOTED_MAX ((size_t)512 * 1024)
#define OPEN_MAX  8
#define SUMMARY   1U
#define REDACTED  2U

enum { WHAT_THINKING = 'T', WHAT_CALL = 'C' };

/* ---- keys ------------------------------------------------------------------- */

static void
add_field(struct rx_buf *b, rx_str s)
{
    rx_buf_addf(b, "%zu:", s.len);
    rx_buf_add(b, s);
}

/* `kind` is 'c' for a call's id, 't' for a text. */
static struct rx_digest
key_of(const struct recall_scope *scope, char kind, rx_str plain)
{
    struct rx_buf b;

    rx_buf_init(&b, plain.len + scope->tenant.len + scope->family.len + 128);
    add_field(&b, scope->tenant);
    add_field(&b, scope->family);
    rx_buf_addf(&b, "%d%c", (int)scope->dialect, kind);
    rx_buf_add(&b, plain);
    struct rx_digest d = rx_digest(rx_buf_str(&b));
    rx_buf_fini(&b);
    return d;
}

/* Of a text that is escaped; false when there is nothing to tell it by. */
static bool
key_of_text(
    const struct recall_scope *scope, rx_str text, struct rx_digest *out)
{
    struct rx_buf plain;

    rx_buf_init(&plain, NOTED_MAX);
    bool ok = text.len > 0 && rx_span_unescape(text, &plain) && plain.len > 0;
    if (ok)
        *out = key_of(scope, 't', rx_str_trim(rx_buf_str(&plain)));
    rx_buf_fini(&plain);
    return ok;
}

/* ---- records ---------------------------------------------------------------- */

static void
add_text(struct rx_buf *b, rx_str s)
{
    uint32_t n = (uint32_t)s.len;

    rx_buf_add(b, (rx_str){ (const char *)&n, sizeof(n) });
    rx_buf_add(b, s);
}

static void
add_record(struct rx_buf *b, char what, char kind, unsigned flags, rx_str text,
    rx_str seal)
{
    rx_buf_addc(b, what);
    rx_buf_addc(b, kind);
    rx_buf_addc(b, (char)flags);
    add_text(b, text);
    add_text(b, seal);
}

struct record {
    char what, kind;
    unsigned flags;
    rx_str text, seal;
};

static bool
take_text(rx_str *rest, rx_str *out)
{
    uint32_t n;

    if (rest->len < sizeof(n))
        return false;
    memcpy(&n, rest->ptr, sizeof(n));
    if (rest->len - sizeof(n) < n)
        return false;
    *out = (rx_str){ rest->ptr + sizeof(n), n };
    rest->ptr += sizeof(n) + n;
    rest->len -= sizeof(n) + n;
    return true;
}

static bool
next_record(rx_str *rest, struct record *r)
{
    if (rest->len < 3)
        return false;
    r->what = rest->ptr[0];
    r->kind = rest->ptr[1];
    r->flags = (unsigned char)rest->ptr[2];
    *rest = (rx_str){ rest->ptr + 3, rest->len - 3 };
    return take_text(rest, &r->text) && take_text(rest, &r->seal);
}

/* ---- noting an answer ------------------------------------------------------- */

/* One block of reasoning. */
struct thought {
    uint32_t part;
    bool open, summary, redacted;
    struct rx_buf text, seal;
    char kind;
};

struct recall {
    struct recall_scope scope;
    bool must;
    struct ir_sink before, after;
    struct thought thoughts[OPEN_MAX];
    size_t count;
    struct rx_buf text;  /* the visible one, escaped */
    struct rx_buf calls; /* records */
    struct rx_buf first; /* id of the first call, plain */
};

struct recall *
recall_new(const struct recall_scope *scope, bool must)
{
    if (scope->memory == NULL)
        return NULL;
    struct recall *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->scope = *scope;
    r->must = must;
    rx_buf_init(&r->text, NOTED_MAX);
    rx_buf_init(&r->calls, NOTED_MAX);
    rx_buf_init(&r->first, 4096);
    return r;
}

void
recall_free(struct recall *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        rx_buf_fini(&r->thoughts[i].text);
        rx_buf_fini(&r->thoughts[i].seal);
    }
    rx_buf_fini(&r->text);
    rx_buf_fini(&r->calls);
    rx_buf_fini(&r->first);
    free(r);
}

/* The open block that the reader calls so. */
static struct thought *
find_thought(struct recall *r, uint32_t part)
{
    for (size_t i = r->count; i-- > 0;) {
        if (r->thoughts[i].part == part && r->thoughts[i].open)
            return &r->thoughts[i];
    }
    return NULL;
}

static struct thought *
make_thought(struct recall *r, uint32_t part)
{
    struct thought *t = find_thought(r, part);

    if (t != NULL || r->count == OPEN_MAX)
        return t;
    t = &r->thoughts[r->count++];
    *t = (struct thought){ .part = part, .open = true };
    rx_buf_init(&t->text, NOTED_MAX);
    rx_buf_init(&t->seal, NOTED_MAX);
    return t;
}

static void
note_open(struct recall *r, const struct ir_event *e)
{
    struct thought *t;

    if (e->open.kind != IR_THINKING)
        return;
    t = make_thought(r, e->part);
    if (t == NULL)
        return;
    t->summary = e->open.summary;
    t->redacted = e->open.redacted;
    if (e->open.seal != NULL && e->open.seal->bytes.len > 0) {
        rx_buf_clear(&t->seal);
        rx_buf_add(&t->seal, e->open.seal->bytes);
        t->kind = e->open.seal->kind;
    }
}

static void
note_seal(struct recall *r, const struct ir_event *e)
{
    struct thought *t = find_thought(r, e->part);

    if (t == NULL || e->seal.bytes.len == 0)
        return;
    rx_buf_clear(&t->seal);
    rx_buf_add(&t->seal, e->seal.bytes);
    t->kind = e->seal.kind;
}

/* As the reader tells it: also what this client is not to see. */
static void
put_before(void *arg, const struct ir_event *e)
{
    struct recall *r = arg;
    struct thought *t;

    switch (e->kind) {
    case IR_EV_OPEN: note_open(r, e); break;
    case IR_EV_THINKING:
        t = make_thought(r, e->part);
        if (t != NULL)
            rx_buf_add(&t->text, e->text);
        break;
    case IR_EV_SEAL: note_seal(r, e); break;
    case IR_EV_CLOSE:
        t = find_thought(r, e->part);
        if (t != NULL)
            t->open = false;
        break;
    default: break;
    }
    ir_put(&r->before, e);
}

static void
note_call(struct recall *r, const struct ir_event *e)
{
    const struct ir_opaque *seal = e->open.seal;
    bool any = seal != NULL && seal->bytes.len > 0;
    struct rx_buf id;

    rx_buf_init(&id, 4096);
    if (rx_span_unescape(e->open.id, &id) && id.len > 0) {
        if (r->first.len == 0)
            rx_buf_add(&r->first, rx_buf_str(&id));
        if (any)
            add_record(&r->calls, WHAT_CALL, seal->kind, 0, rx_buf_str(&id),
                seal->bytes);
    }
    rx_buf_fini(&id);
}

static void
add_thoughts(struct recall *r, struct rx_buf *value)
{
    for (size_t i = 0; i < r->count; i++) {
        struct thought *t = &r->thoughts[i];
        if (t->seal.len == 0 && !r->must)
            continue;
        if (t->text.len == 0 && t->seal.len == 0)
            continue;
        if (t->text.full || t->seal.full)
            continue; /* half of it is worth nothing */
        add_record(value, WHAT_THINKING, t->kind,
            (t->summary ? SUMMARY : 0) | (t->redacted ? REDACTED : 0),
            rx_buf_str(&t->text), rx_buf_str(&t->seal));
    }
}

/* The answer is whole: keep what of it may be wanted. */
static void
keep(struct recall *r)
{
    struct rx_digest key;
    struct rx_buf value;
    bool known = r->first.len > 0;

    if (known)
        key = key_of(&r->scope, 'c', rx_buf_str(&r->first));
    else if (!r->text.full)
        known = key_of_text(&r->scope, rx_buf_str(&r->text), &key);
    if (!known)
        return;
    rx_buf_init(&value, 4 * NOTED_MAX);
    add_thoughts(r, &value);
    rx_buf_add(&value, rx_buf_str(&r->calls));
    if (value.len > 0 && !value.full && !r->calls.full)
        memory_put(r->scope.memory, &key, rx_buf_str(&value), r->scope.now_ms);
    rx_buf_fini(&value);
}

/* As the client sees it. */
static void
put_after(void *arg, const struct ir_event *e)
{
    struct recall *r = arg;

    if (e->kind == IR_EV_OPEN && e->open.kind == IR_TOOL_CALL)
        note_call(r, e);
    else if (e->kind == IR_EV_TEXT)
        rx_buf_add(&r->text, e->text);
    else if (e->kind == IR_EV_END)
        keep(r);
    ir_put(&r->after, e);
}

struct ir_sink
recall_before(struct recall *r, struct ir_sink to)
{
    if (r == NULL)
        return to;
    r->before = to;
    return (struct ir_sink){ put_before, r };
}

struct ir_sink
recall_after(struct recall *r, struct ir_sink to)
{
    if (r == NULL)
        return to;
    r->after = to;
    return (struct ir_sink){ put_after, r };
}

/* ---- putting it back -------------------------------------------------------- */

/* What a turn of the assistant holds. */
struct held {
    bool thinking;        /* sealed, or readable */
    struct ir_part *call; /* the first */
    bool calls_sealed;
    struct rx_buf text;
};

static void
look_at_turn(const struct ir_turn *t, struct held *h)
{
    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        switch (p->kind) {
        case IR_THINKING:
            h->thinking = h->thinking || p->thinking.seal.bytes.len > 0 ||
                          p->thinking.text.len > 0;
            h->calls_sealed = h->calls_sealed || p->thinking.seal.kind == 't';
            break;
        case IR_TOOL_CALL:
            if (h->call == NULL)
                h->call = p;
            h->calls_sealed = h->calls_sealed || p->call.seal.bytes.len > 0;
            break;
        case IR_TEXT: rx_buf_add(&h->text, p->text); break;
        default: break;
        }
    }
}

static rx_str
find_value(const struct recall_scope *scope, const struct held *h)
{
    struct rx_digest key;
    struct rx_buf id;
    bool known = false;

    if (h->call == NULL) {
        known = !h->text.full && key_of_text(scope, rx_buf_str(&h->text), &key);
    } else {
        rx_buf_init(&id, 4096);
        known = rx_span_unescape(h->call->call.id, &id) && id.len > 0;
        if (known)
            key = key_of(scope, 'c', rx_buf_str(&id));
        rx_buf_fini(&id);
    }
    if (!known)
        return (rx_str){ 0 };
    return memory_get(scope->memory, &key, scope->now_ms);
}

static struct ir_opaque
seal_of(const struct recall_scope *scope, const struct record *rec,
    struct rx_arena *arena)
{
    return (struct ir_opaque){ .bytes = rx_arena_copy(arena, rec->seal),
        .dialect = scope->dialect,
        .family = scope->family,
        .kind = rec->kind };
}

static struct ir_part *
make_thinking(const struct recall_scope *scope, const struct record *rec,
    struct rx_arena *arena)
{
    struct ir_part *p = rx_arena_make(arena, struct ir_part, 1);

    if (p == NULL)
        return NULL;
    p->kind = IR_THINKING;
    p->thinking.text = rx_arena_copy(arena, rec->text);
    p->thinking.summary = (rec->flags & SUMMARY) != 0;
    p->thinking.redacted = (rec->flags & REDACTED) != 0;
    p->thinking.seal = seal_of(scope, rec, arena);
    return p;
}

static void
seal_call(const struct recall_scope *scope, const struct record *rec,
    struct ir_turn *t, struct rx_arena *arena)
{
    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_CALL || p->call.seal.bytes.len > 0)
            continue;
        rx_str id = ir_decode(arena, p->call.id);
        if (rx_str_eq(id, rec->text))
            p->call.seal = seal_of(scope, rec, arena);
    }
}

static void
restore(const struct recall_scope *scope, struct ir_turn *t,
    const struct held *h, rx_str value, struct rx_arena *arena)
{
    struct ir_parts front = { 0 };
    struct record rec;

    while (next_record(&value, &rec)) {
        if (rec.what == WHAT_CALL && !h->calls_sealed) {
            seal_call(scope, &rec, t, arena);
        } else if (rec.what == WHAT_THINKING && !h->thinking) {
            struct ir_part *p = make_thinking(scope, &rec, arena);
            if (p != NULL)
                ir_part_append(&front, p);
        }
    }
    if (front.first == NULL)
        return;
    ir_parts_join(&front, &t->parts);
    t->parts = front;
}

void
recall_apply(const struct recall_scope *scope, struct ir_request *r,
    struct rx_arena *arena)
{
    if (scope->memory == NULL || memory_count(scope->memory) == 0)
        return;
    for (struct ir_turn *t = r->turns; t != NULL; t = t->next) {
        struct held h = { 0 };
        if (t->role != IR_ASSISTANT)
            continue;
        rx_buf_init(&h.text, NOTED_MAX);
        look_at_turn(t, &h);
        bool lacks = !h.thinking || (h.call != NULL && !h.calls_sealed);
        rx_str value = lacks ? find_value(scope, &h) : (rx_str){ 0 };
        if (value.len > 0)
            restore(scope, t, &h, value, arena);
        rx_buf_fini(&h.text);
    }
}
