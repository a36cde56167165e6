#include "dataplane/codec/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/schema_node.h"
#include "shared/attr.h"
#include "shared/json_span.h"

enum action { K, D, N, X };

static const unsigned char actions[][SCHEMA_PROFILE_COUNT] = {
#define SCHEMA_ACTIONS(id, name, a, b, c, d, e, f, g) \
    { K, a, b, c, d, e, f, g },
    SCHEMA_KEYWORDS(SCHEMA_ACTIONS)
#undef SCHEMA_ACTIONS
    /* KW_OTHER */
    { K, K, D, K, D, D, D, K },
};

static void write_node(struct cleaner *c, struct node *n, unsigned depth);

/* --- alternatives ------------------------------------------------------------------------- */

/* Is something said beside the alternatives that has to go into each? */
static bool
has_siblings(const struct cleaner *c, const struct node *n)
{
    static const enum keyword harmless[] = { KW_ANY_OF, KW_ONE_OF, KW_ALL_OF,
        KW_DESCRIPTION, KW_TITLE, KW_NULLABLE, KW_DEFS, KW_DEFINITIONS,
        KW_DEFAULT, KW_SCHEMA, KW_REF, KW_OTHER };

    for (size_t i = n->from; i < n->to; i++) {
        bool fine = false;
        for (size_t k = 0; k < RX_COUNT(harmless); k++)
            fine = fine || c->members[i].kw == harmless[k];
        if (!fine)
            return true;
    }
    return false;
}

static void
write_branch(
    struct cleaner *c, const struct node *outer, rx_str branch, unsigned depth)
{
    struct node n;

    schema_gather_branch(c, &n, branch, outer);
    if (c->trouble == NULL)
        write_node(c, &n, depth);
    schema_release(c, &n);
}

static void
write_alternatives(struct cleaner *c, struct node *n, rx_str list,
    const char *key, unsigned depth)
{
    bool proto = c->job->profile == SCHEMA_GEMINI_PROTO;
    bool push = n->pushed;
    struct rx_span j;
    rx_str branch;

    put_member_open(c->job->out, key, '[');
    schema_list(&j, list);
    while (schema_next(&j, &branch)) {
        if (proto && schema_is_null(branch)) {
            n->nullable = true;
            continue;
        }
        if (push)
            write_branch(c, n, branch, depth + 1);
        else
            schema_write(c, branch, depth + 1);
    }
    put_close(c->job->out, ']');
}

static void
write_one_of(
    struct cleaner *c, struct node *n, const struct member *m, unsigned depth)
{
    enum schema_profile p = c->job->profile;
    bool any = schema_is_strict(p) || p == SCHEMA_GEMINI_PROTO;

    if (any && schema_find(c, n, KW_ANY_OF) != NULL)
        schema_drop(c, n, m);
    else
        write_alternatives(c, n, m->value, any ? "anyOf" : "oneOf", depth);
}

static void
write_list(struct cleaner *c, rx_str list, const char *key, unsigned depth)
{
    struct rx_span j;
    rx_str branch;

    put_member_open(c->job->out, key, '[');
    schema_list(&j, list);
    while (schema_next(&j, &branch)) {
        schema_write(c, branch, depth + 1);
    }
    put_close(c->job->out, ']');
}

static void
write_map(struct cleaner *c, rx_str map, const char *key, unsigned depth)
{
    struct rx_span j;
    rx_str name;
    rx_str value;

    put_member_open(c->job->out, key, '{');
    schema_map(&j, map);
    while (schema_pair(&j, &name, &value)) {
        schema_put_key(c->job->out, name);
        schema_write(c, value, depth + 1);
    }
    put_close(c->job->out, '}');
}

/* --- nodes -------------------------------------------------------------------------------- */

