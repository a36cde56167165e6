#include "dataplane/codec/responses_slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"

/* FNV-1a (Fowler, Noll, Vo) */
#define HASH_INIT UINT64_C(0xcbf29ce484222325)

static uint64_t
hash_more(uint64_t h, rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        h ^= (unsigned char)s.ptr[i];
        h *= UINT64_C(0x100000001b3);
    }
    return h;
}

struct slot *
slot_find(const struct responses_reader *r, enum slot_kind kind,
    uint64_t output, uint64_t content)
{
    for (size_t i = r->count; i > 0; i--) {
        struct slot *s = &r->slots[i - 1];
        if (s->output == output && s->kind == kind && s->content == content)
            return s;
    }
    return NULL;
}

static void
grow(struct responses_reader *r)
{
    r->size = r->size > 0 ? r->size * 2 : 8;
    struct slot *slots = realloc(r->slots, r->size * sizeof(*slots));
    if (slots == NULL) {
        fputs("routex: out of memory for an answer\n", stderr);
        abort();
    }
    r->slots = slots;
}

/* A new one; NULL when there are too many. */
static struct slot *
slot_add(struct responses_reader *r, enum slot_kind kind, uint64_t output,
    uint64_t content)
{
    if (r->count == RESPONSES_SLOTS_MAX)
        return NULL;
    if (r->count == r->size)
        grow(r);
    struct slot *s = &r->slots[r->count++];
    *s = (struct slot){
        .kind = kind,
        .output = output,
        .content = content,
        .part = kind == SLOT_ITEM ? 0 : r->parts++,
        .hash = HASH_INIT,
    };
    return s;
}

static void
put_text(struct responses_reader *r, struct slot *s, rx_str text)
{
    static const enum ir_event_kind kinds[] = {
        [SLOT_TEXT] = IR_EV_TEXT,
        [SLOT_REFUSAL] = IR_EV_TEXT,
        [SLOT_REASONING] = IR_EV_THINKING,
        [SLOT_CALL] = IR_EV_ARGS,
    };
    struct ir_event e = { .kind = kinds[s->kind], .part = s->part };

    e.text = text;
    ir_put(&r->base.to, &e);
}

void
slot_feed(struct responses_reader *r, struct slot *s, rx_str text)
{
    if (s == NULL || s->closed || text.len == 0)
        return;
    s->hash = hash_more(s->hash, text);
    s->len += text.len;
    put_text(r, s, text);
}

void
slot_fill(struct responses_reader *r, struct slot *s, rx_str whole)
{
    if (s == NULL || whole.len <= s->len ||
        hash_more(HASH_INIT, (rx_str){ whole.ptr, s->len }) != s->hash)
        return;
    slot_feed(r, s, (rx_str){ whole.ptr + s->len, whole.len - s->len });
}

static void
slot_close(struct responses_reader *r, struct slot *s)
{
    struct ir_event e = { .kind = IR_EV_CLOSE };

    if (s == NULL || s->closed)
        return;
    s->closed = true;
    e.part = s->part;
    ir_put(&r->base.to, &e);
}

/* --- the kinds ------------------------------------------------------------------ */

static struct ir_event
opening(const struct slot *s, enum ir_part_kind kind)
{
    struct ir_event e = { .kind = IR_EV_OPEN, .part = s->part };

    e.open.kind = kind;
    return e;
}

struct slot *
slot_text(
    struct responses_reader *r, bool refusal, uint64_t output, uint64_t content)
{
    enum slot_kind kind = refusal ? SLOT_REFUSAL : SLOT_TEXT;
    struct slot *s = slot_find(r, kind, output, content);

    if (s != NULL)
        return s;
    s = slot_add(r, kind, output, content);
    if (s == NULL)
        return NULL;
    if (refusal)
        r->refused = true;
    else
        r->said = true;
    struct ir_event e = opening(s, refusal ? IR_REFUSAL : IR_TEXT);
    ir_put(&r->base.to, &e);
    return s;
}

/* A call that has no name yet waits for its whole item. */
struct slot *
slot_call(struct responses_reader *r, uint64_t output,
    const struct responses_item *item)
{
    struct slot *s = slot_find(r, SLOT_CALL, output, 0);
    const struct responses_builtin *own = responses_builtin_call(item->type);
    rx_str name = own != NULL ? own->type : item->name;

    if (s != NULL || name.len == 0)
        return s;
    s = slot_add(r, SLOT_CALL, output, 0);
    if (s == NULL)
        return NULL;
    struct ir_event e = opening(s, IR_TOOL_CALL);
    e.open.id = item->call_id;
    e.open.name = name;
    e.open.space = item->space;
    e.open.item_id = item->id;
    e.open.call =
        item->kind == RESPONSES_CUSTOM_CALL ? IR_CALL_CUSTOM : IR_CALL_FUNCTION;
    ir_put(&r->base.to, &e);
    return s;
}

