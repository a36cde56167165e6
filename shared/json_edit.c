/*
 *     {   "a" : 1   ,   "b" : [2]  }
 *      lead  colon  after lead     after
 *
 * Members keep the white space around them, so that printing a container with
 * one changed member gives back all the rest as it was.
 */
#include "shared/json_edit.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   ((size_t)64 * 1024 * 1024)
#define NUMBER_MAX 64

struct document {
    struct rx_arena *arena;
    bool bad;
    bool changed;
};

struct rx_edit {
    struct document *doc;
    struct rx_edit *parent, *prev, *next;
    struct rx_edit *first, *last; /* once unfolded */
    size_t count;
    rx_str key;   /* as it stands, without its quotes; NULL: an element */
    rx_str text;  /* the value as it came or was put in */
    rx_str lead;  /* white space before key or value */
    rx_str colon; /* between key and value */
    rx_str after; /* white space behind the value */
    bool unfolded;
    bool changed; /* something below */
};

static struct rx_edit *
make(struct document *doc)
{
    struct rx_edit *e = rx_arena_make(doc->arena, struct rx_edit, 1);

    if (e == NULL)
        doc->bad = true;
    else
        e->doc = doc;
    return e;
}

struct rx_edit *
rx_edit_open(struct rx_arena *arena, rx_str text)
{
    struct document *doc = rx_arena_make(arena, struct document, 1);
    struct rx_span j;

    if (doc == NULL)
        return NULL;
    doc->arena = arena;
    struct rx_edit *root = make(doc);
    if (root == NULL)
        return NULL;
    rx_span_init(&j, text);
    if (!rx_span_skip(&j, &root->text) || !rx_span_finish(&j)) {
        doc->bad = true;
        root->text = text;
        return root;
    }
    const char *end = root->text.ptr + root->text.len;
    root->lead = (rx_str){ text.ptr, (size_t)(root->text.ptr - text.ptr) };
    root->after = (rx_str){ end, (size_t)(text.ptr + text.len - end) };
    return root;
}

bool
rx_edit_bad(const struct rx_edit *node)
{
    return node == NULL || node->doc->bad;
}

bool
rx_edit_changed(const struct rx_edit *root)
{
    return root != NULL && root->doc->changed;
}

struct rx_arena *
rx_edit_arena(const struct rx_edit *node)
{
    return node->doc->arena;
}

/* ---- unfolding ---------------------------------------------------------- */

static void
link_last(struct rx_edit *container, struct rx_edit *e)
{
    e->parent = container;
    e->prev = container->last;
    if (container->last != NULL)
        container->last->next = e;
    else
        container->first = e;
    container->last = e;
    container->count++;
}

static rx_str
between(const char *from, const char *to)
{
    return (rx_str){ from, (size_t)(to - from) };
}

/* What stands between two children: blanks, a comma, blanks. */
static void
split_gap(struct rx_edit *before, struct rx_edit *e, rx_str gap)
{
    if (before == NULL)
        e->lead = gap;
    else
        rx_str_cut(gap, ',', &before->after, &e->lead);
}

static void
take_child(struct rx_edit *of, struct rx_span *j, const char **at)
{
    struct rx_edit *e = make(of->doc);
    const char *begin;
    rx_str value;
    bool member = rx_edit_kind(of) == RX_SPAN_OBJECT;

    if (e == NULL || !rx_span_skip(j, &value)) {
        j->bad = true;
        return;
    }
    begin = value.ptr;
    if (member) {
        e->key = j->key;
        e->colon = between(j->key.ptr + j->key.len + 1, value.ptr);
        begin = j->key.ptr - 1;
    }
    e->text = value;
    split_gap(of->last, e, between(*at, begin));
    *at = value.ptr + value.len;
    link_last(of, e);
}

