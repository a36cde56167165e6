/*
 * customparams, paramoverride: whatever else a body should say.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "shared/transformers.h"

/* ---- customparams ------------------------------------------------------- */

struct merge_options {
    rx_str text; /* a JSON object; empty: nothing */
};

static const void *
merge_configure(rx_json options, struct rx_arena *arena)
{
    struct merge_options *o = step_room(arena, sizeof(*o));

    if (rx_json_count(options) > 0)
        o->text = step_json(options, arena);
    return o;
}

/* What `into` says already stays; objects are merged member by member. */
static void
merge(struct rx_edit *into, struct rx_edit *from, bool win)
{
    for (struct rx_edit *e = rx_edit_first(from); e != NULL;
         e = rx_edit_next(e)) {
        rx_str name = rx_edit_key(e);
        char small[256];
        size_t len;
        if (name.len > sizeof(small) || !rx_span_decode(name, small, &len))
            continue;
        rx_str plain = { small, len };
        struct rx_edit *old = rx_edit_member(into, plain);
        if (rx_edit_kind(old) == RX_SPAN_OBJECT &&
            rx_edit_kind(e) == RX_SPAN_OBJECT)
            merge(old, e, win);
        else if (old == NULL || win)
            rx_edit_set_member(into, plain, rx_edit_text(e));
    }
}

static void
merge_options(struct step_request *r, bool win)
{
    const struct merge_options *o = r->options;

    if (o->text.len > 0)
        merge(r->root, rx_edit_open(rx_edit_arena(r->root), o->text), win);
}

static void
merge_request(struct step_request *r)
{
    merge_options(r, false);
}

const struct step_kind step_customparams = {
    .name = "customparams",
    .ops = 1U << OP_CREATE,
    .configure = merge_configure,
    .request = merge_request,
};

const void *
params_configure(rx_json options, struct rx_arena *arena)
{
    return merge_configure(options, arena);
}

void
params_merge(struct step_request *r, bool win)
{
    merge_options(r, win);
}

/* ---- paramoverride: paths ----------------------------------------------- */

static struct rx_edit *
child(struct rx_edit *of, rx_str piece)
{
    uint64_t n;

    if (rx_edit_kind(of) == RX_SPAN_OBJECT)
        return rx_edit_member(of, piece);
    if (rx_edit_kind(of) != RX_SPAN_ARRAY || !rx_str_u64(piece, &n))
        return NULL;
    struct rx_edit *e = rx_edit_first(of);
    while (e != NULL && n-- > 0)
        e = rx_edit_next(e);
    return e;
}

static struct rx_edit *
find(struct rx_edit *root, rx_str path)
{
    rx_str piece;

    while (root != NULL && rx_transformer_path(&path, &piece))
        root = child(root, piece);
    return root;
}

/* Objects on the way are made; through anything else there is no way. */
static void
set(struct rx_edit *root, rx_str path, rx_str json)
{
    rx_str piece;

    while (rx_transformer_path(&path, &piece)) {
        struct rx_edit *next = child(root, piece);
        if (next == NULL && path.len > 0)
            next = rx_edit_set_member(root, piece, RX_S("{}"));
        else if (next == NULL)
            rx_edit_set_member(root, piece, json);
        else if (path.len == 0)
            rx_edit_put(next, json);
        root = next;
        if (root == NULL)
            return;
    }
}

/* ---- paramoverride: what to do ------------------------------------------ */

enum what { WHAT_SET, WHAT_DEFAULT, WHAT_DELETE, WHAT_MOVE };

struct change {
    enum what what;
    rx_str path;
    rx_str value; /* JSON, or the new path */
};

enum test {
    TEST_EXISTS,
    TEST_EQ,
    TEST_NE,
    TEST_GT,
    TEST_LT,
    TEST_IN,
    TEST_HAS
};

struct condition {
    rx_str path;
    enum test test;
    rx_str value; /* JSON */
};

struct override_options {
    struct change *changes;
    size_t change_count;
    struct condition *conditions;
    size_t condition_count;
};

static void
add_changes(struct override_options *o, rx_json options, const char *name,
    enum what what, struct rx_arena *arena)
{
    rx_json map = rx_json_find(options, name);

    for (rx_json v = rx_json_first(map); rx_json_there(v);
         v = rx_json_next(v)) {
        struct change *c = &o->changes[o->change_count++];
        c->what = what;
        c->path = rx_arena_copy(
            arena, what == WHAT_DELETE ? rx_json_str(v) : rx_json_name(v));
        if (what == WHAT_MOVE)
            c->value = rx_arena_copy(arena, rx_json_str(v));
        else if (what != WHAT_DELETE)
            c->value = step_json(v, arena);
    }
}

static void
add_condition(struct override_options *o, rx_str path, enum test test,
    rx_json value, struct rx_arena *arena)
{
    o->conditions[o->condition_count++] = (struct condition){
        .path = rx_arena_copy(arena, path),
        .test = test,
        .value = step_json(value, arena),
    };
}

