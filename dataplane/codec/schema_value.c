/* Of a schema: values, limits, formats, items. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/schema_node.h"
#include "shared/attr.h"
#include "shared/json_span.h"

/* --- enum and const ------------------------------------------------------------------ */

static void
put_as_string(struct rx_buf *out, rx_str raw)
{
    rx_str text;

    if (schema_inside(raw, &text))
        put_text(out, text);
    else
        put_plain(out, raw);
}

static void
write_enum_json(struct rx_buf *out, rx_str list)
{
    struct rx_span j;
    rx_str element;

    put_member_open(out, "enum", '[');
    schema_list(&j, list);
    while (schema_next(&j, &element)) {
        if (schema_is(element, RX_SPAN_NUMBER))
            put_raw(out, element);
        else
            put_as_string(out, element);
    }
    put_close(out, ']');
}

static size_t
count_strings(rx_str list)
{
    struct rx_span j;
    rx_str element;
    rx_str text;
    size_t n = 0;

    schema_list(&j, list);
    while (schema_next(&j, &element))
        n += schema_inside(element, &text) && text.len > 0;
    return n;
}

/* Strings only, none empty. */
static void
write_enum_proto(struct cleaner *c, struct node *n, const struct member *m)
{
    struct rx_span j;
    rx_str element;
    rx_str text;

    if (count_strings(m->value) == 0) {
        ir_lose(
            c->job->losses, schema_losses[m->kw], "told in the description");
        schema_note(c, n, m);
        return;
    }
    put_member_open(c->job->out, "enum", '[');
    schema_list(&j, m->value);
    while (schema_next(&j, &element)) {
        if (schema_inside(element, &text) && text.len > 0)
            put_text(c->job->out, text);
    }
    put_close(c->job->out, ']');
}

/* Of what a proto's enum lists all are strings, and then it is one. */
void
schema_settle_enum(struct cleaner *c, struct node *n)
{
    const struct member *list = schema_find(c, n, KW_ENUM);
    const struct member *one = schema_find(c, n, KW_CONST);
    struct rx_span j;
    rx_str element;
    bool string = list != NULL
                      ? count_strings(list->value) > 0
                      : one != NULL && schema_is(one->value, RX_SPAN_STRING);

    if (!string)
        return;
    bool null = n->types.null;
    n->types = (struct types){ .n = 1, .null = null };
    n->types.word[0] = RX_S("string");
    if (list == NULL)
        return;
    schema_list(&j, list->value);
    while (schema_next(&j, &element))
        n->nullable = n->nullable || schema_is(element, RX_SPAN_NULL);
}

void
schema_write_enum(struct cleaner *c, struct node *n, const struct member *m)
{
    if (!schema_is(m->value, RX_SPAN_ARRAY))
        return;
    if (c->job->profile == SCHEMA_GEMINI_PROTO)
        write_enum_proto(c, n, m);
    else
        write_enum_json(c->job->out, m->value);
}

void
schema_write_const(struct cleaner *c, struct node *n, const struct member *m)
{
    struct rx_buf *out = c->job->out;
    rx_str text;
    bool proto = c->job->profile == SCHEMA_GEMINI_PROTO;

    if (schema_find(c, n, KW_ENUM) != NULL)
        return;
    if (proto && !schema_inside(m->value, &text)) {
        schema_note(c, n, m);
        return;
    }
    put_member_open(out, "enum", '[');
    if (schema_is(m->value, RX_SPAN_NUMBER))
        put_raw(out, m->value);
    else
        put_as_string(out, m->value);
    put_close(out, ']');
}

/* --- limits --------------------------------------------------------------------------- */

/* Above 5, of whole numbers, is from 6 on. */
void
schema_write_open_limit(
    struct cleaner *c, struct node *n, const struct member *m)
{
    bool above = m->kw == KW_ABOVE;
    char digits[32];
    char *end;

    if (!schema_is(m->value, RX_SPAN_NUMBER))
        return;
    bool fits = m->value.len < 18 && schema_has_type(n, "integer") &&
                schema_find(c, n, above ? KW_MINIMUM : KW_MAXIMUM) == NULL;
    if (!fits) {
        schema_drop(c, n, m);
        return;
    }
    memcpy(digits, m->value.ptr, m->value.len);
    digits[m->value.len] = '\0';
    long long limit = strtoll(digits, &end, 10);
    if (*end != '\0') {
        schema_drop(c, n, m);
        return;
    }
    put_key(c->job->out, above ? "minimum" : "maximum");
    put_comma(c->job->out);
    rx_buf_addf(c->job->out, "%lld", above ? limit + 1 : limit - 1);
}

static bool
among(rx_str text, const rx_str *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rx_str_eq(text, words[i]))
            return true;
    }
    return false;
}