static void
unfold(struct rx_edit *of)
{
    enum rx_span_kind kind = rx_edit_kind(of);
    struct rx_span j;

    if (of->unfolded || (kind != RX_SPAN_OBJECT && kind != RX_SPAN_ARRAY))
        return;
    of->unfolded = true;
    const char *at = of->text.ptr + 1;
    rx_span_init(&j, of->text);
    if (kind == RX_SPAN_OBJECT) {
        rx_span_enter_object(&j);
        while (rx_span_member(&j, NULL))
            take_child(of, &j, &at);
    } else {
        rx_span_enter_array(&j);
        while (rx_span_element(&j))
            take_child(of, &j, &at);
    }
    if (!rx_span_finish(&j)) {
        of->doc->bad = true;
        of->first = of->last = NULL;
        of->count = 0;
        return;
    }
    if (of->last != NULL)
        of->last->after = between(at, of->text.ptr + of->text.len - 1);
}

/* ---- looking ------------------------------------------------------------ */

enum rx_span_kind
rx_edit_kind(const struct rx_edit *node)
{
    return node != NULL ? rx_span_kind_of(node->text) : RX_SPAN_NOTHING;
}

struct rx_edit *
rx_edit_first(struct rx_edit *container)
{
    if (container == NULL)
        return NULL;
    unfold(container);
    return container->first;
}

struct rx_edit *
rx_edit_last(struct rx_edit *container)
{
    if (container == NULL)
        return NULL;
    unfold(container);
    return container->last;
}

struct rx_edit *
rx_edit_next(const struct rx_edit *node)
{
    return node != NULL ? node->next : NULL;
}

struct rx_edit *
rx_edit_prev(const struct rx_edit *node)
{
    return node != NULL ? node->prev : NULL;
}

struct rx_edit *
rx_edit_parent(const struct rx_edit *node)
{
    return node != NULL ? node->parent : NULL;
}

size_t
rx_edit_count(struct rx_edit *container)
{
    if (container == NULL)
        return 0;
    unfold(container);
    return container->count;
}

rx_str
rx_edit_key(const struct rx_edit *node)
{
    return node != NULL ? node->key : (rx_str){ 0 };
}

static rx_str
decode(const struct rx_edit *node, rx_str escaped)
{
    if (escaped.len == 0 || memchr(escaped.ptr, '\\', escaped.len) == NULL)
        return escaped;
    char *out = rx_arena_alloc(node->doc->arena, escaped.len);
    rx_str plain = { out, 0 };
    if (out == NULL || !rx_span_decode(escaped, out, &plain.len))
        node->doc->bad = true;
    return plain;
}

static bool
key_is(const struct rx_edit *node, rx_str name)
{
    return node->key.ptr != NULL && rx_str_eq(decode(node, node->key), name);
}

bool
rx_edit_key_is(const struct rx_edit *node, const char *name)
{
    return node != NULL && key_is(node, (rx_str){ name, strlen(name) });
}

struct rx_edit *
rx_edit_member(struct rx_edit *object, rx_str name)
{
    if (rx_edit_kind(object) != RX_SPAN_OBJECT)
        return NULL;
    for (struct rx_edit *e = rx_edit_last(object); e != NULL; e = e->prev) {
        if (key_is(e, name))
            return e;
    }
    return NULL;
}

struct rx_edit *
rx_edit_get(struct rx_edit *object, const char *name)
{
    return rx_edit_member(object, (rx_str){ name, strlen(name) });
}

rx_str
rx_edit_escaped(const struct rx_edit *node)
{
    if (rx_edit_kind(node) != RX_SPAN_STRING || node->text.len < 2)
        return (rx_str){ 0 };
    return (rx_str){ node->text.ptr + 1, node->text.len - 2 };
}

rx_str
rx_edit_plain(const struct rx_edit *node)
{
    rx_str s = rx_edit_escaped(node);

    return s.len > 0 ? decode(node, s) : s;
}

bool
rx_edit_is(const struct rx_edit *node, const char *plain)
{
    return rx_edit_kind(node) == RX_SPAN_STRING &&
           rx_str_eq(rx_edit_plain(node), (rx_str){ plain, strlen(plain) });
}

