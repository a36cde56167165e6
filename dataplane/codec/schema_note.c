/* What a schema says and a provider does not take, in words. */
#include <string.h>

#include "dataplane/codec/put.h"
#include "dataplane/codec/schema_node.h"
#include "shared/attr.h"
#include "shared/json_span.h"

const char *const schema_losses[] = {
#define SCHEMA_LOSS(id, name, a, b, c, d, e, f, g) "schema." name,
    SCHEMA_KEYWORDS(SCHEMA_LOSS)
#undef SCHEMA_LOSS
};

/* Longer ones are named only. */
#define RAW_MAX 300

/* %: the value, without its quotes if it is a string. */
static const struct {
    enum keyword kw;
    const char *before, *after;
} phrases[] = {
    { KW_MINIMUM, "at least ", "" },
    { KW_MAXIMUM, "at most ", "" },
    { KW_ABOVE, "more than ", "" },
    { KW_BELOW, "less than ", "" },
    { KW_MULTIPLE, "multiple of ", "" },
    { KW_MIN_LENGTH, "at least ", " characters" },
    { KW_MAX_LENGTH, "at most ", " characters" },
    { KW_MIN_ITEMS, "at least ", " items" },
    { KW_MAX_ITEMS, "at most ", " items" },
    { KW_MIN_PROPS, "at least ", " members" },
    { KW_MAX_PROPS, "at most ", " members" },
    { KW_PATTERN, "matches the pattern ", "" },
    { KW_FORMAT, "format: ", "" },
    { KW_CONST, "always ", "" },
    { KW_ENUM, "one of ", "" },
    { KW_NOT, "must not match ", "" },
    { KW_ADDITIONAL, "values of any name match ", "" },
};

/* A string's inside, or JSON as text. */
static void
add_value(struct rx_buf *b, rx_str raw)
{
    struct rx_span j;
    rx_str inside;

    rx_span_init(&j, raw);
    if (rx_span_string(&j, &inside))
        rx_buf_add(b, inside);
    else
        rx_buf_add_json(b, raw);
}

static void
add_phrase(struct rx_buf *b, const char *before, rx_str raw, const char *after)
{
    if (b->len > 0)
        rx_buf_addc(b, ' ');
    rx_buf_addf(b, "(%s", before);
    if (raw.len <= RAW_MAX)
        add_value(b, raw);
    else
        rx_buf_add(b, RX_S("a schema that is too long to tell"));
    rx_buf_addf(b, "%s)", after);
}

static void
add_named(struct rx_buf *b, rx_str key, rx_str raw)
{
    if (b->len > 0)
        rx_buf_addc(b, ' ');
    rx_buf_addc(b, '(');
    rx_buf_add(b, key);
    if (raw.len <= RAW_MAX) {
        rx_buf_add(b, RX_S(": "));
        add_value(b, raw);
    }
    rx_buf_addc(b, ')');
}

void
schema_note(struct cleaner *c, struct node *n, const struct member *m)
{
    enum rx_span_kind kind = rx_span_kind_of(m->value);

    (void)c;
    if (m->kw == KW_UNIQUE) {
        if (kind == RX_SPAN_TRUE)
            schema_note_words(n, "items are unique", (rx_str){ 0 });
        return;
    }
    if ((kind == RX_SPAN_TRUE || kind == RX_SPAN_FALSE) && m->kw != KW_CONST)
        return; /* says nothing a model could heed */
    for (size_t i = 0; i < RX_COUNT(phrases); i++) {
        if (phrases[i].kw == m->kw) {
            add_phrase(
                &n->notes, phrases[i].before, m->value, phrases[i].after);
            return;
        }
    }
    add_named(&n->notes, m->key, m->value);
}

void
schema_note_words(struct node *n, const char *words, rx_str text)
{
    if (n->notes.len > 0)
        rx_buf_addc(&n->notes, ' ');
    rx_buf_addf(&n->notes, "(%s", words);
    rx_buf_add(&n->notes, text);
    rx_buf_addc(&n->notes, ')');
}

void
schema_describe(struct cleaner *c, struct node *n)
{
    const struct member *m = schema_find(c, n, KW_DESCRIPTION);
    struct rx_buf *out = c->job->out;
    struct rx_span j;
    rx_str text = { 0 };

    if (m != NULL) {
        rx_span_init(&j, m->value);
        rx_span_string(&j, &text);
    }
    if (text.len == 0 && n->notes.len == 0)
        return;
    put_member(out, "description", text);
    if (n->notes.len == 0 || out->full)
        return;
    out->len--; /* the quote: there is more */
    if (text.len > 0)
        rx_buf_addc(out, ' ');
    rx_buf_add(out, rx_buf_str(&n->notes));
    rx_buf_addc(out, '"');
}

void
schema_drop(struct cleaner *c, struct node *n, const struct member *m)
{
    ir_lose(c->job->losses, m->kw == KW_OTHER ? "schema" : schema_losses[m->kw],
        "told in the description");
    schema_note(c, n, m);
}
