/*
 * schema_node.h - one schema, its members gathered from where they are spread.
 *
 * Belongs to schema.c.  A node's members lie on a stack: those of its own text,
 * then those of what it refers to and of all it is composed of, where a profile
 * wants these resolved.  Of a keyword that comes twice the first one counts,
 * but for properties and required, which add up.
 */
#ifndef DATAPLANE_CODEC_SCHEMA_NODE_H
#define DATAPLANE_CODEC_SCHEMA_NODE_H

#include "dataplane/codec/schema.h"
#include "shared/json_span.h"

/*
 * id, name, and what becomes of it with each profile:
 *   K kept as it is  D dropped  N dropped, with a note in the description
 *   X has code of its own
 *                 openai, strict, anthropic, strict, gemini json, proto, kimi
 */
// clang-format off
#define SCHEMA_KEYWORDS(Q) \
    Q(SCHEMA,       "$schema",               K, D, K, D, D, D, D) \
    Q(COMMENT,      "$comment",              K, D, K, D, D, D, K) \
    Q(ID,           "$id",                   K, D, K, D, K, D, K) \
    Q(REF,          "$ref",                  X, X, X, X, X, D, X) \
    Q(DEFS,         "$defs",                 X, X, X, X, X, D, X) \
    Q(DEFINITIONS,  "definitions",           X, X, X, X, X, D, X) \
    Q(TYPE,         "type",                  X, X, X, X, X, X, X) \
    Q(NULLABLE,     "nullable",              D, D, D, D, D, D, D) \
    Q(PROPERTIES,   "properties",            X, X, X, X, X, X, X) \
    Q(REQUIRED,     "required",              X, X, X, X, X, X, X) \
    Q(ADDITIONAL,   "additionalProperties",  X, X, X, D, X, N, X) \
    Q(CONST,        "const",                 K, K, K, K, X, X, K) \
    Q(ENUM,         "enum",                  K, K, K, K, X, X, K) \
    Q(ONE_OF,       "oneOf",                 X, X, X, X, X, X, X) \
    Q(ANY_OF,       "anyOf",                 X, X, X, X, X, X, X) \
    Q(ALL_OF,       "allOf",                 X, D, X, D, D, D, X) \
    Q(ITEMS,        "items",                 X, X, X, X, X, X, X) \
    Q(PREFIX_ITEMS, "prefixItems",           X, X, X, X, X, X, X) \
    Q(NOT,          "not",                   K, N, K, N, N, N, K) \
    Q(IF,           "if",                    K, N, K, N, N, N, K) \
    Q(THEN,         "then",                  K, N, K, N, N, N, K) \
    Q(ELSE,         "else",                  K, N, K, N, N, N, K) \
    Q(DEP_SCHEMAS,  "dependentSchemas",      K, N, K, N, N, N, K) \
    Q(DEP_REQUIRED, "dependentRequired",     K, N, K, N, N, N, K) \
    Q(DEPENDENCIES, "dependencies",          K, N, K, N, N, N, K) \
    Q(NAMES,        "propertyNames",         K, N, K, N, N, N, K) \
    Q(PATTERNS,     "patternProperties",     K, N, K, N, N, N, K) \
    Q(UNEVALUATED,  "unevaluatedProperties", K, D, K, D, D, D, K) \
    Q(UNEVAL_ITEMS, "unevaluatedItems",      K, D, K, D, D, D, K) \
    Q(CONTAINS,     "contains",              K, N, K, N, N, N, K) \
    Q(MINIMUM,      "minimum",               K, K, K, N, K, K, K) \
    Q(MAXIMUM,      "maximum",               K, K, K, N, K, K, K) \
    Q(ABOVE,        "exclusiveMinimum",      K, K, K, N, X, X, K) \
    Q(BELOW,        "exclusiveMaximum",      K, K, K, N, X, X, K) \
    Q(MULTIPLE,     "multipleOf",            K, K, K, N, N, N, K) \
    Q(UNIQUE,       "uniqueItems",           K, D, K, N, N, N, K) \
    Q(MIN_LENGTH,   "minLength",             K, K, K, N, N, K, K) \
    Q(MAX_LENGTH,   "maxLength",             K, K, K, N, N, K, K) \
    Q(PATTERN,      "pattern",               K, K, K, N, N, K, K) \
    Q(FORMAT,       "format",                K, K, K, X, K, X, K) \
    Q(MIN_ITEMS,    "minItems",              K, K, K, X, K, X, K) \
    Q(MAX_ITEMS,    "maxItems",              K, K, K, X, K, X, K) \
    Q(MIN_PROPS,    "minProperties",         K, N, K, N, N, K, K) \
    Q(MAX_PROPS,    "maxProperties",         K, N, K, N, N, K, K) \
    Q(DEFAULT,      "default",               K, D, K, K, D, K, K) \
    Q(TITLE,        "title",                 K, K, K, K, K, K, K) \
    Q(DESCRIPTION,  "description",           X, X, X, X, X, X, X) \
    Q(EXAMPLE,      "example",               K, D, K, D, D, K, K) \
    Q(ORDER,        "propertyOrdering",      K, D, K, D, K, K, K)
// clang-format on

