/*
 * gemini-schema: what Gemini takes of JSON Schema, in its two forms.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"
#include "dataplane/transform/schema.h"
#include "dataplane/transform/schema_parts.h"

#define REF_DEPTH 8
#define REFS_MAX  256

/* ---- $ref --------------------------------------------------------------- */

struct refs {
    struct rx_edit *root;
    rx_str open[REF_DEPTH]; /* what is being put in just now */
    unsigned depth;
    unsigned count;
};

/* "#/$defs/Node", "#/definitions/Node": the definition. */
static struct rx_edit *
resolve(struct refs *r, rx_str ref)
{
    struct rx_edit *at = r->root;
    rx_str piece;

    if (!rx_str_starts(ref, RX_S("#/")))
        return NULL;
    ref = (rx_str){ ref.ptr + 2, ref.len - 2 };
    for (bool more = true; more && at != NULL;) {
        more = rx_str_cut(ref, '/', &piece, &ref);
        at = rx_edit_member(at, piece);
    }
    return at;
}

static bool
is_open(const struct refs *r, rx_str ref)
{
    for (unsigned i = 0; i < r->depth; i++) {
        if (rx_str_eq(r->open[i], ref))
            return true;
    }
    return r->depth == REF_DEPTH;
}

static void inline_refs(struct refs *r, struct rx_edit *node, unsigned depth);

static void
inline_one(struct refs *r, struct rx_edit *node, struct rx_edit *ref)
{
    rx_str name = rx_edit_plain(ref);
    struct rx_edit *definition = resolve(r, name);
    struct rx_edit *words = schema_get(node, "description", RX_SPAN_STRING);
    rx_str description = rx_edit_text(words);

    if (definition == NULL || is_open(r, name) || ++r->count > REFS_MAX) {
        rx_edit_put(node, RX_S("{\"type\":\"object\"}"));
        schema_describe(node,
            rx_edit_format(node, "(as " RX_STR_FMT ")", RX_STR_ARG(name)));
        return;
    }
    rx_edit_put(node, rx_edit_text(definition));
    if (description.len > 0)
        rx_edit_set(node, "description", description);
    r->open[r->depth++] = name;
    inline_refs(r, node, 0);
    r->depth--;
}

/* Definitions themselves are left: they are dropped at the end. */
static void
inline_refs(struct refs *r, struct rx_edit *node, unsigned depth)
{
    struct rx_edit *ref = schema_get(node, "$ref", RX_SPAN_STRING);

    if (depth > 64)
        return;
    if (ref != NULL) {
        inline_one(r, node, ref);
        return;
    }
    for (struct rx_edit *e = rx_edit_first(node); e != NULL;
         e = rx_edit_next(e)) {
        if (depth == 0 && node == r->root &&
            (rx_edit_key_is(e, "$defs") || rx_edit_key_is(e, "definitions")))
            continue;
        inline_refs(r, e, depth + 1);
    }
}

/* ---- one schema --------------------------------------------------------- */

static const char *const not_said[] = { "not", "if", "then", "else",
    "dependentRequired", "dependentSchemas", "propertyNames",
    "patternProperties", "contains", "multipleOf", "uniqueItems" };

static void
tell_rest(struct rx_edit *schema)
{
    for (size_t i = 0; i < RX_COUNT(not_said); i++)
        schema_tell_and_drop(schema, not_said[i]);
}

/* ["string", "null"] becomes "string" and true; several stay for anyOf. */
static bool
single_type(struct rx_edit *schema)
{
    struct rx_edit *list = schema_get(schema, "type", RX_SPAN_ARRAY);
    struct rx_edit *next;
    bool null = false;

    for (struct rx_edit *e = rx_edit_first(list); e != NULL; e = next) {
        next = rx_edit_next(e);
        if (rx_edit_is(e, "null")) {
            null = true;
            rx_edit_remove(e);
        }
    }
    if (rx_edit_count(list) == 1)
        rx_edit_put(list, rx_edit_text(rx_edit_first(list)));
    return null;
}

static void
several_types(struct rx_edit *schema)
{
    struct rx_edit *list = schema_get(schema, "type", RX_SPAN_ARRAY);

    if (list == NULL)
        return;
    if (rx_edit_count(list) > 1 && rx_edit_get(schema, "anyOf") == NULL) {
        struct rx_edit *any = rx_edit_set(schema, "anyOf", RX_S("[]"));
        for (struct rx_edit *e = rx_edit_first(list); e != NULL;
             e = rx_edit_next(e))
            rx_edit_append(any, rx_edit_join(schema,
                                    (rx_str[]){ RX_S("{\"type\":"),
                                        rx_edit_text(e), RX_S("}") },
                                    3));
    }
    rx_edit_drop(schema, "type");
}