/* Pieces are set apart by a blank line.  Of summary and full text the one that
 * comes first is taken, the other says the same again. */
static struct slot *
next_piece(
    struct responses_reader *r, struct slot *s, bool summary, uint64_t piece)
{
    if (s->begun && (s->summary != summary || piece < s->piece))
        return NULL;
    if (s->begun && piece > s->piece && !s->closed && s->len > 0)
        put_text(r, s, RX_S("\\n\\n"));
    if (!s->begun || piece > s->piece) {
        s->begun = true;
        s->summary = summary;
        s->piece = piece;
        s->hash = HASH_INIT;
        s->len = 0;
    }
    return s;
}

static struct slot *
open_reasoning(struct responses_reader *r, uint64_t output, bool summary)
{
    struct slot *s = slot_find(r, SLOT_REASONING, output, 0);

    if (s != NULL)
        return s;
    s = slot_add(r, SLOT_REASONING, output, 0);
    if (s == NULL)
        return NULL;
    struct ir_event e = opening(s, IR_THINKING);
    e.open.summary = summary;
    ir_put(&r->base.to, &e);
    return s;
}

struct slot *
slot_reasoning(
    struct responses_reader *r, uint64_t output, bool summary, uint64_t piece)
{
    struct slot *s = open_reasoning(r, output, summary);

    return s != NULL ? next_piece(r, s, summary, piece) : NULL;
}

/* --- whole ------------------------------------------------------------------------ */

void
slot_citation(struct responses_reader *r, struct slot *s, rx_str raw)
{
    struct ir_event e = { .kind = IR_EV_CITATION };
    struct ir_citation c;

    if (s == NULL || s->closed)
        return;
    responses_citation_read(raw, &c);
    s->notes++;
    e.part = s->part;
    e.citation = &c;
    ir_put(&r->base.to, &e);
}

static void
fill_citations(struct responses_reader *r, struct slot *s, rx_str list)
{
    struct rx_span j;
    rx_str element;
    size_t n = 0;

    if (s == NULL)
        return;
    for (bool is = walk_array(&j, list); is && walk_next(&j, &element); n++) {
        if (n >= s->notes)
            slot_citation(r, s, element);
    }
}

/* Those that came with deltas stand. */
void
slot_logprobs(struct responses_reader *r, struct slot *s, rx_str list)
{
    if (s == NULL || s->closed || s->likely || list.len <= 2)
        return;
    s->likely = true;
    ir_put(&r->base.to,
        &(struct ir_event){
            .kind = IR_EV_LOGPROBS, .part = s->part, .text = list });
}

void
slot_content(
    struct responses_reader *r, uint64_t output, uint64_t content, rx_str raw)
{
    struct responses_part part;

    if (!responses_part_read(raw, &part))
        return;
    if (rx_str_eq(part.type, RX_S("output_text"))) {
        struct slot *s = slot_text(r, false, output, content);
        slot_fill(r, s, part.text);
        slot_logprobs(r, s, part.logprobs);
        fill_citations(r, s, part.annotations);
        slot_close(r, s);
    } else if (rx_str_eq(part.type, RX_S("refusal"))) {
        struct slot *s = slot_text(r, true, output, content);
        slot_fill(r, s, part.refusal);
        slot_close(r, s);
    } else if (rx_str_eq(part.type, RX_S("reasoning_text"))) {
        slot_fill(r, slot_reasoning(r, output, false, content), part.text);
    }
}

static void
message_whole(
    struct responses_reader *r, uint64_t output, const struct responses_item *m)
{
    struct rx_span j;
    rx_str element;
    uint64_t n = 0;

    for (bool is = walk_array(&j, m->content); is && walk_next(&j, &element);
         n++)
        slot_content(r, output, n, element);
}

static void
fill_reasoning(
    struct responses_reader *r, uint64_t output, rx_str list, bool summary)
{
    struct responses_part part;
    struct rx_span j;
    rx_str element;
    uint64_t n = 0;

    for (bool is = walk_array(&j, list); is && walk_next(&j, &element); n++) {
        if (responses_part_read(element, &part) && part.text.len > 0)
            slot_fill(r, slot_reasoning(r, output, summary, n), part.text);
    }
}

static void
put_seal(struct responses_reader *r, uint64_t output, rx_str bytes)
{
    struct ir_event e = { .kind = IR_EV_SEAL };
    struct slot *s = open_reasoning(r, output, true);

    if (s == NULL || s->closed)
        return;
    e.part = s->part;
    e.seal = (struct ir_opaque){
        .bytes = bytes,
        .dialect = DIALECT_RESPONSES,
        .family = r->base.about.cap->family,
        .kind = 's',
    };
    ir_put(&r->base.to, &e);
}