/* Does a keyword say something of values of that type? */
static bool
says_of(enum keyword kw, rx_str type)
{
    static const struct {
        enum keyword from, to;
        const char *type, * or ;
    } kinds[] = {
        { KW_PROPERTIES, KW_ADDITIONAL, "object", "object" },
        { KW_MIN_PROPS, KW_MAX_PROPS, "object", "object" },
        { KW_ITEMS, KW_PREFIX_ITEMS, "array", "array" },
        { KW_MIN_ITEMS, KW_MAX_ITEMS, "array", "array" },
        { KW_MIN_LENGTH, KW_FORMAT, "string", "string" },
        { KW_CONST, KW_ENUM, "string", "string" },
        { KW_MINIMUM, KW_MULTIPLE, "number", "integer" },
    };

    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        if (kw >= kinds[i].from && kw <= kinds[i].to)
            return rx_str_eq(type,
                       (rx_str){ kinds[i].type, strlen(kinds[i].type) }) ||
                   rx_str_eq(
                       type, (rx_str){ kinds[i].or, strlen(kinds[i].or) });
    }
    return false;
}

/* A proto has one type: one alternative for each, with what goes with it. */
static void
write_type_branches(struct cleaner *c, const struct node *outer, unsigned depth)
{
    put_member_open(c->job->out, "anyOf", '[');
    for (size_t t = 0; t < outer->types.n; t++) {
        struct node n;
        schema_gather(c, &n, RX_S("{}"));
        for (size_t i = outer->from; i < outer->to; i++) {
            if (says_of(c->members[i].kw, outer->types.word[t]))
                schema_push(c, &n, c->members[i]);
        }
        n.types = (struct types){ .n = 1 };
        n.types.word[0] = outer->types.word[t];
        write_node(c, &n, depth + 1);
        schema_release(c, &n);
    }
    put_close(c->job->out, ']');
}

static void
write_additional(
    struct cleaner *c, struct node *n, const struct member *m, unsigned depth)
{
    (void)n;
    put_key(c->job->out, "additionalProperties");
    if (schema_is(m->value, RX_SPAN_OBJECT))
        schema_write(c, m->value, depth + 1);
    else
        put_raw(c->job->out, m->value);
}

/* Definitions live in $defs there. */
static void
write_ref(struct cleaner *c, const struct member *m)
{
    static const char old[] = "#/definitions/";
    struct rx_buf *out = c->job->out;
    rx_str ref;

    put_key(out, "$ref");
    if (c->job->profile != SCHEMA_GEMINI_JSON ||
        !schema_inside(m->value, &ref) ||
        !rx_str_starts(ref, (rx_str){ old, sizeof(old) - 1 })) {
        put_raw(out, m->value);
        return;
    }
    rx_buf_add(out, RX_S("\"#/$defs/"));
    rx_buf_add(
        out, (rx_str){ ref.ptr + sizeof(old) - 1, ref.len - sizeof(old) + 1 });
    rx_buf_addc(out, '"');
}

/* While a node is written more may turn out to be told in words. */
static bool
notes_may_come(const struct cleaner *c)
{
    return schema_merges(c->job->profile);
}

/* Will it be written where it stands in the source? */
static bool
in_place(const struct cleaner *c, const struct node *n, enum keyword kw)
{
    return schema_find(c, n, kw) != NULL && !notes_may_come(c);
}

static void
write_special(
    struct cleaner *c, struct node *n, struct member m, unsigned depth)
{
    bool moved = c->job->profile == SCHEMA_GEMINI_JSON;

    // clang-format off
    switch ((int)m.kw) {
    case KW_REF: write_ref(c, &m); break;
    case KW_DEFS: write_map(c, m.value, "$defs", depth); break;
    case KW_DEFINITIONS:
        write_map(c, m.value, moved ? "$defs" : "definitions", depth);
        break;
    case KW_TYPE:
        if (in_place(c, n, KW_TYPE) && !n->pushed)
            schema_write_types(c, n);
        break;
    case KW_REQUIRED: schema_write_required(c, n); break;
    case KW_PROPERTIES: schema_write_properties(c, n, depth); break;
    case KW_ADDITIONAL: write_additional(c, n, &m, depth); break;
    case KW_CONST: schema_write_const(c, n, &m); break;
    case KW_ENUM: schema_write_enum(c, n, &m); break;
    case KW_ONE_OF: write_one_of(c, n, &m, depth); break;
    case KW_ANY_OF: write_alternatives(c, n, m.value, "anyOf", depth); break;
    case KW_ALL_OF: write_list(c, m.value, "allOf", depth); break;
    case KW_ITEMS: schema_write_items(c, n, &m, depth); break;
    case KW_PREFIX_ITEMS: schema_write_tuple(c, m.value, depth); break;
    case KW_ABOVE:
    case KW_BELOW: schema_write_open_limit(c, n, &m); break;
    case KW_FORMAT: schema_write_format(c, n, &m); break;
    case KW_MIN_ITEMS:
    case KW_MAX_ITEMS: schema_write_item_count(c, n, &m); break;
    case KW_DESCRIPTION:
        if (!notes_may_come(c))
            schema_describe(c, n);
        break;
    default: break;
    }
    // clang-format on
}