bool
rx_edit_number(const struct rx_edit *node, double *out)
{
    char text[NUMBER_MAX];

    if (rx_edit_kind(node) != RX_SPAN_NUMBER || node->text.len >= NUMBER_MAX)
        return false;
    memcpy(text, node->text.ptr, node->text.len);
    text[node->text.len] = '\0';
    *out = strtod(text, NULL);
    return true;
}

bool
rx_edit_u64(const struct rx_edit *node, uint64_t *out)
{
    struct rx_span j;

    if (rx_edit_kind(node) != RX_SPAN_NUMBER)
        return false;
    rx_span_init(&j, node->text);
    return rx_span_u64(&j, out);
}

bool
rx_edit_true(const struct rx_edit *node)
{
    return rx_edit_kind(node) == RX_SPAN_TRUE;
}

bool
rx_edit_there(const struct rx_edit *node)
{
    return node != NULL && rx_edit_kind(node) != RX_SPAN_NULL;
}

/* ---- printing ----------------------------------------------------------- */

static void
print(const struct rx_edit *e, struct rx_buf *out)
{
    if (!e->changed) {
        rx_buf_add(out, e->text);
        return;
    }
    bool object = rx_span_kind_of(e->text) == RX_SPAN_OBJECT;
    rx_buf_addc(out, object ? '{' : '[');
    for (const struct rx_edit *c = e->first; c != NULL; c = c->next) {
        if (c->prev != NULL)
            rx_buf_addc(out, ',');
        rx_buf_add(out, c->lead);
        if (object) {
            rx_buf_addc(out, '"');
            rx_buf_add(out, c->key);
            rx_buf_addc(out, '"');
            rx_buf_add(out, c->colon);
        }
        print(c, out);
        rx_buf_add(out, c->after);
    }
    rx_buf_addc(out, object ? '}' : ']');
}

void
rx_edit_print(const struct rx_edit *node, struct rx_buf *out)
{
    if (node == NULL)
        return;
    rx_buf_add(out, node->parent == NULL ? node->lead : (rx_str){ 0 });
    print(node, out);
    rx_buf_add(out, node->parent == NULL ? node->after : (rx_str){ 0 });
}

rx_str
rx_edit_text(const struct rx_edit *node)
{
    struct rx_buf out;

    if (node == NULL)
        return (rx_str){ 0 };
    if (!node->changed)
        return node->text;
    rx_buf_init(&out, TEXT_MAX);
    print(node, &out);
    rx_str copy = rx_arena_copy(node->doc->arena, rx_buf_str(&out));
    if (copy.ptr == NULL || out.full)
        node->doc->bad = true;
    rx_buf_fini(&out);
    return copy;
}

/* ---- changing ----------------------------------------------------------- */

/* Everything above has a change in it now. */
static void
touch(struct rx_edit *container)
{
    for (struct rx_edit *e = container; e != NULL; e = e->parent)
        e->changed = true;
}

void
rx_edit_put(struct rx_edit *node, rx_str json)
{
    if (node == NULL || json.len == 0)
        return;
    node->text = json;
    node->first = node->last = NULL;
    node->count = 0;
    node->unfolded = node->changed = false;
    node->doc->changed = true;
    touch(node->parent);
}

static struct rx_edit *
add_child(struct rx_edit *container, rx_str json)
{
    unfold(container);
    struct rx_edit *e = make(container->doc);
    if (e == NULL || json.len == 0)
        return NULL;
    e->text = json;
    link_last(container, e);
    container->doc->changed = true;
    touch(container);
    return e;
}

struct rx_edit *
rx_edit_set_member(struct rx_edit *object, rx_str name, rx_str json)
{
    struct rx_edit *e = rx_edit_member(object, name);
    struct rx_buf key;

    if (e != NULL) {
        rx_edit_put(e, json);
        return e;
    }
    if (rx_edit_kind(object) != RX_SPAN_OBJECT)
        return NULL;
    e = add_child(object, json);
    if (e == NULL)
        return NULL;
    rx_buf_init(&key, 6 * name.len + 2);
    rx_buf_add_json(&key, name);
    e->key = rx_arena_copy(object->doc->arena, rx_buf_str(&key));
    rx_buf_fini(&key);
    if (e->key.ptr == NULL) {
        e->key = RX_S("");
        object->doc->bad = true;
    }
    e->colon = RX_S(":");
    return e;
}

