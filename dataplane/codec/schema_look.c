/* Of a schema: looking at what is there. */
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/schema_node.h"
#include "shared/json_span.h"

bool
schema_is(rx_str raw, enum rx_span_kind kind)
{
    return rx_span_kind_of(raw) == kind;
}

bool
schema_is_strict(enum schema_profile p)
{
    return p == SCHEMA_OPENAI_STRICT || p == SCHEMA_ANTHROPIC_STRICT;
}

/* Walk the elements of an array; anything else has none. */
void
schema_list(struct rx_span *j, rx_str list)
{
    rx_span_init(j, list);
    if (rx_span_kind(j) == RX_SPAN_ARRAY)
        rx_span_enter_array(j);
    else
        j->bad = true;
}

bool
schema_next(struct rx_span *j, rx_str *element)
{
    return rx_span_element(j) && rx_span_skip(j, element);
}

void
schema_map(struct rx_span *j, rx_str map)
{
    rx_span_init(j, map);
    if (rx_span_kind(j) == RX_SPAN_OBJECT)
        rx_span_enter_object(j);
    else
        j->bad = true;
}

bool
schema_pair(struct rx_span *j, rx_str *key, rx_str *value)
{
    return rx_span_member(j, key) && rx_span_skip(j, value);
}

bool
schema_inside(rx_str raw, rx_str *text)
{
    struct rx_span j;

    rx_span_init(&j, raw);
    return rx_span_string(&j, text);
}

bool
schema_has_type(const struct node *n, const char *word)
{
    for (size_t i = 0; i < n->types.n; i++) {
        if (rx_str_eq(n->types.word[i], (rx_str){ word, strlen(word) }))
            return true;
    }
    return false;
}

void
schema_put_key(struct rx_buf *b, rx_str key)
{
    put_text(b, key);
    rx_buf_addc(b, ':');
}

rx_str
schema_member(rx_str object, rx_str name)
{
    struct rx_span j;
    rx_str key;
    rx_str value;
    rx_str found = { 0 };

    schema_map(&j, object);
    while (schema_pair(&j, &key, &value)) {
        if (found.len == 0 && rx_str_eq(key, name))
            found = value;
    }
    return found;
}

bool
schema_is_empty(rx_str raw)
{
    struct rx_span j;

    schema_map(&j, raw);
    return !j.bad && !rx_span_member(&j, NULL) && !j.bad;
}