static void
drop(struct cleaner *c, const struct member *m)
{
    switch ((int)m->kw) {
    case KW_UNEVALUATED:
    case KW_UNEVAL_ITEMS:
    case KW_UNIQUE:
    case KW_DEFAULT:
        ir_lose(c->job->losses, schema_losses[m->kw], "not known there");
        break;
    default: break;
    }
}

/* Only this may stand beside alternatives that took in everything else. */
static bool
stays_outside(enum keyword kw)
{
    return kw == KW_ANY_OF || kw == KW_ONE_OF || kw == KW_TITLE ||
           kw == KW_DEFAULT;
}

static void
write_member(struct cleaner *c, struct node *n, struct member m, unsigned depth)
{
    enum schema_profile p = c->job->profile;

    if (n->pushed && p == SCHEMA_GEMINI_PROTO && !stays_outside(m.kw))
        return;
    if (p == SCHEMA_GEMINI_JSON && n->pushed && m.kw != KW_REF &&
        m.kw != KW_DEFS && m.kw != KW_DEFINITIONS)
        return;
    switch ((enum action)actions[m.kw][p]) {
    case K:
        schema_put_key(c->job->out, m.key);
        put_raw(c->job->out, m.value);
        break;
    case D: drop(c, &m); break;
    case N:
        if (m.kw != KW_ADDITIONAL ||
            (schema_is(m.value, RX_SPAN_OBJECT) && !schema_is_empty(m.value) &&
                schema_find(c, n, KW_PROPERTIES) == NULL))
            schema_drop(c, n, &m);
        break;
    case X: write_special(c, n, m, depth); break;
    }
}

static void
write_members(struct cleaner *c, struct node *n, unsigned depth)
{
    uint64_t seen = 0;

    for (size_t i = n->from; i < n->to; i++) {
        struct member m = c->members[i];
        if (m.kw == KW_DEAD)
            continue;
        if (m.kw != KW_OTHER && (seen >> m.kw & 1) != 0)
            continue;
        seen |= m.kw == KW_OTHER ? 0 : UINT64_C(1) << m.kw;
        write_member(c, n, m, depth);
    }
}

static bool
is_object(const struct cleaner *c, const struct node *n)
{
    return schema_has_type(n, "object") ||
           schema_find(c, n, KW_PROPERTIES) != NULL;
}

/* What strict modes want of every object. */
static void
close_object(struct cleaner *c, struct node *n)
{
    enum schema_profile p = c->job->profile;
    const struct member *more = schema_find(c, n, KW_ADDITIONAL);

    if (!is_object(c, n) || !schema_is_strict(p))
        return;
    if (p == SCHEMA_ANTHROPIC_STRICT) {
        put_member_bool(c->job->out, "additionalProperties", false);
        return;
    }
    if (schema_find(c, n, KW_PROPERTIES) == NULL)
        put_member_raw(c->job->out, "properties", RX_S("{}"));
    if (more == NULL || !schema_is(more->value, RX_SPAN_FALSE))
        c->job->strict_fits = false;
}

/* An object of which nothing is known cannot be an answer there. */
static bool
write_blank_answer(struct cleaner *c, struct node *n)
{
    if (c->job->profile != SCHEMA_GEMINI_PROTO || !c->job->answer ||
        !schema_has_type(n, "object") || n->types.n != 1 ||
        schema_find(c, n, KW_PROPERTIES) != NULL)
        return false;
    schema_note_words(n, "a JSON object, written as text", (rx_str){ 0 });
    put_open(c->job->out, '{');
    put_member_word(c->job->out, "type", "string");
    schema_describe(c, n);
    put_close(c->job->out, '}');
    return true;
}