/* Only texts can be listed; numbers are told. */
static void
texts_only(struct rx_edit *schema)
{
    struct rx_edit *list = schema_get(schema, "enum", RX_SPAN_ARRAY);
    struct rx_edit *next;

    for (struct rx_edit *e = rx_edit_first(list); e != NULL; e = next) {
        next = rx_edit_next(e);
        if (rx_edit_kind(e) == RX_SPAN_NUMBER ||
            rx_edit_kind(e) == RX_SPAN_TRUE ||
            rx_edit_kind(e) == RX_SPAN_FALSE) {
            schema_tell_and_drop(schema, "enum");
            return;
        }
        if (rx_edit_kind(e) != RX_SPAN_STRING || rx_edit_is(e, ""))
            rx_edit_remove(e);
    }
    if (list == NULL)
        return;
    if (rx_edit_first(list) == NULL)
        rx_edit_drop(schema, "enum");
    else
        rx_edit_set(schema, "type", RX_S("\"string\""));
}

static void
known_format(struct rx_edit *schema)
{
    static const char *const texts[] = { "enum", "date-time", "float", "double",
        "int32", "int64" };
    struct rx_edit *format = rx_edit_get(schema, "format");

    for (size_t i = 0; i < RX_COUNT(texts); i++) {
        if (rx_edit_is(format, texts[i]))
            return;
    }
    schema_tell_and_drop(schema, "format");
}

/* A list of schemas for the elements: any of them. */
static void
plain_items(struct rx_edit *schema)
{
    struct rx_edit *items = schema_get(schema, "items", RX_SPAN_ARRAY);

    if (items == NULL)
        items = schema_get(schema, "prefixItems", RX_SPAN_ARRAY);
    if (items != NULL) {
        rx_str text = rx_edit_text(items);
        size_t n = rx_edit_count(items);
        rx_edit_set(schema, "items",
            rx_edit_join(
                schema, (rx_str[]){ RX_S("{\"anyOf\":"), text, RX_S("}") }, 3));
        if (rx_edit_get(schema, "maxItems") == NULL)
            rx_edit_set(schema, "maxItems", rx_edit_format(schema, "%zu", n));
    }
    if (rx_edit_is(rx_edit_get(schema, "type"), "array") &&
        rx_edit_kind(rx_edit_get(schema, "items")) != RX_SPAN_OBJECT)
        rx_edit_set(schema, "items", RX_S("{\"type\":\"string\"}"));
}

static void
as_enum(struct rx_edit *schema)
{
    struct rx_edit *only = rx_edit_get(schema, "const");

    if (only == NULL)
        return;
    if (rx_edit_get(schema, "enum") == NULL)
        rx_edit_set(schema, "enum",
            rx_edit_join(schema,
                (rx_str[]){ RX_S("["), rx_edit_text(only), RX_S("]") }, 3));
    rx_edit_drop(schema, "const");
}

static void
proto_one(struct rx_edit *schema, void *arg)
{
    static const char *const known[] = { "type", "format", "title",
        "description", "nullable", "enum", "items", "minItems", "maxItems",
        "properties", "required", "propertyOrdering", "minProperties",
        "maxProperties", "minimum", "maximum", "minLength", "maxLength",
        "pattern", "example", "anyOf", "default", NULL };

    (void)arg;
    schema_merge_all_of(schema);
    schema_one_of_to_any_of(schema);
    schema_lift_required(schema);
    schema_drop_booleans(schema);
    bool null = single_type(schema);
    null = schema_unwrap_null(schema) || null;
    several_types(schema);
    as_enum(schema);
    texts_only(schema);
    schema_close_bounds(schema);
    known_format(schema);
    plain_items(schema);
    tell_rest(schema);
    schema_clean_required(schema);
    if (null)
        rx_edit_set(schema, "nullable", RX_S("true"));
    if (rx_edit_get(schema, "type") == NULL &&
        rx_edit_get(schema, "properties") != NULL)
        rx_edit_set(schema, "type", RX_S("\"object\""));
    schema_keep_only(schema, known);
}

void
schema_gemini_proto(struct rx_edit *schema)
{
    struct refs r = { .root = schema };

    if (rx_edit_kind(schema) != RX_SPAN_OBJECT)
        return;
    inline_refs(&r, schema, 0);
    rx_edit_drop(schema, "$defs");
    rx_edit_drop(schema, "definitions");
    schema_walk(schema, proto_one, NULL);
    if (rx_edit_get(schema, "type") == NULL &&
        rx_edit_get(schema, "anyOf") == NULL)
        rx_edit_set(schema, "type", RX_S("\"object\""));
}

