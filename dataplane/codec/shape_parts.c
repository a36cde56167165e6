/* Which parts may go to the target, and in which form. */
#include <string.h>

#include "dataplane/codec/decode.h"
#include "dataplane/codec/provenance.h"
#include "dataplane/codec/shape.h"

static rx_str
wrap(struct shape *s, const char *before, rx_str text, const char *after)
{
    rx_str pieces[] = { { before, strlen(before) }, text,
        { after, strlen(after) } };

    return ir_concat(s->arena, pieces, 3);
}

/* --- documents and sources ---------------------------------------------------------- */

static void
as_text(struct ir_part *p, rx_str text)
{
    p->kind = IR_TEXT;
    p->text = text;
    p->citations = NULL;
}

/* All texts of a list, one below the other. */
static rx_str
joined(struct shape *s, const struct ir_parts *parts)
{
    rx_str all = { 0 };

    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != IR_TEXT)
            continue;
        rx_str pieces[] = { all, all.len > 0 ? RX_S("\\n") : RX_S(""),
            p->text };
        all = ir_concat(s->arena, pieces, 3);
    }
    return all;
}

static void
inline_document(struct shape *s, struct ir_part *p)
{
    struct ir_media m = p->media;
    rx_str body = m.source == IR_PLAIN ? m.data : joined(s, &m.parts);
    rx_str pieces[] = { RX_S("<document"),
        m.title.len > 0 ? RX_S(" title=\\\"") : RX_S(""), m.title,
        m.title.len > 0 ? RX_S("\\\"") : RX_S(""), RX_S(">\\n"), body,
        RX_S("\\n</document>") };

    as_text(p, ir_concat(s->arena, pieces, RX_COUNT(pieces)));
}

static void
inline_source(struct shape *s, struct ir_part *p)
{
    rx_str pieces[] = { RX_S("Source: "), p->search.source, RX_S("\\nTitle: "),
        p->search.title, RX_S("\\n"), joined(s, &p->search.parts) };

    as_text(p, ir_concat(s->arena, pieces, RX_COUNT(pieces)));
}

/* --- media -------------------------------------------------------------------------- */

/* The first bytes of base64 tell what it is. */
static rx_str
sniff(rx_str base64)
{
    static const struct {
        rx_str begins;
        rx_str mime;
    } magic[] = {
        { RX_STR_INIT("iVBORw0KGgo"), RX_STR_INIT("image/png") },
        { RX_STR_INIT("/9j/"), RX_STR_INIT("image/jpeg") },
        { RX_STR_INIT("R0lGOD"), RX_STR_INIT("image/gif") },
        { RX_STR_INIT("UklGR"), RX_STR_INIT("image/webp") },
        { RX_STR_INIT("JVBERi0"), RX_STR_INIT("application/pdf") },
    };

    for (size_t i = 0; i < RX_COUNT(magic); i++) {
        if (rx_str_starts(base64, magic[i].begins))
            return magic[i].mime;
    }
    return (rx_str){ 0 };
}

static bool
refuse(struct shape *s, const struct ir_part *p, const char *words)
{
    ir_blame(s->err, s->r, p, words);
    return false;
}

static bool
check_image(struct shape *s, const struct ir_part *p)
{
    static const rx_str known[] = {
        RX_STR_INIT("image/png"),
        RX_STR_INIT("image/jpeg"),
        RX_STR_INIT("image/gif"),
        RX_STR_INIT("image/webp"),
    };
    const struct ir_media *m = &p->media;

    if (m->source == IR_URL && !s->cap->image_url)
        return refuse(s, p, "the model takes no images by URL");
    if (m->source == IR_INLINE && !s->cap->image_inline)
        return refuse(s, p, "the model takes no images");
    if (s->target != DIALECT_ANTHROPIC || m->source != IR_INLINE)
        return true;
    for (size_t i = 0; i < RX_COUNT(known); i++) {
        if (rx_str_eq(m->mime, known[i]))
            return true;
    }
    return refuse(s, p, "the model takes png, jpeg, gif and webp only");
}

static bool
shape_media(struct shape *s, struct ir_part *p)
{
    struct ir_media *m = &p->media;

    if (m->source == IR_FILE_ID)
        return refuse(
            s, p, "a file's id is only known to the provider that stored it");
    m->mime = ir_decode(s->arena, m->mime);
    if (m->source == IR_INLINE && m->mime.len == 0)
        m->mime = sniff(m->data);
    switch (m->kind) {
    case IR_IMAGE: return check_image(s, p);
    case IR_AUDIO:
        return s->cap->audio || refuse(s, p, "the model takes no audio");
    case IR_VIDEO:
        return s->cap->video || refuse(s, p, "the model takes no video");
    case IR_DOCUMENT: break;
    }
    if (m->source == IR_PLAIN || m->source == IR_PARTS) {
        if (s->target != DIALECT_ANTHROPIC)
            inline_document(s, p);
        return true;
    }
    if (!s->cap->pdf)
        return refuse(s, p, "the model takes no documents");
    if (m->source == IR_URL && s->target == DIALECT_CHAT)
        return refuse(s, p, "the model takes no documents by URL");
    return true;
}