static bool
has_alternatives(const struct cleaner *c, const struct node *n)
{
    return schema_find(c, n, KW_ANY_OF) != NULL ||
           schema_find(c, n, KW_ONE_OF) != NULL;
}

/* What has to leave this node for its branches, or for good. */
static void
settle(struct cleaner *c, struct node *n, unsigned depth)
{
    enum schema_profile p = c->job->profile;

    schema_infer_type(c, n, depth);
    if (p == SCHEMA_GEMINI_PROTO)
        schema_settle_enum(c, n);
    if (p == SCHEMA_GEMINI_PROTO)
        n->pushed =
            (has_alternatives(c, n) && has_siblings(c, n)) || n->types.n > 1;
    else if (p == SCHEMA_MOONSHOT)
        n->pushed = has_alternatives(c, n) && n->types.n > 0;
    else if (p == SCHEMA_GEMINI_JSON)
        n->pushed = schema_find(c, n, KW_REF) != NULL;
    if (n->pushed && p == SCHEMA_GEMINI_JSON && has_siblings(c, n))
        ir_lose(c->job->losses, "schema.$ref",
            "nothing may stand beside a reference");
}

static void
write_node(struct cleaner *c, struct node *n, unsigned depth)
{
    struct rx_buf *out = c->job->out;
    bool proto = c->job->profile == SCHEMA_GEMINI_PROTO;

    if (depth > SCHEMA_DEPTH)
        schema_trouble(c, "it is nested too deeply");
    if (c->trouble != NULL)
        return;
    settle(c, n, depth);
    if (write_blank_answer(c, n))
        return;
    put_open(out, '{');
    if (!n->pushed && !in_place(c, n, KW_TYPE))
        schema_write_types(c, n);
    if (proto && n->types.n > 1 && !has_alternatives(c, n))
        write_type_branches(c, n, depth);
    write_members(c, n, depth);
    if (!n->pushed) {
        if (schema_find(c, n, KW_REQUIRED) == NULL)
            schema_write_required(c, n);
        schema_add_items(c, n);
        close_object(c, n);
    }
    if (proto && (n->nullable || n->types.null))
        put_member_bool(out, "nullable", true);
    if ((!n->pushed || c->job->profile != SCHEMA_GEMINI_JSON) &&
        !in_place(c, n, KW_DESCRIPTION))
        schema_describe(c, n);
    put_close(out, '}');
}

void
schema_write(struct cleaner *c, rx_str raw, unsigned depth)
{
    struct node n;

    if (c->job->out->full)
        schema_trouble(c, "it is too large");
    if (c->trouble != NULL)
        return;
    if (!schema_is(raw, RX_SPAN_OBJECT)) {
        put_raw(c->job->out, RX_S("{}"));
        return;
    }
    schema_gather(c, &n, raw);
    write_node(c, &n, depth);
    schema_release(c, &n);
}

/* --- the root ------------------------------------------------------------------------------ */

/* {"city":{"type":"string"}}: the properties without what goes around them. */
static bool
is_bare_map(rx_str raw)
{
    struct rx_span j;
    rx_str key;
    rx_str value;
    size_t n = 0;

    schema_map(&j, raw);
    while (schema_pair(&j, &key, &value)) {
        if (schema_keyword(key) != KW_OTHER ||
            !schema_is(value, RX_SPAN_OBJECT))
            return false;
        n++;
    }
    return n > 0;
}

static rx_str
follow(struct cleaner *c, rx_str branch)
{
    rx_str ref;

    if (schema_inside(schema_member(branch, RX_S("$ref")), &ref))
        return schema_resolve(c, ref);
    return branch;
}

static bool
all_objects(struct cleaner *c, rx_str list)
{
    struct rx_span j;
    rx_str branch;
    size_t n = 0;
    bool all = true;

    schema_list(&j, list);
    for (; schema_next(&j, &branch); n++)
        all =
            all && schema_member(follow(c, branch), RX_S("properties")).len > 0;
    return all && n > 0;
}