/* ---- the other form ----------------------------------------------------- */

/* A reference stands alone; definitions are called $defs. */
static void
lone_ref(struct rx_edit *schema)
{
    struct rx_edit *ref = schema_get(schema, "$ref", RX_SPAN_STRING);
    static const char *const only[] = { "$ref", "$defs", NULL };
    static const rx_str old = RX_STR_INIT("#/definitions/");
    rx_str name = rx_edit_escaped(ref);

    if (ref == NULL)
        return;
    if (rx_str_starts(name, old))
        rx_edit_put(ref,
            rx_edit_join(schema,
                (rx_str[]){ RX_S("\"#/$defs/"),
                    { name.ptr + old.len, name.len - old.len }, RX_S("\"") },
                3));
    schema_keep_only(schema, only);
}

static void
json_one(struct rx_edit *schema, void *arg)
{
    static const char *const known[] = { "type", "format", "title",
        "description", "enum", "items", "prefixItems", "minItems", "maxItems",
        "properties", "required", "propertyOrdering", "additionalProperties",
        "minimum", "maximum", "anyOf", "oneOf", "$ref", "$defs", "$id",
        "$anchor", NULL };
    static const char *const texts[] = { "minLength", "maxLength", "pattern" };

    (void)arg;
    rx_edit_rename(schema, "definitions", "$defs");
    lone_ref(schema);
    schema_merge_all_of(schema);
    schema_lift_required(schema);
    schema_drop_booleans(schema);
    as_enum(schema);
    schema_close_bounds(schema);
    for (size_t i = 0; i < RX_COUNT(texts); i++)
        schema_tell_and_drop(schema, texts[i]);
    tell_rest(schema);
    schema_clean_required(schema);
    schema_keep_only(schema, known);
}

void
schema_gemini_json(struct rx_edit *schema)
{
    schema_walk(schema, json_one, NULL);
}

/* ---- the step ----------------------------------------------------------- */

enum profile { PROFILE_AUTO, PROFILE_PROTO, PROFILE_JSON };

static const void *
gemini_configure(rx_json options, struct rx_arena *arena)
{
    enum profile *p = step_room(arena, sizeof(*p));
    rx_str name = step_text(options, "profile", arena, "auto");

    *p = PROFILE_AUTO;
    if (rx_str_eq(name, RX_S("proto")))
        *p = PROFILE_PROTO;
    else if (rx_str_eq(name, RX_S("json")))
        *p = PROFILE_JSON;
    return p;
}

static void
fit(struct rx_edit *schema, enum profile wanted, enum profile by_field)
{
    enum profile p = wanted == PROFILE_AUTO ? by_field : wanted;

    if (p == PROFILE_JSON)
        schema_gemini_json(schema);
    else
        schema_gemini_proto(schema);
}

static void
fit_gemini(struct rx_edit *root, enum profile p)
{
    struct rx_edit *config = body_config(root, false);

    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *list =
            body_either(t, "functionDeclarations", "function_declarations");
        for (struct rx_edit *f = rx_edit_first(list); f != NULL;
             f = rx_edit_next(f)) {
            fit(rx_edit_get(f, "parameters"), p, PROFILE_PROTO);
            fit(body_either(
                    f, "parametersJsonSchema", "parameters_json_schema"),
                p, PROFILE_JSON);
        }
    }
    fit(body_either(config, "responseSchema", "response_schema"), p,
        PROFILE_PROTO);
    fit(body_either(config, "responseJsonSchema", "response_json_schema"), p,
        PROFILE_JSON);
}

static void
fit_chat(struct rx_edit *root, enum profile p)
{
    struct rx_edit *format =
        rx_edit_get(rx_edit_get(root, "response_format"), "json_schema");

    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *f = rx_edit_get(t, "function");
        fit(rx_edit_get(f, "parameters"), p, PROFILE_PROTO);
    }
    fit(rx_edit_get(format, "schema"), p, PROFILE_PROTO);
}

static void
gemini_request(struct step_request *r)
{
    const enum profile *p = r->options;

    if (r->dialect == DIALECT_GEMINI)
        fit_gemini(r->root, *p);
    else
        fit_chat(r->root, *p);
}

const struct step_kind step_gemini_schema = {
    .name = "gemini-schema",
    .configure = gemini_configure,
    .request = gemini_request,
};