static void
reasoning_whole(
    struct responses_reader *r, uint64_t output, const struct responses_item *m)
{
    fill_reasoning(r, output, m->content, false);
    fill_reasoning(r, output, m->summary, true);
    if (m->encrypted.len > 0)
        put_seal(r, output, m->encrypted);
    slot_close(r, slot_find(r, SLOT_REASONING, output, 0));
}

/* A string's inside as it is; an object as text, escaped. */
static void
fill_args(struct responses_reader *r, struct slot *s, rx_str raw)
{
    struct rx_buf text;

    if (s == NULL || raw.len == 0)
        return;
    if (raw.ptr[0] == '"') {
        slot_fill(r, s, walk_text(raw));
        return;
    }
    rx_buf_init(&text, raw.len * 6 + 1);
    rx_buf_add_json(&text, raw);
    slot_fill(r, s, rx_buf_str(&text));
    rx_buf_fini(&text);
}

static void
call_whole(
    struct responses_reader *r, uint64_t output, const struct responses_item *m)
{
    struct slot *s = slot_call(r, output, m);

    fill_args(r, s,
        m->arguments.len > 0 ? m->arguments
        : m->input.len > 0   ? m->input
                             : m->action);
    slot_close(r, s);
}

/* --- what was looked up ----------------------------------------------------------- */

struct action {
    rx_str query, queries, url, sources;
};
static const struct walk_row action_rows[] = {
    WALK_ROW(TEXT, action, "query", query),
    WALK_ROW(RAW, action, "queries", queries),
    WALK_ROW(TEXT, action, "url", url),
    WALK_ROW(RAW, action, "sources", sources),
};

static struct ir_page *
read_sources(struct responses_reader *r, rx_str list)
{
    struct ir_page *first = NULL;
    struct ir_page **end = &first;
    struct rx_span j;
    rx_str one;

    for (bool is = list.len > 0 && walk_array(&j, list);
         is && walk_next(&j, &one);) {
        struct action a = { 0 };
        RESPONSES_WALK(one, action_rows, &a);
        if (a.url.len == 0)
            continue;
        *end = rx_arena_make(r->base.about.arena, struct ir_page, 1);
        if (*end == NULL)
            break;
        **end = (struct ir_page){ .url = a.url };
        end = &(*end)->next;
    }
    return first;
}

/* Several searches at once are several; all that was found goes with the last. */
static void
lookup_whole(struct responses_reader *r, const struct responses_item *m)
{
    struct ir_lookup l = { .failed = rx_str_eq(m->status, RX_S("failed")) };
    struct action a = { 0 };
    struct rx_span j;
    rx_str one;

    RESPONSES_WALK(m->action, action_rows, &a);
    l.what = a.query;
    if (a.url.len > 0)
        l = (struct ir_lookup){ IR_LOOKUP_PAGE, a.url, l.failed, NULL };
    rx_str before = { 0 };
    for (bool is = a.queries.len > 0 && walk_array(&j, a.queries);
         is && walk_next(&j, &one);) {
        if (before.len > 0)
            ir_put_lookup(
                &r->base.to, r->parts++, &(struct ir_lookup){ .what = before });
        before = walk_text(one);
    }
    if (before.len > 0)
        l.what = before;
    l.sources = read_sources(r, a.sources);
    ir_put_lookup(&r->base.to, r->parts++, &l);
}

void
slot_item(struct responses_reader *r, uint64_t output, rx_str raw)
{
    struct responses_item m;

    if (slot_find(r, SLOT_ITEM, output, 0) != NULL ||
        !responses_item_read(raw, &m))
        return;
    switch (m.kind) {
    case RESPONSES_MESSAGE: message_whole(r, output, &m); break;
    case RESPONSES_REASONING: reasoning_whole(r, output, &m); break;
    case RESPONSES_FUNCTION_CALL:
    case RESPONSES_CUSTOM_CALL:
    case RESPONSES_SHELL_CALL: call_whole(r, output, &m); break;
    case RESPONSES_WEB_SEARCH: lookup_whole(r, &m); break;
    case RESPONSES_FUNCTION_OUTPUT:
    case RESPONSES_CUSTOM_OUTPUT:
    case RESPONSES_SHELL_OUTPUT:
    case RESPONSES_TOOL_SEARCH_OUTPUT:
    case RESPONSES_ADDITIONAL_TOOLS:
    case RESPONSES_FOREIGN:
        codec_lose(&r->base.about, "tool calls",
            "calls of the provider's own tools have no form here");
        break;
    }
    slot_add(r, SLOT_ITEM, output, 0);
    r->done++;
}
