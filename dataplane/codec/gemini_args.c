/*
 * Arguments of a call that come as patches: {"jsonPath":"$.a[0].b",
 * "stringValue":"be", "willContinue":true}.  Each path is kept once, in the
 * order of its first appearance; at the end they are woven into one object.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/gemini.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/walk.h"

#define LEAVES_MAX 512
#define VALUE_MAX  ((size_t)32 * 1024 * 1024)
#define DEPTH_MAX  32

struct gemini_leaf {
    struct rx_buf path;  /* text; without "$" */
    struct rx_buf value; /* text of a string, or raw */
    bool string;
};

struct patch {
    rx_str path, string, number, boolean, null;
};
static const struct walk_row patch_rows[] = {
    WALK_ROW(TEXT, patch, "jsonPath", path),
    WALK_ROW(TEXT, patch, "stringValue", string),
    WALK_ROW(NUMBER, patch, "numberValue", number),
    WALK_ROW(RAW, patch, "boolValue", boolean),
    WALK_ROW(RAW, patch, "nullValue", null),
};

static struct gemini_leaf *
find(struct gemini_args *a, rx_str path)
{
    for (size_t i = a->count; i > 0; i--) {
        if (rx_str_eq(rx_buf_str(&a->leaves[i - 1].path), path))
            return &a->leaves[i - 1];
    }
    if (a->count == LEAVES_MAX)
        return NULL;
    if (a->count == a->size) {
        a->size = a->size == 0 ? 8 : a->size * 2;
        a->leaves = realloc(a->leaves, a->size * sizeof(*a->leaves));
        if (a->leaves == NULL)
            abort();
    }
    struct gemini_leaf *leaf = &a->leaves[a->count++];
    *leaf = (struct gemini_leaf){ 0 };
    rx_buf_init(&leaf->path, 4096);
    rx_buf_init(&leaf->value, VALUE_MAX);
    rx_buf_add(&leaf->path, path);
    a->bad = a->bad || leaf->path.full;
    return leaf;
}

static void
add(struct gemini_args *a, rx_str value)
{
    struct patch p = { 0 };

    WALK_VALUE(value, patch_rows, &p);
    if (!rx_str_starts(p.path, RX_S("$"))) {
        a->bad = true;
        return;
    }
    struct gemini_leaf *leaf =
        find(a, (rx_str){ p.path.ptr + 1, p.path.len - 1 });
    if (leaf == NULL) {
        a->bad = true;
        return;
    }
    leaf->string = p.string.ptr != NULL || leaf->string;
    if (!leaf->string)
        rx_buf_clear(&leaf->value); /* only strings come in pieces */
    if (p.string.ptr != NULL)
        rx_buf_add(&leaf->value, p.string);
    else if (p.number.len > 0)
        rx_buf_add(&leaf->value, p.number);
    else if (p.boolean.len > 0)
        rx_buf_add(&leaf->value, p.boolean);
    else if (!leaf->string && leaf->value.len == 0)
        rx_buf_add(&leaf->value, RX_S("null"));
    a->bad = a->bad || leaf->value.full;
}

void
gemini_args_add(struct gemini_args *a, rx_str partial_args)
{
    struct rx_span j;
    rx_str one;

    if (partial_args.len == 0 || !walk_array(&j, partial_args))
        return;
    while (walk_next(&j, &one))
        add(a, one);
}

void
gemini_args_fini(struct gemini_args *a)
{
    for (size_t i = 0; i < a->count; i++) {
        rx_buf_fini(&a->leaves[i].path);
        rx_buf_fini(&a->leaves[i].value);
    }
    free(a->leaves);
    *a = (struct gemini_args){ 0 };
}

/* --- weaving ----------------------------------------------------------------------- */

/*
 * The first step of a path (".a", "[0]", "['a']") and what is left.  `index`
 * says that it counts elements.
 */
static bool
step(rx_str path, rx_str *name, bool *index, rx_str *rest)
{
    size_t n = 1;

    if (path.len < 2)
        return false;
    *index = false;
    if (path.ptr[0] == '.') {
        while (n < path.len && path.ptr[n] != '.' && path.ptr[n] != '[')
            n++;
        *name = (rx_str){ path.ptr + 1, n - 1 };
        *rest = (rx_str){ path.ptr + n, path.len - n };
        return n > 1;
    }
    const char *end = memchr(path.ptr, ']', path.len);
    if (path.ptr[0] != '[' || end == NULL)
        return false;
    *name = (rx_str){ path.ptr + 1, (size_t)(end - path.ptr) - 1 };
    *rest = (rx_str){ end + 1, path.len - name->len - 2 };
    *index = name->len > 0 && name->ptr[0] >= '0' && name->ptr[0] <= '9';
    if (!*index && name->len >= 2 && name->ptr[0] == '\'')
        *name = (rx_str){ name->ptr + 1, name->len - 2 };
    return name->len > 0;
}

/* A leaf on its way: how much of its path is still to be gone. */
struct way {
    const struct gemini_leaf *leaf;
    rx_str rest;
    bool done;
};

static void
put_leaf(struct rx_buf *out, const struct gemini_leaf *leaf)
{
    if (leaf->string)
        put_text(out, rx_buf_str(&leaf->value));
    else
        put_raw(out, rx_buf_str(&leaf->value));
}

static void weave(
    struct rx_buf *out, struct way *ways, size_t n, unsigned deep);

/* All leaves below one name, in its place. */
static void
weave_member(
    struct rx_buf *out, struct way *ways, size_t n, rx_str name, unsigned deep)
{
    struct way *below = calloc(n, sizeof(*below));
    size_t count = 0;
    rx_str key;
    rx_str rest;
    bool index;

    if (below == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (ways[i].done || !step(ways[i].rest, &key, &index, &rest) ||
            !rx_str_eq(key, name))
            continue;
        ways[i].done = true;
        below[count++] = (struct way){ ways[i].leaf, rest, false };
    }
    weave(out, below, count, deep + 1);
    free(below);
}

static void
weave(struct rx_buf *out, struct way *ways, size_t n, unsigned deep)
{
    rx_str name;
    rx_str rest;
    bool index = false;

    if (n == 0 || deep > DEPTH_MAX || ways[0].rest.len == 0 ||
        !step(ways[0].rest, &name, &index, &rest)) {
        if (n > 0)
            put_leaf(out, ways[0].leaf);
        else
            put_raw(out, RX_S("{}"));
        return;
    }
    bool list = index;
    put_open(out, list ? '[' : '{');
    for (size_t i = 0; i < n; i++) {
        if (ways[i].done || !step(ways[i].rest, &name, &index, &rest))
            continue;
        if (!list) {
            put_text(out, name);
            rx_buf_addc(out, ':');
        }
        weave_member(out, ways, n, name, deep);
    }
    put_close(out, list ? ']' : '}');
}

void
gemini_args_put(const struct gemini_args *a, struct rx_buf *out)
{
    struct way *ways = calloc(a->count + 1, sizeof(*ways));

    if (ways == NULL)
        abort();
    for (size_t i = 0; i < a->count; i++)
        ways[i] = (struct way){ &a->leaves[i], rx_buf_str(&a->leaves[i].path),
            false };
    weave(out, ways, a->count, 0);
    free(ways);
}
