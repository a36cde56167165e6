/* The steps from what a client said to what a target can be told. */
#include <string.h>

#include "dataplane/codec/decode.h"
#include "dataplane/codec/shape.h"
#include "dataplane/codec/stop_filter.h"

void
normalise_turns(struct ir_request *r)
{
    for (struct ir_turn *t = r->turns; t != NULL; t = t->next) {
        while (t->next != NULL && t->next->role == t->role) {
            ir_parts_join(&t->parts, &t->next->parts);
            t->next = t->next->next;
        }
        r->last_turn = t;
    }
}

static void
drop_empty_turns(struct ir_request *r)
{
    struct ir_turn **at = &r->turns;

    r->last_turn = NULL;
    while (*at != NULL) {
        if ((*at)->parts.first == NULL) {
            *at = (*at)->next;
        } else {
            r->last_turn = *at;
            at = &(*at)->next;
        }
    }
}

static bool
begins_with_user(struct shape *s)
{
    struct ir_request *r = s->r;

    if (s->target != DIALECT_ANTHROPIC && s->target != DIALECT_GEMINI)
        return true;
    if (r->turns != NULL && r->turns->role == IR_USER)
        return true;
    struct ir_turn *first = rx_arena_make(s->arena, struct ir_turn, 1);
    if (first == NULL)
        return false;
    ir_text_add(s->arena, &first->parts, RX_S("(conversation continues)"));
    first->next = r->turns;
    r->turns = first;
    if (r->last_turn == NULL)
        r->last_turn = first;
    ir_lose(s->losses, "messages", "the first had to be the user's");
    return true;
}

/* An escaped blank or line feed at the end of a text. */
static rx_str
trim_end(rx_str text)
{
    for (;;) {
        if (text.len > 0 && text.ptr[text.len - 1] == ' ')
            text.len--;
        else if (text.len > 1 && text.ptr[text.len - 2] == '\\' &&
                 strchr("nrt", text.ptr[text.len - 1]) != NULL &&
                 (text.len < 3 || text.ptr[text.len - 3] != '\\'))
            text.len -= 2;
        else
            return text;
    }
}

/* An answer begun by the client, to be gone on with. */
static void
shape_prefill(struct shape *s)
{
    struct ir_turn *last = s->r->last_turn;

    if (last == NULL || last->role != IR_ASSISTANT)
        return;
    if (s->target == DIALECT_ANTHROPIC && last->parts.last->kind == IR_TEXT)
        last->parts.last->text = trim_end(last->parts.last->text);
    if (s->cap->prefill)
        return;
    struct ir_turn *t = ir_turn_add(s->arena, s->r, IR_USER);
    if (t != NULL)
        ir_text_add(s->arena, &t->parts,
            RX_S("Continue from exactly where the assistant message stops."));
    ir_lose(s->losses, "prefill", "the model refuses it");
}

/* With a budget, Anthropic wants to see the sealed reasoning that led to a
 * call; without it this request must do without reasoning. */
static void
check_continuation(struct shape *s)
{
    struct ir_request *r = s->r;
    bool sealed = false;
    bool calls = false;
    const struct ir_turn *last = NULL;

    if (s->target != DIALECT_ANTHROPIC ||
        s->cap->reasoning != CAP_REASONING_BUDGET ||
        !reasoning_wanted(&r->reasoning))
        return;
    for (const struct ir_turn *t = r->turns; t != NULL; t = t->next)
        last = t->role == IR_ASSISTANT ? t : last;
    if (last == NULL)
        return;
    for (const struct ir_part *p = last->parts.first; p != NULL; p = p->next) {
        sealed = sealed || p->kind == IR_THINKING;
        calls = calls || p->kind == IR_TOOL_CALL;
    }
    if (!calls || sealed)
        return;
    r->reasoning = (struct ir_reasoning){ .mode = IR_THINK_OFF };
    ir_lose(s->losses, "reasoning", "an earlier tool call came without it");
}

/* --- cache ------------------------------------------------------------------------ */

static bool
has_marks(const struct ir_request *r)
{
    const struct ir_tool *t = r->tools;

    while (t != NULL && t->cache == IR_CACHE_NONE)
        t = t->next;
    return t != NULL || ir_is_marked(r);
}

/* Clients of dialects that cache by themselves do not ask: ask for them. */
static void
mark_for_cache(struct shape *s)
{
    struct ir_request *r = s->r;
    struct ir_turn *users[2] = { NULL, NULL };

    if (s->target != DIALECT_ANTHROPIC || has_marks(r))
        return;
    if (r->system.last != NULL)
        r->system.last->cache = IR_CACHE_5M;
    if (r->last_tool != NULL)
        r->last_tool->cache = IR_CACHE_5M;
    for (struct ir_turn *t = r->turns; t != NULL; t = t->next) {
        if (t->role != IR_USER)
            continue;
        users[0] = users[1];
        users[1] = t;
    }
    for (size_t i = 0; i < RX_COUNT(users); i++) {
        if (users[i] != NULL)
            users[i]->parts.last->cache = IR_CACHE_5M;
    }
}

/* --- what cannot be helped ---------------------------------------------------------- */

static bool
check_state(struct shape *s)
{
    const struct ir_request *r = s->r;

    if (r->n.there && r->n.n != 1) {
        rx_fail(s->err, RX_INVALID,
            "n: the chosen model gives one answer to a request");
        return false;
    }
    if (r->previous_id.len > 0 || r->wants_state) {
        rx_fail(s->err, RX_INVALID,
            "the request needs state that only a channel of the same dialect "
            "keeps");
        return false;
    }
    if (stop_filter_needed(r, s->cap) && !stop_filter_fits(r->stop)) {
        rx_fail(s->err, RX_INVALID, "stop: the sequences are too long");
        return false;
    }
    for (const struct ir_extra *x = r->extras; x != NULL; x = x->next)
        ir_lose(s->losses, "request members", "only their dialect knows them");
    return true;
}

enum rx_code
normalise_request(struct ir_request *r, enum dialect target,
    const struct capability *cap, struct rx_arena *arena,
    struct ir_losses *losses, struct rx_err *err)
{
    struct shape s = { r, target, cap, arena, losses, err };

    *err = (struct rx_err){ 0 };
    bool ok = check_state(&s) && shape_parts(&s);
    if (ok) {
        normalise_turns(r);
        ok = shape_pairs(&s);
    }
    if (ok) {
        drop_empty_turns(r);
        normalise_turns(r);
        ok = begins_with_user(&s) && shape_tools(&s) && shape_schemas(&s);
    }
    if (ok) {
        check_continuation(&s);
        shape_prefill(&s);
        mark_for_cache(&s);
    }
    if (!ok && err->code == RX_OK)
        return rx_fail(
            err, RX_TOO_BIG, "the request is too large to translate");
    return err->code;
}
