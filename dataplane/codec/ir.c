#include "dataplane/codec/ir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/json_span.h"

void
ir_lose(struct ir_losses *l, const char *what, const char *why)
{
    size_t n = l->count < IR_LOSSES_KEPT ? l->count : IR_LOSSES_KEPT;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(l->kept[i].what, what) == 0 &&
            strcmp(l->kept[i].why, why) == 0)
            return;
    }
    if (l->count < IR_LOSSES_KEPT) {
        l->kept[l->count].what = what;
        l->kept[l->count].why = why;
    }
    l->count++;
}

void
ir_put_lookup(
    const struct ir_sink *to, uint32_t part, const struct ir_lookup *l)
{
    ir_put(to, &(struct ir_event){ .kind = IR_EV_OPEN,
                   .part = part,
                   .open = { .kind = IR_LOOKUP, .lookup = l } });
    ir_put(to, &(struct ir_event){ .kind = IR_EV_CLOSE, .part = part });
}

void
ir_part_append(struct ir_parts *list, struct ir_part *part)
{
    part->next = NULL;
    if (list->last != NULL)
        list->last->next = part;
    else
        list->first = part;
    list->last = part;
}

struct ir_part *
ir_part_add(
    struct rx_arena *arena, struct ir_parts *list, enum ir_part_kind kind)
{
    struct ir_part *part = rx_arena_make(arena, struct ir_part, 1);

    if (part == NULL)
        return NULL;
    part->kind = kind;
    ir_part_append(list, part);
    return part;
}

void
ir_text_add(struct rx_arena *arena, struct ir_parts *list, rx_str text)
{
    struct ir_part *part = ir_part_add(arena, list, IR_TEXT);

    if (part != NULL)
        part->text = text;
}

void
ir_parts_join(struct ir_parts *list, struct ir_parts *rest)
{
    if (rest->first == NULL)
        return;
    if (list->last != NULL)
        list->last->next = rest->first;
    else
        list->first = rest->first;
    list->last = rest->last;
    *rest = (struct ir_parts){ 0 };
}

struct ir_turn *
ir_turn_add(struct rx_arena *arena, struct ir_request *r, enum ir_role role)
{
    struct ir_turn *turn = rx_arena_make(arena, struct ir_turn, 1);

    if (turn == NULL)
        return NULL;
    turn->role = role;
    if (r->last_turn != NULL)
        r->last_turn->next = turn;
    else
        r->turns = turn;
    r->last_turn = turn;
    return turn;
}

struct ir_tool *
ir_tool_add(struct rx_arena *arena, struct ir_request *r)
{
    struct ir_tool *tool = rx_arena_make(arena, struct ir_tool, 1);

    if (tool == NULL)
        return NULL;
    if (r->last_tool != NULL)
        r->last_tool->next = tool;
    else
        r->tools = tool;
    r->last_tool = tool;
    return tool;
}

void
ir_name_add(struct rx_arena *arena, struct ir_name **list, rx_str name)
{
    struct ir_name *n = rx_arena_make(arena, struct ir_name, 1);

    if (n == NULL)
        return;
    n->name = name;
    while (*list != NULL)
        list = &(*list)->next;
    *list = n;
}

void
ir_extra_add(
    struct rx_arena *arena, struct ir_request *r, rx_str name, rx_str raw)
{
    struct ir_extra *x = rx_arena_make(arena, struct ir_extra, 1);

    if (x == NULL)
        return;
    *x = (struct ir_extra){ .next = r->extras, .name = name, .raw = raw };
    r->extras = x;
}

enum rx_code
ir_blame(struct rx_err *err, const struct ir_request *r,
    const struct ir_part *part, const char *words)
{
    static const struct {
        const char *turns, *parts;
    } names[DIALECT_COUNT] = {
        [DIALECT_ANTHROPIC] = { "messages", "content" },
        [DIALECT_CHAT] = { "messages", "content" },
        [DIALECT_RESPONSES] = { "input", "content" },
        [DIALECT_GEMINI] = { "contents", "parts" },
    };

    return rx_fail(err, RX_INVALID, "%s[%u].%s[%u]: %s",
        names[r->dialect].turns, part->turn, names[r->dialect].parts,
        part->index, words);
}

rx_str
ir_decode(struct rx_arena *arena, rx_str text)
{
    if (text.len == 0)
        return (rx_str){ 0 };
    if (memchr(text.ptr, '\\', text.len) == NULL)
        return text;
    char *out = rx_arena_alloc(arena, text.len);
    size_t len = 0;

    if (out == NULL || !rx_span_decode(text, out, &len))
        return (rx_str){ 0 };
    return (rx_str){ out, len };
}

rx_str
ir_escape(struct rx_arena *arena, rx_str plain)
{
    struct rx_buf b;

    rx_buf_init(&b, plain.len * 6 + 16);
    rx_buf_add_json(&b, plain);
    rx_str kept = rx_arena_copy(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return kept;
}

rx_str
ir_concat(struct rx_arena *arena, const rx_str *pieces, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += pieces[i].len;
    char *out = rx_arena_alloc(arena, len + 1);
    if (out == NULL)
        return (rx_str){ 0 };
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].len > 0)
            memcpy(out + at, pieces[i].ptr, pieces[i].len);
        at += pieces[i].len;
    }
    return (rx_str){ out, len };
}

double
ir_number(rx_str raw, double fallback)
{
    char text[64];
    char *end;

    if (raw.len == 0 || raw.len >= sizeof(text))
        return fallback;
    memcpy(text, raw.ptr, raw.len);
    text[raw.len] = '\0';
    double n = strtod(text, &end);
    return end == text + raw.len ? n : fallback;
}

void
ir_scan_feed(struct ir_scan *s, rx_str text)
{
    struct rx_buf plain;

    if (s->complete || text.len == 0)
        return;
    rx_buf_init(&plain, text.len + 1);
    rx_span_unescape(text, &plain);
    rx_str p = rx_buf_str(&plain);
    while (s->skip.depth == 0 && p.len > 0 && p.ptr[0] != '{')
        p = (rx_str){ p.ptr + 1, p.len - 1 };
    s->complete =
        p.len > 0 && rx_span_skip_feed(&s->skip, p.ptr, p.ptr + p.len) != NULL;
    rx_buf_fini(&plain);
}

bool
ir_usage_has(const struct usage *u, enum usage_counter i)
{
    return (u->has >> i & 1) != 0;
}

uint64_t
ir_usage_written(const struct usage *u)
{
    return u->n[USAGE_cache_write_5m] + u->n[USAGE_cache_write_1h] +
           u->n[USAGE_cache_write_other];
}

uint64_t
ir_usage_prompt(const struct usage *u)
{
    return u->n[USAGE_in_uncached] + u->n[USAGE_cache_read] +
           ir_usage_written(u) + u->n[USAGE_in_tool_use];
}

static bool
parts_marked(const struct ir_parts *parts)
{
    for (const struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->cache != IR_CACHE_NONE)
            return true;
    }
    return false;
}

bool
ir_is_marked(const struct ir_request *r)
{
    bool marked = parts_marked(&r->system);

    for (const struct ir_turn *t = r->turns; t != NULL && !marked; t = t->next)
        marked = parts_marked(&t->parts);
    return marked;
}
