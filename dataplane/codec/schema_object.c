/* Of a schema: its properties, its type. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/schema_node.h"
#include "shared/attr.h"
#include "shared/json_span.h"

/* --- properties and required -------------------------------------------------- */

static int
compare(rx_str a, rx_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
by_text(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    int c = compare(x->text, y->text);

    return c != 0 ? c : (x->list > y->list) - (x->list < y->list);
}

static void
names_add(struct names *set, rx_str text, size_t list)
{
    if (set->n == set->size) {
        set->size = set->size == 0 ? 32 : set->size * 2;
        set->v = realloc(set->v, set->size * sizeof(*set->v));
        if (set->v == NULL)
            abort();
    }
    set->v[set->n++] = (struct name){ text, list };
}

void
schema_names_list(struct names *set, rx_str list, size_t number)
{
    struct rx_span j;
    rx_str element;
    rx_str text;

    schema_list(&j, list);
    while (schema_next(&j, &element)) {
        if (schema_inside(element, &text))
            names_add(set, text, number);
    }
}

static void
names_map(struct names *set, rx_str map, size_t number)
{
    struct rx_span j;
    rx_str key;
    rx_str value;

    schema_map(&j, map);
    while (schema_pair(&j, &key, &value)) {
        if (!schema_is(value, RX_SPAN_FALSE))
            names_add(set, key, number);
    }
}

void
schema_names_sort(struct names *set)
{
    if (set->n > 1)
        qsort(set->v, set->n, sizeof(*set->v), by_text);
}

/* Where the name's entries begin; their number in `count`. */
static size_t
names_find(const struct names *set, rx_str text, size_t *count)
{
    size_t low = 0;
    size_t high = set->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare(set->v[mid].text, text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    size_t n = 0;
    while (low + n < set->n && rx_str_eq(set->v[low + n].text, text))
        n++;
    *count = n;
    return low;
}

static struct names
names_of(const struct cleaner *c, const struct node *n, enum keyword kw)
{
    struct names set = { 0 };

    for (size_t i = n->from; i < n->to; i++) {
        if (c->members[i].kw != kw)
            continue;
        if (kw == KW_REQUIRED)
            schema_names_list(&set, c->members[i].value, i);
        else
            names_map(&set, c->members[i].value, i);
    }
    schema_names_sort(&set);
    return set;
}

/* In several alternatives: is it in every one? */
static bool
in_all(const struct names *set, size_t lists, rx_str name)
{
    size_t count;
    size_t at = names_find(set, name, &count);
    size_t distinct = 0;

    for (size_t i = at; i < at + count; i++)
        distinct += i == at || set->v[i].list != set->v[i - 1].list;
    return lists > 0 && distinct == lists;
}

/* A habit of some: "required": true in the property itself. */
static bool
is_required(
    const struct node *n, const struct names *set, rx_str name, rx_str value)
{
    size_t count;

    names_find(set, name, &count);
    return count > 0 || in_all(&n->wanted, n->alternatives, name) ||
           schema_is(schema_member(value, RX_S("required")), RX_SPAN_TRUE);
}

/* The first of all properties of that name? */
static bool
is_first(const struct names *all, rx_str name, size_t list)
{
    size_t count;
    size_t at = names_find(all, name, &count);

    return count > 0 && all->v[at].list == list;
}

/* Go over all properties that are to be, in their order. */
static void
each_property(struct cleaner *c, struct node *n,
    void (*fn)(struct cleaner *c, rx_str key, rx_str value, bool required,
        unsigned depth),
    unsigned depth)
{
    struct names all = names_of(c, n, KW_PROPERTIES);
    struct names wanted = names_of(c, n, KW_REQUIRED);
    struct rx_span j;
    rx_str key;
    rx_str value;

    for (size_t i = n->from; i < n->to; i++) {
        if (c->members[i].kw != KW_PROPERTIES)
            continue;
        schema_map(&j, c->members[i].value);
        while (schema_pair(&j, &key, &value)) {
            if (!schema_is(value, RX_SPAN_FALSE) && is_first(&all, key, i))
                fn(c, key, value, is_required(n, &wanted, key, value), depth);
        }
    }
    free(all.v);
    free(wanted.v);
}

static void
write_property(
    struct cleaner *c, rx_str key, rx_str value, bool required, unsigned depth)
{
    if (c->job->profile == SCHEMA_OPENAI_STRICT && !required)
        c->job->strict_fits = false;
    schema_put_key(c->job->out, key);
    schema_write(c, value, depth + 1);
}

void
schema_write_properties(struct cleaner *c, struct node *n, unsigned depth)
{
    put_member_open(c->job->out, "properties", '{');
    each_property(c, n, write_property, depth);
    put_close(c->job->out, '}');
}

static void
write_name(
    struct cleaner *c, rx_str key, rx_str value, bool required, unsigned depth)
{
    (void)value;
    (void)depth;
    if (required)
        put_text(c->job->out, key);
}

/* Names in the order of the properties: what is not one has no place. */
void
schema_write_required(struct cleaner *c, struct node *n)
{
    struct rx_buf *out = c->job->out;
    const struct member *m = schema_find(c, n, KW_REQUIRED);
    size_t before = out->len;

    if (schema_find(c, n, KW_PROPERTIES) == NULL) {
        /* Of a branch whose properties are said elsewhere. */
        if (m != NULL && schema_is(m->value, RX_SPAN_ARRAY) &&
            c->job->profile != SCHEMA_GEMINI_PROTO)
            put_member_raw(out, "required", m->value);
        return;
    }
    put_member_open(out, "required", '[');
    size_t begun = out->len;
    each_property(c, n, write_name, 0);
    if (out->len == begun && !out->full)
        out->len = before;
    else
        put_close(out, ']');
}

/* --- types ------------------------------------------------------------------------ */

static void
write_type_list(struct rx_buf *out, const struct types *t, bool null)
{
    put_member_open(out, "type", '[');
    for (size_t i = 0; i < t->n; i++)
        put_text(out, t->word[i]);
    if (null)
        put_word(out, "null");
    put_close(out, ']');
}

void
schema_write_types(struct cleaner *c, struct node *n)
{
    const struct types *t = &n->types;
    bool null = t->null || n->nullable;

    if (t->n == 1 && (!null || c->job->profile == SCHEMA_GEMINI_PROTO))
        put_member(c->job->out, "type", t->word[0]);
    else if (c->job->profile == SCHEMA_GEMINI_PROTO)
        return;
    else if (t->n == 0 && t->null)
        put_member_word(c->job->out, "type", "null");
    else if (t->n > 0)
        write_type_list(c->job->out, t, null);
}

/* Nothing from which its type could be told. */
static bool
says_nothing(const struct cleaner *c, const struct node *n)
{
    static const enum keyword telling[] = { KW_REF, KW_ANY_OF, KW_ONE_OF,
        KW_ALL_OF, KW_ENUM, KW_CONST, KW_ITEMS, KW_PREFIX_ITEMS };

    for (size_t i = 0; i < RX_COUNT(telling); i++) {
        if (schema_find(c, n, telling[i]) != NULL)
            return false;
    }
    return true;
}

void
schema_infer_type(struct cleaner *c, struct node *n, unsigned depth)
{
    enum schema_profile p = c->job->profile;
    struct types *t = &n->types;

    if (t->n > 0)
        return;
    bool object = schema_find(c, n, KW_PROPERTIES) != NULL;
    if (depth == 0 ? object || says_nothing(c, n)
                   : object && p == SCHEMA_GEMINI_PROTO)
        t->word[t->n++] = RX_S("object");
    else if (p == SCHEMA_GEMINI_PROTO && schema_find(c, n, KW_ITEMS) != NULL)
        t->word[t->n++] = RX_S("array");
}