static void
note_alternative(struct node *n, rx_str branch)
{
    struct rx_buf *b = &n->notes;
    struct rx_span j;
    rx_str name;
    rx_str element;
    bool first = true;

    schema_list(&j, schema_member(branch, RX_S("required")));
    while (schema_next(&j, &element)) {
        if (!schema_inside(element, &name))
            continue;
        rx_buf_add(b, first ? RX_S(" {") : RX_S(", "));
        rx_buf_add(b, name);
        first = false;
    }
    rx_buf_add(b, first ? RX_S(" {}") : RX_S("}"));
}

/* No alternatives at the root: one object with what any of them has. */
static void
take_apart(struct cleaner *c, struct node *n, enum keyword kw)
{
    enum schema_profile p = c->job->profile;
    const struct member *m = schema_find(c, n, kw);
    struct rx_span j;
    rx_str branch;

    if (m == NULL || n->alternatives > 0 || !all_objects(c, m->value) ||
        ((p == SCHEMA_ANTHROPIC || p == SCHEMA_ANTHROPIC_STRICT) &&
            schema_has_type(n, "object")))
        return;
    rx_str list = m->value;
    c->members[m - c->members].kw = KW_DEAD;
    rx_buf_add(&n->notes, RX_S("(needs one of these sets of members:"));
    schema_list(&j, list);
    for (; schema_next(&j, &branch); n->alternatives++) {
        branch = follow(c, branch);
        schema_names_list(&n->wanted, schema_member(branch, RX_S("required")),
            n->alternatives);
        schema_push(c, n,
            (struct member){ KW_PROPERTIES, RX_S("properties"),
                schema_member(branch, RX_S("properties")) });
        note_alternative(n, branch);
    }
    rx_buf_addc(&n->notes, ')');
    schema_names_sort(&n->wanted);
    ir_lose(c->job->losses, schema_losses[kw], "taken apart at the root");
}

static void
write_root(struct cleaner *c)
{
    struct node n;

    schema_gather(c, &n, c->job->schema);
    take_apart(c, &n, KW_ANY_OF);
    take_apart(c, &n, KW_ONE_OF);
    if (c->trouble == NULL)
        write_node(c, &n, 0);
    schema_release(c, &n);
}

static void
write_bare_map(struct cleaner *c)
{
    put_open(c->job->out, '{');
    put_member_word(c->job->out, "type", "object");
    write_map(c, c->job->schema, "properties", 1);
    put_close(c->job->out, '}');
    c->job->strict_fits = false;
}

enum schema_profile
schema_profile_of(enum cap_schema schema, bool strict)
{
    switch (schema) {
    case CAP_SCHEMA_PLAIN: return SCHEMA_NONE;
    case CAP_SCHEMA_ANTHROPIC:
        return strict ? SCHEMA_ANTHROPIC_STRICT : SCHEMA_ANTHROPIC;
    case CAP_SCHEMA_OPENAI:
        return strict ? SCHEMA_OPENAI_STRICT : SCHEMA_OPENAI;
    case CAP_SCHEMA_GEMINI_JSON: return SCHEMA_GEMINI_JSON;
    case CAP_SCHEMA_GEMINI_PROTO: return SCHEMA_GEMINI_PROTO;
    case CAP_SCHEMA_MOONSHOT: return SCHEMA_MOONSHOT;
    }
    return SCHEMA_NONE;
}

enum rx_code
schema_clean(struct schema_job *job, struct rx_err *err)
{
    struct cleaner c = { .job = job };

    job->strict_fits = true;
    if (!schema_is(job->schema, RX_SPAN_OBJECT) ||
        schema_is_empty(job->schema)) {
        put_raw(job->out, RX_S("{\"type\":\"object\",\"properties\":{}}"));
        job->strict_fits = false;
        return RX_OK;
    }
    if (!rx_span_whole(job->schema))
        schema_trouble(&c, "it is broken JSON");
    else if (job->profile == SCHEMA_NONE)
        put_raw(job->out, job->schema);
    else if (is_bare_map(job->schema))
        write_bare_map(&c);
    else
        write_root(&c);
    free(c.members);
    if (job->out->full)
        schema_trouble(&c, "it is too large");
    if (c.trouble != NULL)
        return rx_fail(
            err, RX_INVALID, "the schema cannot be used: %s", c.trouble);
    return RX_OK;
}