void
schema_write_format(struct cleaner *c, struct node *n, const struct member *m)
{
    static const rx_str anthropic[] = { RX_STR_INIT("date-time"),
        RX_STR_INIT("time"), RX_STR_INIT("date"), RX_STR_INIT("duration"),
        RX_STR_INIT("email"), RX_STR_INIT("hostname"), RX_STR_INIT("uri"),
        RX_STR_INIT("ipv4"), RX_STR_INIT("ipv6"), RX_STR_INIT("uuid") };
    static const rx_str texts[] = { RX_STR_INIT("enum"),
        RX_STR_INIT("date-time") };
    static const rx_str numbers[] = { RX_STR_INIT("float"),
        RX_STR_INIT("double"), RX_STR_INIT("int32"), RX_STR_INIT("int64") };
    bool number = schema_has_type(n, "number") || schema_has_type(n, "integer");
    rx_str text = { 0 };
    bool known;

    schema_inside(m->value, &text);
    if (c->job->profile == SCHEMA_ANTHROPIC_STRICT)
        known = among(text, anthropic, RX_COUNT(anthropic));
    else if (number)
        known = among(text, numbers, RX_COUNT(numbers));
    else
        known = among(text, texts, RX_COUNT(texts));
    if (known)
        put_member_raw(c->job->out, "format", m->value);
    else
        schema_drop(c, n, m);
}

/* --- arrays ----------------------------------------------------------------------------- */

/* `"prefixItems"`, or what says about the same without it. */
void
schema_write_tuple(struct cleaner *c, rx_str list, unsigned depth)
{
    enum schema_profile p = c->job->profile;
    struct rx_buf *out = c->job->out;
    struct rx_span j;
    rx_str element;
    uint64_t count = 0;
    bool flat = schema_is_strict(p) || p == SCHEMA_GEMINI_PROTO;

    if (flat) {
        put_member_open(out, "items", '{');
        put_member_open(out, "anyOf", '[');
    } else {
        put_member_open(out, "prefixItems", '[');
    }
    schema_list(&j, list);
    for (; schema_next(&j, &element); count++) {
        schema_write(c, element, depth + 1);
    }
    put_close(out, ']');
    if (!flat)
        return;
    put_close(out, '}');
    if (p == SCHEMA_GEMINI_PROTO) {
        put_member_u64(out, "minItems", count);
        put_member_u64(out, "maxItems", count);
    }
}

/* How many items is said by the tuple already? */
static bool
is_tuple(const struct cleaner *c, const struct node *n)
{
    const struct member *items = schema_find(c, n, KW_ITEMS);

    return schema_find(c, n, KW_PREFIX_ITEMS) != NULL ||
           (items != NULL && schema_is(items->value, RX_SPAN_ARRAY));
}

void
schema_write_item_count(
    struct cleaner *c, struct node *n, const struct member *m)
{
    bool few = rx_str_eq(m->value, RX_S("0")) || rx_str_eq(m->value, RX_S("1"));

    if (c->job->profile == SCHEMA_GEMINI_PROTO && is_tuple(c, n))
        return;
    if (c->job->profile == SCHEMA_GEMINI_PROTO || few)
        put_member_raw(c->job->out,
            m->kw == KW_MIN_ITEMS ? "minItems" : "maxItems", m->value);
    else
        schema_drop(c, n, m);
}

void
schema_write_items(
    struct cleaner *c, struct node *n, const struct member *m, unsigned depth)
{
    bool proto = c->job->profile == SCHEMA_GEMINI_PROTO;
    bool tuple = schema_is(m->value, RX_SPAN_ARRAY);

    if (tuple && c->job->profile == SCHEMA_OPENAI) {
        put_member_raw(c->job->out, "items", m->value);
        return;
    }
    if (tuple) {
        schema_write_tuple(c, m->value, depth);
        return;
    }
    bool flat = proto || schema_is_strict(c->job->profile);
    if (flat && schema_find(c, n, KW_PREFIX_ITEMS) != NULL)
        return;
    if (schema_is(m->value, RX_SPAN_FALSE)) {
        if (!flat)
            put_member_bool(c->job->out, "items", false);
        return;
    }
    put_key(c->job->out, "items");
    if (proto &&
        (schema_is_empty(m->value) || schema_is(m->value, RX_SPAN_TRUE)))
        put_raw(c->job->out, RX_S("{\"type\":\"string\"}"));
    else
        schema_write(c, m->value, depth + 1);
}

void
schema_add_items(struct cleaner *c, struct node *n)
{
    enum schema_profile p = c->job->profile;

    if (!schema_has_type(n, "array") || schema_find(c, n, KW_ITEMS) != NULL ||
        schema_find(c, n, KW_PREFIX_ITEMS) != NULL)
        return;
    if (p == SCHEMA_GEMINI_PROTO && n->types.n == 1)
        put_member_raw(c->job->out, "items", RX_S("{\"type\":\"string\"}"));
    else if (p == SCHEMA_OPENAI || schema_is_strict(p))
        put_member_raw(c->job->out, "items", RX_S("{}"));
}
