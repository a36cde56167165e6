/*
 * Walking a schema, and the rewrites that several profiles share.
 */
#include "dataplane/transform/schema.h"

#include <string.h>

#include "dataplane/transform/schema_parts.h"

#define DEPTH_MAX 64
#define NODES_MAX 20000

struct walk {
    void (*fn)(struct rx_edit *schema, void *arg);
    void *arg;
    unsigned nodes;
};

static void walk(struct walk *w, struct rx_edit *schema, unsigned depth);

static void
walk_all(struct walk *w, struct rx_edit *container, unsigned depth)
{
    struct rx_edit *next;

    for (struct rx_edit *e = rx_edit_first(container); e != NULL; e = next) {
        next = rx_edit_next(e);
        walk(w, e, depth);
    }
}

static void
walk(struct walk *w, struct rx_edit *schema, unsigned depth)
{
    static const char *const maps[] = { "properties", "$defs", "definitions",
        "patternProperties", "dependentSchemas" };
    static const char *const lists[] = { "anyOf", "oneOf", "allOf",
        "prefixItems" };
    static const char *const ones[] = { "items", "additionalProperties", "not",
        "if", "then", "else", "contains", "propertyNames", "additionalItems",
        "unevaluatedItems", "unevaluatedProperties" };

    if (rx_edit_kind(schema) != RX_SPAN_OBJECT || depth > DEPTH_MAX ||
        ++w->nodes > NODES_MAX)
        return;
    for (size_t i = 0; i < RX_COUNT(maps); i++)
        walk_all(w, schema_get(schema, maps[i], RX_SPAN_OBJECT), depth + 1);
    for (size_t i = 0; i < RX_COUNT(lists); i++)
        walk_all(w, schema_get(schema, lists[i], RX_SPAN_ARRAY), depth + 1);
    for (size_t i = 0; i < RX_COUNT(ones); i++) {
        struct rx_edit *e = rx_edit_get(schema, ones[i]);
        if (rx_edit_kind(e) == RX_SPAN_ARRAY)
            walk_all(w, e, depth + 1);
        else
            walk(w, e, depth + 1);
    }
    w->fn(schema, w->arg);
}

void
schema_walk(struct rx_edit *schema,
    void (*fn)(struct rx_edit *schema, void *arg), void *arg)
{
    struct walk w = { .fn = fn, .arg = arg };

    walk(&w, schema, 0);
}

struct rx_edit *
schema_get(struct rx_edit *schema, const char *name, enum rx_span_kind kind)
{
    struct rx_edit *e = rx_edit_get(schema, name);

    return rx_edit_kind(e) == kind ? e : NULL;
}

/* ---- shared rewrites ---------------------------------------------------- */

void
schema_describe(struct rx_edit *schema, rx_str words)
{
    struct rx_edit *d = schema_get(schema, "description", RX_SPAN_STRING);
    rx_str quoted = rx_edit_quote(schema, words);
    rx_str old = rx_edit_escaped(d);

    if (quoted.len < 2)
        return;
    rx_edit_set(schema, "description",
        rx_edit_join(schema,
            (rx_str[]){ RX_S("\""), old, old.len > 0 ? RX_S(" ") : RX_S(""),
                { quoted.ptr + 1, quoted.len - 1 } },
            4));
}

void
schema_tell_and_drop(struct rx_edit *schema, const char *name)
{
    struct rx_edit *e = rx_edit_get(schema, name);

    if (e == NULL)
        return;
    rx_str text = rx_edit_text(e);
    if (text.len <= 120)
        schema_describe(schema, rx_edit_format(schema, "(%s: " RX_STR_FMT ")",
                                    name, RX_STR_ARG(text)));
    else
        schema_describe(
            schema, rx_edit_format(schema, "(more rules: %s)", name));
    rx_edit_drop(schema, name);
}

static bool
list_has(struct rx_edit *list, struct rx_edit *text)
{
    for (struct rx_edit *e = rx_edit_first(list); e != NULL;
         e = rx_edit_next(e)) {
        if (rx_str_eq(rx_edit_plain(e), rx_edit_plain(text)))
            return true;
    }
    return false;
}

/* What a branch says in addition; what both say stays as it is. */
static void
merge_into(struct rx_edit *schema, struct rx_edit *branch)
{
    for (struct rx_edit *e = rx_edit_first(branch); e != NULL;
         e = rx_edit_next(e)) {
        rx_str name = rx_edit_key(e);
        struct rx_edit *old = rx_edit_member(schema, name);
        if (old == NULL) {
            rx_edit_set_member(schema, name, rx_edit_text(e));
            continue;
        }
        bool map = rx_edit_kind(old) == RX_SPAN_OBJECT &&
                   rx_edit_kind(e) == RX_SPAN_OBJECT;
        bool names =
            rx_edit_key_is(e, "required") && rx_edit_kind(old) == RX_SPAN_ARRAY;
        for (struct rx_edit *m = map || names ? rx_edit_first(e) : NULL;
             m != NULL; m = rx_edit_next(m)) {
            if (map && rx_edit_member(old, rx_edit_key(m)) == NULL)
                rx_edit_set_member(old, rx_edit_key(m), rx_edit_text(m));
            else if (names && !list_has(old, m))
                rx_edit_append(old, rx_edit_text(m));
        }
    }
}

void
schema_merge_all_of(struct rx_edit *schema)
{
    struct rx_edit *all = schema_get(schema, "allOf", RX_SPAN_ARRAY);

    for (struct rx_edit *b = rx_edit_first(all); b != NULL; b = rx_edit_next(b))
        merge_into(schema, b);
    rx_edit_drop(schema, "allOf");
}

void
schema_one_of_to_any_of(struct rx_edit *schema)
{
    rx_edit_rename(schema, "oneOf", "anyOf");
}

