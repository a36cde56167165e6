/* Calls and their results: who belongs to whom, and under which id. */
#include <stdio.h>
#include <string.h>

#include "dataplane/codec/shape.h"

static rx_str
wire_id(struct shape *s, rx_str id)
{
    char made[40];

    if (normalise_id_ok(id, s->cap->ids, s->cap->id_max))
        return id;
    return rx_arena_copy(
        s->arena, normalise_id(id, s->cap->ids, s->cap->id_max, 0, made));
}

/* A call without an id gets one by its place: the same in each request. */
static void
number_calls(struct shape *s, struct ir_turn *t, unsigned turn)
{
    unsigned k = 0;
    char made[40];

    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_CALL)
            continue;
        if (p->call.id.len == 0) {
            snprintf(made, sizeof(made), "call_%u_%u", turn, k);
            p->call.id =
                rx_arena_copy(s->arena, (rx_str){ made, strlen(made) });
        }
        k++;
    }
}

static bool
has_calls(const struct ir_turn *t)
{
    for (const struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TOOL_CALL)
            return true;
    }
    return false;
}

/* The user's turn behind `t`, before the next assistant's; it is moved up. */
static struct ir_turn *
answering_turn(struct shape *s, struct ir_turn *t)
{
    struct ir_turn *before = t;

    while (before->next != NULL && before->next->role == IR_SYSTEM)
        before = before->next;
    struct ir_turn *found = before->next;
    if (found != NULL && found->role == IR_USER) {
        before->next = found->next;
        if (s->r->last_turn == found)
            s->r->last_turn = before;
    } else {
        found = rx_arena_make(s->arena, struct ir_turn, 1);
        if (found == NULL)
            return NULL;
    }
    found->next = t->next;
    t->next = found;
    if (s->r->last_turn == t)
        s->r->last_turn = found;
    return found;
}

/* By id; else (old clients, Gemini) by name; else the first that has none. */
static bool
answers(const struct ir_part *p, const struct ir_call *c)
{
    if (p->kind != IR_TOOL_RESULT)
        return false;
    if (p->result.call_id.len > 0)
        return rx_str_eq(p->result.call_id, c->id);
    return p->result.name.len == 0 || rx_str_eq(p->result.name, c->name);
}

static struct ir_part *
take_result(struct ir_parts *from, const struct ir_call *c)
{
    struct ir_part *before = NULL;

    for (struct ir_part *p = from->first; p != NULL; p = p->next) {
        if (answers(p, c)) {
            if (before != NULL)
                before->next = p->next;
            else
                from->first = p->next;
            if (from->last == p)
                from->last = before;
            return p;
        }
        before = p;
    }
    return NULL;
}

static struct ir_part *
make_result(struct shape *s, struct ir_parts *list)
{
    struct ir_part *p = ir_part_add(s->arena, list, IR_TOOL_RESULT);

    ir_lose(s->losses, "tool results", "missing ones were made up");
    if (p == NULL)
        return NULL;
    p->result.is_error = true;
    ir_text_add(s->arena, &p->result.parts,
        RX_S("Tool call was not executed (no result supplied)."));
    return p;
}

/* A result nobody asked for becomes words. */
static void
disown(struct shape *s, struct ir_part *p)
{
    rx_str text = { 0 };

    for (const struct ir_part *k = p->result.parts.first; k != NULL;
         k = k->next) {
        rx_str pieces[] = { text, k->kind == IR_TEXT ? k->text : RX_S("") };
        text = ir_concat(s->arena, pieces, 2);
    }
    rx_str pieces[] = { RX_S("[result of unknown tool call "),
        p->result.call_id, RX_S("] "), text };
    ir_lose(s->losses, "tool results", "of unknown calls");
    p->kind = IR_TEXT;
    p->text = ir_concat(s->arena, pieces, 4);
    p->citations = NULL;
}

static bool
disown_rest(struct shape *s, struct ir_turn *t, const struct ir_turn *calls)
{
    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_RESULT)
            continue;
        const struct ir_part *c = calls != NULL ? calls->parts.first : NULL;
        for (; c != NULL; c = c->next) {
            if (c->kind == IR_TOOL_CALL && p->result.call_id.len > 0 &&
                rx_str_eq(c->call.id, p->result.call_id)) {
                ir_blame(
                    s->err, s->r, p, "this tool call has a result already");
                return false;
            }
        }
        disown(s, p);
    }
    return true;
}

#define CALLS_MAX 1024 /* in one turn */

/* The results of `calls`, in their order, then what else `t` holds. */
static bool
order_results(struct shape *s, struct ir_turn *calls, struct ir_turn *t)
{
    struct ir_parts results = { 0 };
    unsigned count = 0;

    for (struct ir_part *c = calls->parts.first; c != NULL; c = c->next) {
        if (c->kind != IR_TOOL_CALL)
            continue;
        if (++count > CALLS_MAX) {
            ir_blame(s->err, s->r, c, "too many tool calls in one turn");
            return false;
        }
        struct ir_part *p = take_result(&t->parts, &c->call);
        if (p != NULL)
            ir_part_append(&results, p);
        else
            p = make_result(s, &results);
        if (p == NULL)
            return false;
        p->result.call_id = c->call.id;
        p->result.name = c->call.name;
        p->result.custom = c->call.kind == IR_CALL_CUSTOM;
    }
    if (!disown_rest(s, t, calls))
        return false;
    ir_parts_join(&results, &t->parts);
    t->parts = results;
    return true;
}

static void
map_ids(struct shape *s, struct ir_turn *t)
{
    for (struct ir_part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == IR_TOOL_CALL)
            p->call.id = wire_id(s, p->call.id);
        else if (p->kind == IR_TOOL_RESULT)
            p->result.call_id = wire_id(s, p->result.call_id);
    }
}

bool
shape_pairs(struct shape *s)
{
    unsigned number = 0;
    struct ir_turn *answered = NULL; /* the turn whose results are in order */

    for (struct ir_turn *t = s->r->turns; t != NULL; t = t->next, number++) {
        if (t->role == IR_ASSISTANT && has_calls(t)) {
            number_calls(s, t, number);
            answered = answering_turn(s, t);
            if (answered == NULL || !order_results(s, t, answered))
                return false;
        } else if (t != answered && !disown_rest(s, t, NULL)) {
            return false;
        }
    }
    for (struct ir_turn *t = s->r->turns; t != NULL; t = t->next)
        map_ids(s, t);
    return true;
}