/* --- reasoning ----------------------------------------------------------------------- */

/* False: it may not go there. */
static bool
keep_thinking(struct shape *s, struct ir_part *p)
{
    struct ir_thinking *t = &p->thinking;
    struct ir_opaque opened;

    if (provenance_unwrap(t->seal.bytes, s->arena, &opened))
        t->seal = opened;
    else if (t->seal.bytes.len > 0 && t->seal.dialect == s->r->dialect &&
             s->r->dialect != s->target)
        t->seal.bytes = (rx_str){ 0 }; /* foreign, whoever it is from */
    if (t->seal.kind == 't' && t->seal.bytes.len > 0)
        return true; /* a call's; it is moved there */
    bool fits = provenance_fits(&t->seal, s->target, s->cap->family);
    if (!fits)
        t->seal.bytes = (rx_str){ 0 };
    if (fits)
        return true;
    bool plain = s->target == DIALECT_CHAT && s->cap->replay != CAP_REPLAY_NO;
    if (plain && t->text.len > 0 && !t->redacted)
        return true;
    ir_lose(s->losses, "thinking", "it is of another family");
    return false;
}

static bool
keep_call(struct shape *s, struct ir_part *p, struct ir_opaque *seal)
{
    if (p->call.kind == IR_CALL_SERVER) {
        ir_lose(s->losses, "server tool calls", "of another dialect");
        return false;
    }
    if (seal->bytes.len > 0 && p->call.seal.bytes.len == 0)
        p->call.seal = *seal;
    *seal = (struct ir_opaque){ 0 };
    if (!provenance_fits(&p->call.seal, s->target, s->cap->family))
        p->call.seal = (struct ir_opaque){ 0 };
    return true;
}

/* --- all of a list ---------------------------------------------------------------------- */

static bool shape_list(struct shape *s, struct ir_parts *parts);

/* False: to be dropped (or refused: see err). */
static bool
shape_part(struct shape *s, struct ir_part *p, struct ir_opaque *seal)
{
    switch (p->kind) {
    case IR_TEXT:
        if (p->citations != NULL)
            ir_lose(s->losses, "citations", "of earlier answers");
        return p->text.len > 0;
    case IR_REFUSAL:
        if (s->target != DIALECT_CHAT && s->target != DIALECT_RESPONSES)
            p->kind = IR_TEXT;
        return p->text.len > 0;
    case IR_MEDIA: return shape_media(s, p);
    case IR_THINKING:
        if (!keep_thinking(s, p))
            return false;
        if (p->thinking.seal.kind != 't' || p->thinking.seal.bytes.len == 0)
            return true;
        *seal = p->thinking.seal;
        return false;
    case IR_TOOL_CALL: return keep_call(s, p, seal);
    case IR_TOOL_RESULT: return shape_list(s, &p->result.parts);
    case IR_SEARCH_RESULT:
        if (s->target != DIALECT_ANTHROPIC)
            inline_source(s, p);
        return true;
    case IR_SERVER_RESULT:
    case IR_LOOKUP:
    case IR_OPAQUE:
        ir_lose(s->losses, "content blocks", "only their dialect knows them");
        return false;
    }
    return false;
}

static bool
shape_list(struct shape *s, struct ir_parts *parts)
{
    struct ir_parts kept = { 0 };
    struct ir_opaque seal = { 0 };

    for (struct ir_part *p = parts->first, *next; p != NULL; p = next) {
        next = p->next;
        bool keep = shape_part(s, p, &seal);
        if (s->err->code != RX_OK)
            return false;
        if (keep)
            ir_part_append(&kept, p);
    }
    *parts = kept;
    return true;
}

/* Where the target has no system messages in mid-conversation, they stay in
 * their place, as the user's: moved to the front they would spoil the cache. */
static void
wrap_system(struct shape *s, struct ir_turn *t)
{
    t->role = IR_USER;
    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TEXT && p->text.len > 0)
            p->text = wrap(
                s, "<system-reminder>\\n", p->text, "\\n</system-reminder>");
    }
    ir_lose(s->losses, "system messages", "in mid-conversation");
}

bool
shape_parts(struct shape *s)
{
    if (!shape_list(s, &s->r->system))
        return false;
    for (struct ir_turn *t = s->r->turns; t != NULL; t = t->next) {
        if (t->role == IR_SYSTEM && !s->cap->mid_system)
            wrap_system(s, t);
        if (!shape_list(s, &t->parts))
            return false;
    }
    return true;
}