/* anyOf [X, null]: true, and X is merged into the schema. */
bool
schema_unwrap_null(struct rx_edit *schema)
{
    struct rx_edit *any = schema_get(schema, "anyOf", RX_SPAN_ARRAY);
    struct rx_edit *null = NULL;
    struct rx_edit *next;

    for (struct rx_edit *b = rx_edit_first(any); b != NULL; b = next) {
        next = rx_edit_next(b);
        if (rx_edit_is(rx_edit_get(b, "type"), "null")) {
            null = b;
            rx_edit_remove(b);
        }
    }
    if (rx_edit_count(any) == 1) {
        struct rx_edit *only = rx_edit_first(any);
        rx_edit_remove(only);
        rx_edit_drop(schema, "anyOf");
        merge_into(schema, only);
    }
    return null != NULL;
}

/* Names in `required` that no property has. */
void
schema_clean_required(struct rx_edit *schema)
{
    struct rx_edit *required = rx_edit_get(schema, "required");
    struct rx_edit *properties =
        schema_get(schema, "properties", RX_SPAN_OBJECT);
    struct rx_edit *next;

    if (required == NULL)
        return;
    for (struct rx_edit *e = rx_edit_first(required); e != NULL; e = next) {
        next = rx_edit_next(e);
        if (rx_edit_member(properties, rx_edit_plain(e)) == NULL)
            rx_edit_remove(e);
    }
    if (rx_edit_first(required) == NULL)
        rx_edit_drop(schema, "required");
}

/* "required": true on a property, as older tools have it. */
void
schema_lift_required(struct rx_edit *schema)
{
    struct rx_edit *properties =
        schema_get(schema, "properties", RX_SPAN_OBJECT);

    for (struct rx_edit *p = rx_edit_first(properties); p != NULL;
         p = rx_edit_next(p)) {
        struct rx_edit *r = rx_edit_get(p, "required");
        bool yes = rx_edit_true(r);
        if (!yes && rx_edit_kind(r) != RX_SPAN_FALSE)
            continue;
        rx_edit_drop(p, "required");
        if (!yes)
            continue;
        struct rx_edit *list = schema_get(schema, "required", RX_SPAN_ARRAY);
        if (list == NULL)
            list = rx_edit_set(schema, "required", RX_S("[]"));
        rx_edit_append(
            list, rx_edit_join(schema,
                      (rx_str[]){ RX_S("\""), rx_edit_key(p), RX_S("\"") }, 3));
    }
}

/* A property that is only true or false. */
void
schema_drop_booleans(struct rx_edit *schema)
{
    struct rx_edit *properties =
        schema_get(schema, "properties", RX_SPAN_OBJECT);
    struct rx_edit *next;

    for (struct rx_edit *p = rx_edit_first(properties); p != NULL; p = next) {
        next = rx_edit_next(p);
        if (rx_edit_kind(p) == RX_SPAN_TRUE)
            rx_edit_put(p, RX_S("{}"));
        else if (rx_edit_kind(p) == RX_SPAN_FALSE)
            rx_edit_remove(p);
    }
}

/* Integers: the next whole number inside; else it is only told. */
void
schema_close_bounds(struct rx_edit *schema)
{
    static const struct {
        const char *open, *closed;
        int step;
    } bounds[] = { { "exclusiveMinimum", "minimum", 1 },
        { "exclusiveMaximum", "maximum", -1 } };

    for (size_t i = 0; i < RX_COUNT(bounds); i++) {
        double n;
        struct rx_edit *e = rx_edit_get(schema, bounds[i].open);
        if (!rx_edit_is(rx_edit_get(schema, "type"), "integer") ||
            !rx_edit_number(e, &n) || n < -1e15 || n > 1e15) {
            schema_tell_and_drop(schema, bounds[i].open);
            continue;
        }
        rx_edit_drop(schema, bounds[i].open);
        rx_edit_set(schema, bounds[i].closed,
            rx_edit_format(schema, "%lld", (long long)n + bounds[i].step));
    }
}

/* Members that are not in the list; NULL ends it. */
void
schema_keep_only(struct rx_edit *schema, const char *const *names)
{
    struct rx_edit *next;

    for (struct rx_edit *e = rx_edit_first(schema); e != NULL; e = next) {
        const char *const *n = names;
        next = rx_edit_next(e);
        while (*n != NULL && !rx_edit_key_is(e, *n))
            n++;
        if (*n == NULL)
            rx_edit_remove(e);
    }
}

/* ---- moonshot ----------------------------------------------------------- */

static void
moonshot_one(struct rx_edit *schema, void *arg)
{
    struct rx_edit *any = schema_get(schema, "anyOf", RX_SPAN_ARRAY);
    struct rx_edit *type = rx_edit_get(schema, "type");

    (void)arg;
    rx_edit_drop(schema, "$schema");
    if (rx_edit_kind(rx_edit_get(schema, "items")) == RX_SPAN_ARRAY)
        rx_edit_rename(schema, "items", "prefixItems");
    if (any == NULL || type == NULL)
        return;
    rx_str text = rx_edit_text(type);
    for (struct rx_edit *b = rx_edit_first(any); b != NULL;
         b = rx_edit_next(b)) {
        if (rx_edit_get(b, "type") == NULL)
            rx_edit_set(b, "type", text);
    }
    rx_edit_drop(schema, "type");
}

void
schema_moonshot(struct rx_edit *schema)
{
    schema_walk(schema, moonshot_one, NULL);
    if (rx_edit_kind(schema) == RX_SPAN_OBJECT &&
        rx_edit_get(schema, "type") == NULL)
        rx_edit_set(schema, "type", RX_S("\"object\""));
}