static void
add_conditions(struct override_options *o, rx_json when, struct rx_arena *arena)
{
    static const char *const names[] = { [TEST_EXISTS] = "exists",
        [TEST_EQ] = "eq",
        [TEST_NE] = "ne",
        [TEST_GT] = "gt",
        [TEST_LT] = "lt",
        [TEST_IN] = "in",
        [TEST_HAS] = "contains" };

    for (rx_json v = rx_json_first(when); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) != RX_JSON_OBJECT) {
            add_condition(o, rx_json_name(v), TEST_EQ, v, arena);
            continue;
        }
        for (size_t i = 0; i < RX_COUNT(names); i++) {
            rx_json t = rx_json_find(v, names[i]);
            if (rx_json_there(t))
                add_condition(o, rx_json_name(v), (enum test)i, t, arena);
        }
    }
}

static size_t
count_tests(rx_json when)
{
    size_t n = 0;

    for (rx_json v = rx_json_first(when); rx_json_there(v); v = rx_json_next(v))
        n += rx_json_kind(v) == RX_JSON_OBJECT ? rx_json_count(v) : 1;
    return n;
}

static const void *
override_configure(rx_json options, struct rx_arena *arena)
{
    struct override_options *o = step_room(arena, sizeof(*o));
    static const char *const names[] = { "set", "default", "delete", "move" };
    rx_json when = rx_json_find(options, "when");
    size_t n = 0;

    for (size_t i = 0; i < RX_COUNT(names); i++)
        n += rx_json_count(rx_json_find(options, names[i]));
    o->changes = step_room(arena, n * sizeof(*o->changes) + 1);
    o->conditions =
        step_room(arena, count_tests(when) * sizeof(*o->conditions) + 1);
    add_conditions(o, when, arena);
    add_changes(o, options, "move", WHAT_MOVE, arena);
    add_changes(o, options, "delete", WHAT_DELETE, arena);
    add_changes(o, options, "set", WHAT_SET, arena);
    add_changes(o, options, "default", WHAT_DEFAULT, arena);
    return o;
}

/* Same value: numbers by value, texts decoded, the rest as written. */
static bool
equal(struct rx_edit *a, struct rx_edit *b)
{
    double x;
    double y;

    if (a == NULL || b == NULL || rx_edit_kind(a) != rx_edit_kind(b))
        return false;
    if (rx_edit_number(a, &x) && rx_edit_number(b, &y))
        return !(x < y) && !(x > y);
    if (rx_edit_kind(a) == RX_SPAN_STRING)
        return rx_str_eq(rx_edit_plain(a), rx_edit_plain(b));
    return rx_str_eq(rx_edit_text(a), rx_edit_text(b));
}

/* A text holds a text, a list an element. */
static bool
contains(struct rx_edit *in, struct rx_edit *what)
{
    rx_str hay = rx_edit_plain(in);
    rx_str needle = rx_edit_plain(what);

    if (rx_edit_kind(in) == RX_SPAN_STRING)
        return needle.len > 0 && hay.len >= needle.len &&
               memmem(hay.ptr, hay.len, needle.ptr, needle.len) != NULL;
    if (rx_edit_kind(in) != RX_SPAN_ARRAY)
        return false;
    for (struct rx_edit *e = rx_edit_first(in); e != NULL; e = rx_edit_next(e))
        if (equal(e, what))
            return true;
    return false;
}

static bool
holds(struct rx_edit *root, const struct condition *c)
{
    struct rx_edit *e = find(root, c->path);
    struct rx_edit *v = rx_edit_open(rx_edit_arena(root), c->value);
    double x = 0;
    double y = 0;
    bool numbers = rx_edit_number(e, &x) && rx_edit_number(v, &y);

    switch (c->test) {
    case TEST_EXISTS: return rx_edit_true(v) == rx_edit_there(e);
    case TEST_EQ: return equal(e, v);
    case TEST_NE: return !equal(e, v);
    case TEST_GT: return numbers && x > y;
    case TEST_LT: return numbers && x < y;
    case TEST_IN: return contains(v, e);
    case TEST_HAS: return contains(e, v);
    }
    return false;
}

static void
carry_out(struct rx_edit *root, const struct change *c)
{
    struct rx_edit *e = find(root, c->path);

    switch (c->what) {
    case WHAT_SET: set(root, c->path, c->value); break;
    case WHAT_DEFAULT:
        if (!rx_edit_there(e))
            set(root, c->path, c->value);
        break;
    case WHAT_DELETE: rx_edit_remove(e); break;
    case WHAT_MOVE:
        if (e != NULL) {
            rx_str value = rx_edit_text(e);
            rx_edit_remove(e);
            set(root, c->value, value);
        }
        break;
    }
}

static void
override_request(struct step_request *r)
{
    const struct override_options *o = r->options;

    for (size_t i = 0; i < o->condition_count; i++) {
        if (!holds(r->root, &o->conditions[i]))
            return;
    }
    for (size_t i = 0; i < o->change_count; i++)
        carry_out(r->root, &o->changes[i]);
}

const struct step_kind step_paramoverride = {
    .name = "paramoverride",
    .ops = (1U << OP_CREATE) | (1U << OP_COUNT) | (1U << OP_EMBED) |
           (1U << OP_COMPLETE),
    .configure = override_configure,
    .request = override_request,
};