enum keyword {
#define SCHEMA_ENUM(id, name, a, b, c, d, e, f, g) KW_##id,
    SCHEMA_KEYWORDS(SCHEMA_ENUM)
#undef SCHEMA_ENUM
        KW_OTHER, /* examples, x-…, what nobody knows */
    KW_DEAD,      /* its turn is over */
};

struct member {
    enum keyword kw;
    rx_str key;   /* text */
    rx_str value; /* raw; never null but for default and const */
};

#define SCHEMA_DEPTH      64
#define SCHEMA_NODES      20000
/* Bytes gone over in following references. */
#define SCHEMA_SEARCH_MAX ((size_t)128 * 1024 * 1024)

struct cleaner {
    struct schema_job *job;
    unsigned nodes;
    size_t searched;
    const char *trouble; /* why it cannot be done; NULL: it can */
    struct member *members;
    size_t count, size;
    const char *active[SCHEMA_DEPTH]; /* what is being inlined */
    size_t active_count;
};

/* The types of a node, as its first `type` says. */
struct types {
    rx_str word[8]; /* without "null" */
    size_t n;
    bool null;
};

/* Names, each with the list it came from; sorted. */
struct names {
    struct name {
        rx_str text;
        size_t list;
    } * v;
    size_t n, size;
};

struct node {
    size_t from, to;   /* in cleaner->members */
    size_t was_active; /* active_count before it */
    bool cut;          /* it refers to what it is part of */
    bool nullable;
    bool pushed; /* what it says has gone into its branches */
    struct types types;
    size_t alternatives; /* of a root, taken apart: how many */
    struct names wanted; /* … and what they require */
    struct rx_buf notes; /* text */
};

/* A node's own members and, as the profile wants, those it is made of. */
void schema_gather(struct cleaner *c, struct node *n, rx_str raw);
/* The same without what another keyword of it says: for anyOf's branches. */
void schema_gather_branch(
    struct cleaner *c, struct node *n, rx_str branch, const struct node *outer);
/* One more member, of the node made last. */
void schema_push(struct cleaner *c, struct node *n, struct member m);
void schema_release(struct cleaner *c, struct node *n);
const struct member *schema_find(
    const struct cleaner *c, const struct node *n, enum keyword kw);

enum keyword schema_keyword(rx_str key);
/* Follow "#/$defs/x"; empty when there is nothing. */
rx_str schema_resolve(struct cleaner *c, rx_str ref);
bool schema_is_null(rx_str raw); /* {"type":"null"} */
void schema_trouble(struct cleaner *c, const char *why);

/* Does this profile want it? */
bool schema_merges(enum schema_profile p); /* no allOf */

/* --- schema.c ------------------------------------------------------------------- */

void schema_write(struct cleaner *c, rx_str raw, unsigned depth);

/* --- schema_object.c --------------------------------------------------------------- */

void schema_write_properties(struct cleaner *c, struct node *n, unsigned depth);
void schema_write_required(struct cleaner *c, struct node *n);
void schema_write_types(struct cleaner *c, struct node *n);
/* What is plain from the other keywords though it is not said. */
void schema_infer_type(struct cleaner *c, struct node *n, unsigned depth);
void schema_names_list(struct names *set, rx_str list, size_t number);
void schema_names_sort(struct names *set);

/* --- schema_value.c ----------------------------------------------------------------- */

void schema_settle_enum(struct cleaner *c, struct node *n);
void schema_write_enum(
    struct cleaner *c, struct node *n, const struct member *m);
void schema_write_const(
    struct cleaner *c, struct node *n, const struct member *m);
void schema_write_open_limit(
    struct cleaner *c, struct node *n, const struct member *m);
void schema_write_format(
    struct cleaner *c, struct node *n, const struct member *m);
void schema_write_item_count(
    struct cleaner *c, struct node *n, const struct member *m);
void schema_write_items(
    struct cleaner *c, struct node *n, const struct member *m, unsigned depth);
void schema_write_tuple(struct cleaner *c, rx_str list, unsigned depth);
void schema_add_items(struct cleaner *c, struct node *n);

/* --- schema_look.c ------------------------------------------------------------------ */

bool schema_is(rx_str raw, enum rx_span_kind kind);
bool schema_is_empty(rx_str raw); /* {} */
bool schema_is_strict(enum schema_profile p);
bool schema_has_type(const struct node *n, const char *word);
/* Walk an array or an object; anything else has no elements. */
void schema_list(struct rx_span *j, rx_str list);
bool schema_next(struct rx_span *j, rx_str *element);
void schema_map(struct rx_span *j, rx_str map);
bool schema_pair(struct rx_span *j, rx_str *key, rx_str *value);
/* The inside of a string. */
bool schema_inside(rx_str raw, rx_str *text);
rx_str schema_member(rx_str object, rx_str name);
void schema_put_key(struct rx_buf *b, rx_str key);

/* --- schema_note.c --------------------------------------------------------------- */

extern const char *const schema_losses[]; /* by keyword, for the ledger */
/* Leave it out but tell it. */
void schema_drop(struct cleaner *c, struct node *n, const struct member *m);
/* " (multiple of 5)" for the description. */
void schema_note(struct cleaner *c, struct node *n, const struct member *m);
void schema_note_words(struct node *n, const char *words, rx_str text);
/* "description", if there is something to be said. */
void schema_describe(struct cleaner *c, struct node *n);

#endif
