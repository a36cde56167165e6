#include "dataplane/codec/reseal.h"

#include <string.h>

#include "dataplane/codec/provenance.h"
#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/find.h"
#include "shared/json_edit.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

/* Where a dialect keeps seals: in pieces of a list, each part of an entry of
 * another list; or, without `inner`, in the entries themselves. */
static const struct {
    const char *outer, *inner;
    const char *fields[2];
} places[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = { "messages", "content", { "signature", "data" } },
    [DIALECT_CHAT] = { "messages", "reasoning_details",
        { "signature", "data" } },
    [DIALECT_RESPONSES] = { "input", NULL, { "encrypted_content", NULL } },
};

struct reseal {
    const struct capability_key *to;
    struct capability cap;
    struct rx_arena *arena;
    bool left_out;
};

const rx_str reseal_mark = RX_STR_INIT("rtx1.");

bool
reseal_needed(rx_str body)
{
    return rx_find(body, reseal_mark) != NULL;
}

/* False: the piece has a seal of somebody else's. */
static bool
open_field(struct reseal *x, struct rx_edit *field)
{
    rx_str text = rx_edit_escaped(field);
    struct ir_opaque seal;

    if (!provenance_is_wrapped(text))
        return true;
    if (!provenance_unwrap(text, x->arena, &seal) ||
        !provenance_fits(&seal, x->to->dialect, x->cap.family))
        return false;
    rx_edit_put(field,
        rx_edit_format(field, "\"" RX_STR_FMT "\"", RX_STR_ARG(seal.bytes)));
    return true;
}

/* Searches that we told of as the provider would have: it knows nothing of
 * them.  What cites them goes, too. */
static bool
is_ours(struct rx_edit *piece)
{
    static const struct {
        const char *member;
        rx_str start;
    } ids[] = {
        { "id", RX_STR_INIT("srvtoolu_rtx1.") },
        { "tool_use_id", RX_STR_INIT("srvtoolu_rtx1.") },
        { "id", RX_STR_INIT("ws_rtx1.") },
    };

    for (size_t i = 0; i < RX_COUNT(ids); i++) {
        struct rx_edit *id = rx_edit_get(piece, ids[i].member);
        if (id != NULL && rx_str_starts(rx_edit_escaped(id), ids[i].start))
            return true;
    }
    return false;
}

static void
drop_citations(struct rx_edit *piece)
{
    struct rx_edit *first = rx_edit_first(rx_edit_get(piece, "citations"));
    struct rx_edit *index = rx_edit_get(first, "encrypted_index");

    if (index != NULL && rx_str_eq(rx_edit_escaped(index), reseal_mark))
        rx_edit_drop(piece, "citations");
}

static void
open_piece(struct reseal *x, struct rx_edit *piece)
{
    if (is_ours(piece)) {
        rx_edit_remove(piece);
        x->left_out = true;
        return;
    }
    if (x->to->dialect == DIALECT_ANTHROPIC)
        drop_citations(piece);
    for (size_t i = 0; i < 2; i++) {
        const char *name = places[x->to->dialect].fields[i];
        if (name == NULL || open_field(x, rx_edit_get(piece, name)))
            continue;
        rx_edit_remove(piece);
        x->left_out = true;
        return;
    }
}

/* A list that was emptied goes with what it was in or, in Chat, alone. */
static void
open_list(struct reseal *x, struct rx_edit *list)
{
    struct rx_edit *next;
    bool before = x->left_out;

    x->left_out = false;
    for (struct rx_edit *p = rx_edit_first(list); p != NULL; p = next) {
        next = rx_edit_next(p);
        open_piece(x, p);
    }
    if (x->left_out && places[x->to->dialect].inner != NULL &&
        rx_edit_first(list) == NULL)
        rx_edit_remove(
            x->to->dialect == DIALECT_CHAT ? list : rx_edit_parent(list));
    x->left_out = x->left_out || before;
}

/* Claude with a budget wants the thinking that led to the last calls, or none
 * at all. */
static void
check_continuation(const struct reseal *x, struct rx_edit *root)
{
    struct rx_edit *last = rx_edit_last(rx_edit_get(root, "messages"));
    bool calls = false;

    if (x->to->dialect != DIALECT_ANTHROPIC ||
        x->cap.reasoning != CAP_REASONING_BUDGET)
        return;
    while (last != NULL && !rx_edit_is(rx_edit_get(last, "role"), "assistant"))
        last = rx_edit_prev(last);
    for (struct rx_edit *b = rx_edit_first(rx_edit_get(last, "content"));
         b != NULL; b = rx_edit_next(b)) {
        struct rx_edit *type = rx_edit_get(b, "type");
        if (rx_edit_is(type, "thinking") ||
            rx_edit_is(type, "redacted_thinking"))
            return;
        calls = calls || rx_edit_is(type, "tool_use");
    }
    if (calls)
        rx_edit_drop(root, "thinking");
}

static void
open_all(struct reseal *x, struct rx_edit *root)
{
    const char *inner = places[x->to->dialect].inner;
    struct rx_edit *outer = rx_edit_get(root, places[x->to->dialect].outer);
    struct rx_edit *next;

    if (inner == NULL) {
        open_list(x, outer);
        return;
    }
    for (struct rx_edit *e = rx_edit_first(outer); e != NULL; e = next) {
        next = rx_edit_next(e);
        open_list(x, rx_edit_get(e, inner));
    }
    if (x->left_out)
        check_continuation(x, root);
}

bool
reseal(const struct capability_key *to, rx_str body, struct rx_buf *out)
{
    if (places[to->dialect].outer == NULL)
        return false;
    struct reseal x = {
        .to = to, .cap = capability_find(to), .arena = rx_arena_new(ARENA_MAX)
    };
    struct rx_edit *root = rx_edit_open(x.arena, body);

    if (root != NULL)
        open_all(&x, root);
    bool changed = root != NULL && !rx_edit_bad(root) && rx_edit_changed(root);
    if (changed)
        rx_edit_print(root, out);
    rx_arena_free(x.arena);
    return changed && !out->full;
}