struct rx_edit *
rx_edit_set(struct rx_edit *object, const char *name, rx_str json)
{
    return rx_edit_set_member(object, (rx_str){ name, strlen(name) }, json);
}

void
rx_edit_remove(struct rx_edit *node)
{
    if (node == NULL || node->parent == NULL)
        return;
    struct rx_edit *of = node->parent;
    if (node->prev != NULL)
        node->prev->next = node->next;
    else
        of->first = node->next;
    if (node->next != NULL)
        node->next->prev = node->prev;
    else
        of->last = node->prev;
    of->count--;
    of->doc->changed = true;
    touch(of);
    /* `next` stays, for who walks along. */
    node->parent = node->prev = NULL;
}

bool
rx_edit_drop(struct rx_edit *object, const char *name)
{
    bool any = false;

    for (struct rx_edit *e; (e = rx_edit_get(object, name)) != NULL;) {
        rx_edit_remove(e);
        any = true;
    }
    return any;
}

void
rx_edit_rename(struct rx_edit *object, const char *from, const char *to)
{
    struct rx_edit *e = rx_edit_get(object, from);

    if (e == NULL)
        return;
    if (rx_edit_get(object, to) != NULL) {
        rx_edit_drop(object, from);
        return;
    }
    e->key = (rx_str){ to, strlen(to) };
    object->doc->changed = true;
    touch(object);
    rx_edit_drop(object, from); /* what was there twice */
}

struct rx_edit *
rx_edit_append(struct rx_edit *array, rx_str json)
{
    if (rx_edit_kind(array) != RX_SPAN_ARRAY)
        return NULL;
    return add_child(array, json);
}

struct rx_edit *
rx_edit_insert(struct rx_edit *before, rx_str json)
{
    if (before == NULL || before->parent == NULL)
        return NULL;
    struct rx_edit *of = before->parent;
    struct rx_edit *e = make(of->doc);
    if (e == NULL || json.len == 0)
        return NULL;
    e->text = json;
    e->parent = of;
    e->prev = before->prev;
    e->next = before;
    if (before->prev != NULL)
        before->prev->next = e;
    else
        of->first = e;
    before->prev = e;
    of->count++;
    of->doc->changed = true;
    touch(of);
    return e;
}

/* ---- making text -------------------------------------------------------- */

static rx_str
keep(const struct rx_edit *any, struct rx_buf *b)
{
    rx_str copy = rx_arena_copy(any->doc->arena, rx_buf_str(b));

    if (copy.ptr == NULL || b->full) {
        any->doc->bad = true;
        copy = (rx_str){ 0 };
    }
    rx_buf_fini(b);
    return copy;
}

rx_str
rx_edit_format(const struct rx_edit *any, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    struct rx_buf b;

    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    assert(n >= 0);
    rx_buf_init(&b, TEXT_MAX);
    if ((size_t)n < sizeof(small)) {
        rx_buf_add(&b, (rx_str){ small, (size_t)n });
        return keep(any, &b);
    }
    char *room = rx_buf_room(&b, (size_t)n + 1);
    if (room != NULL) {
        va_start(ap, fmt);
        vsnprintf(room, (size_t)n + 1, fmt, ap);
        va_end(ap);
        rx_buf_grew(&b, (size_t)n);
    }
    return keep(any, &b);
}

rx_str
rx_edit_quote(const struct rx_edit *any, rx_str plain)
{
    struct rx_buf b;

    rx_buf_init(&b, TEXT_MAX);
    rx_buf_addc(&b, '"');
    rx_buf_add_json(&b, plain);
    rx_buf_addc(&b, '"');
    return keep(any, &b);
}

rx_str
rx_edit_join(const struct rx_edit *any, const rx_str *at, size_t count)
{
    struct rx_buf b;

    rx_buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        rx_buf_add(&b, at[i]);
    return keep(any, &b);
}
