/*
 * Parts of an answer as the reader names them: found, opened, and given the ids
 * and names the client knows.
 */
#include <stdlib.h>

#include "dataplane/codec/normalise_parts.h"

#define SLOTS_MAX 4096

static bool
hides_thinking(const struct ir_request *r)
{
    switch (r->dialect) {
    case DIALECT_ANTHROPIC:
        return r->reasoning.mode != IR_THINK_ON &&
               r->reasoning.mode != IR_THINK_ADAPTIVE;
    case DIALECT_CHAT: return r->reasoning.show == IR_SHOW_NONE;
    default: return false;
    }
}

struct slot *
normalise_slot_new(struct normaliser *n, uint32_t part, enum ir_part_kind kind)
{
    if (n->count == SLOTS_MAX) {
        normalise_fail(n, IR_FAULT_UPSTREAM, "the answer has too many parts");
        return NULL;
    }
    struct slot *s = normalise_must(calloc(1, sizeof(*s)));

    if (n->count == n->size) {
        n->size = n->size > 0 ? n->size * 2 : 8;
        n->slots =
            normalise_must(realloc(n->slots, n->size * sizeof(struct slot *)));
    }
    n->slots[n->count++] = s;
    s->part = part;
    s->kind = kind;
    s->hidden = kind == IR_THINKING && hides_thinking(n->about.request);
    rx_buf_init(&s->held, NORMALISE_HELD_MAX);
    places_init(&s->places);
    return s;
}

/* The latest of that name that can still take something. */
struct slot *
normalise_slot(const struct normaliser *n, uint32_t part)
{
    for (size_t i = n->count; i > 0; i--) {
        struct slot *s = n->slots[i - 1];
        if (s->part == part && !s->closed && !s->ended)
            return s;
    }
    return NULL;
}

bool
normalise_was_call(const struct normaliser *n, uint32_t part)
{
    for (size_t i = n->count; i > 0; i--) {
        if (n->slots[i - 1]->part == part)
            return n->slots[i - 1]->kind == IR_TOOL_CALL;
    }
    return false;
}

/* Of a text that is open, or is to come. */
struct slot *
normalise_slot_cited(struct normaliser *n, uint32_t part)
{
    struct slot *s = normalise_slot(n, part);

    if (s != NULL)
        return s;
    for (size_t i = 0; i < n->count; i++) {
        if (n->slots[i]->part == part)
            return NULL;
    }
    return normalise_slot_new(n, part, IR_TEXT);
}

static const struct ir_rename *
find_rename(const struct normaliser *n, rx_str wire)
{
    const struct ir_rename *r = n->about.request->renames;

    while (r != NULL && !rx_str_eq(r->wire, wire))
        r = r->next;
    return r;
}

/* What ids each dialect's clients can send back to anybody. */
static const struct {
    enum cap_ids rule;
    unsigned most;
} client_ids[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = { CAP_IDS_WORD, 128 },
    [DIALECT_CHAT] = { CAP_IDS_ANY, 64 },
    [DIALECT_RESPONSES] = { CAP_IDS_WORD, 64 },
    [DIALECT_GEMINI] = { CAP_IDS_ANY, 128 },
};

static void
name_call(struct normaliser *n, struct slot *s, const struct ir_event *e)
{
    enum dialect d = n->about.request->dialect;
    const struct ir_rename *r = find_rename(n, e->open.name);
    char made[CODEC_ID_MAX];
    rx_str id = e->open.id;

    if (id.len == 0)
        id = codec_id(n->about.world, "call_", made);
    else if (!normalise_id_ok(id, client_ids[d].rule, client_ids[d].most))
        id = normalise_id(id, client_ids[d].rule, client_ids[d].most, 0, made);
    s->id = keep_text(&n->keep, id);
    s->name = keep_text(&n->keep, r != NULL ? r->client : e->open.name);
    s->space = keep_text(&n->keep, r != NULL ? r->space : e->open.space);
    s->unwrap = r != NULL && r->custom && s->call == IR_CALL_FUNCTION;
    if (s->unwrap)
        s->call = IR_CALL_CUSTOM;
}

void
normalise_keep_seal(
    struct normaliser *n, struct slot *s, const struct ir_opaque *seal)
{
    if (s->sealed || seal->bytes.len == 0)
        return;
    s->sealed = true;
    s->seal = *seal;
    s->seal.bytes = keep_text(&n->keep, seal->bytes);
}

/* What only its own dialect has a form for. */
static bool
has_no_form(const struct normaliser *n, const struct ir_event *e)
{
    switch (e->open.kind) {
    case IR_TOOL_RESULT:
    case IR_SEARCH_RESULT:
    case IR_SERVER_RESULT:
        codec_lose(&n->about, "tool results",
            "what the provider's own tools gave has no form here");
        return true;
    case IR_OPAQUE:
        codec_lose(&n->about, "content blocks",
            "a block of the answer has no form here");
        return true;
    case IR_TOOL_CALL:
        if (e->open.call == IR_CALL_SERVER)
            codec_lose(&n->about, "tool calls",
                "calls of the provider's own tools have no form here");
        return false;
    default: return false;
    }
}

void
normalise_open(struct normaliser *n, const struct ir_event *e)
{
    enum ir_part_kind kind = e->open.kind;

    if (has_no_form(n, e))
        return;
    struct slot *s = normalise_slot_new(n, e->part, kind);
    if (s == NULL)
        return;
    s->summary = e->open.summary;
    s->redacted = e->open.redacted;
    s->call = e->open.call;
    s->media = keep_media(&n->keep, e->open.media);
    s->lookup = keep_lookup(&n->keep, e->open.lookup);
    s->due = kind == IR_MEDIA || kind == IR_LOOKUP;
    if (kind != IR_TOOL_CALL)
        return;
    s->hidden = s->call == IR_CALL_SERVER;
    s->due = !s->hidden;
    if (e->open.seal != NULL)
        normalise_keep_seal(n, s, e->open.seal);
    name_call(n, s, e);
}
