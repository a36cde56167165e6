#include "dataplane/codec/schema_node.h"

#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

static const rx_str names[] = {
#define SCHEMA_NAME(id, name, a, b, c, d, e, f, g) RX_STR_INIT(name),
    SCHEMA_KEYWORDS(SCHEMA_NAME)
#undef SCHEMA_NAME
};

enum keyword
schema_keyword(rx_str key)
{
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_eq(names[i], key))
            return (enum keyword)i;
    }
    return KW_OTHER;
}

static bool
inlines(enum schema_profile p)
{
    return p == SCHEMA_GEMINI_PROTO;
}

bool
schema_merges(enum schema_profile p)
{
    return p == SCHEMA_OPENAI_STRICT || p == SCHEMA_ANTHROPIC_STRICT ||
           p == SCHEMA_GEMINI_JSON || p == SCHEMA_GEMINI_PROTO;
}

void
schema_trouble(struct cleaner *c, const char *why)
{
    if (c->trouble == NULL)
        c->trouble = why;
}

static void
push(struct cleaner *c, struct member m)
{
    if (c->count == c->size) {
        c->size = c->size == 0 ? 64 : c->size * 2;
        c->members = realloc(c->members, c->size * sizeof(*c->members));
        if (c->members == NULL)
            abort();
    }
    c->members[c->count++] = m;
}

/* --- references ---------------------------------------------------------------- */

/* The member or element of `value` that a step of a pointer names. */
static rx_str
step_into(rx_str value, rx_str step)
{
    struct rx_span j;
    rx_str found = { 0 };
    uint64_t index;
    uint64_t at = 0;

    rx_span_init(&j, value);
    if (rx_span_kind(&j) == RX_SPAN_OBJECT) {
        rx_span_enter_object(&j);
        while (rx_span_member(&j, NULL)) {
            if (found.len == 0 && rx_span_key_is(&j, step))
                rx_span_skip(&j, &found);
            else
                rx_span_skip(&j, NULL);
        }
    } else if (rx_span_kind(&j) == RX_SPAN_ARRAY && rx_str_u64(step, &index)) {
        rx_span_enter_array(&j);
        while (rx_span_element(&j))
            rx_span_skip(&j, at++ == index ? &found : NULL);
    }
    return found;
}

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ~0 and ~1 of JSON Pointer, %xx of a URI. */
static rx_str
decode_step(rx_str step, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < step.len && n < size; i++) {
        char c = step.ptr[i];
        size_t left = step.len - i;
        if (c == '~' && left > 1) {
            c = step.ptr[++i] == '1' ? '/' : '~';
        } else if (c == '%' && left > 2 && hex(step.ptr[i + 1]) >= 0 &&
                   hex(step.ptr[i + 2]) >= 0) {
            c = (char)(hex(step.ptr[i + 1]) * 16 + hex(step.ptr[i + 2]));
            i += 2;
        }
        out[n++] = c;
    }
    return (rx_str){ out, n };
}

rx_str
schema_resolve(struct cleaner *c, rx_str ref)
{
    rx_str at = c->job->schema;
    rx_str step;
    char room[256];

    c->searched += at.len;
    if (c->searched > SCHEMA_SEARCH_MAX)
        schema_trouble(c, "it refers to itself too often");
    if (c->trouble != NULL)
        return (rx_str){ 0 };
    if (rx_str_eq(ref, RX_S("#")))
        return at;
    if (!rx_str_starts(ref, RX_S("#/")))
        return (rx_str){ 0 };
    ref = (rx_str){ ref.ptr + 2, ref.len - 2 };
    for (bool more = true; more && at.len > 0;) {
        more = rx_str_cut(ref, '/', &step, &ref);
        at = step_into(at, decode_step(step, room, sizeof(room)));
    }
    return at;
}

/* --- gathering ------------------------------------------------------------------- */

static void gather(
    struct cleaner *c, struct node *n, rx_str raw, unsigned deep);

static void
gather_ref(struct cleaner *c, struct node *n, rx_str value, unsigned deep)
{
    rx_str ref = { 0 };
    struct rx_span j;

    rx_span_init(&j, value);
    rx_span_string(&j, &ref);
    rx_str target = schema_resolve(c, ref);
    bool cut = target.len == 0 || c->active_count == SCHEMA_DEPTH;
    for (size_t i = 0; i < c->active_count; i++) {
        if (c->active[i] == target.ptr && i >= n->was_active)
            return; /* it is in this node already */
        cut = cut || c->active[i] == target.ptr;
    }
    if (cut) {
        n->cut = true;
        schema_note_words(n, "like ", ref);
        return;
    }
    c->active[c->active_count++] = target.ptr;
    gather(c, n, target, deep + 1);
}

static void
gather_all(struct cleaner *c, struct node *n, rx_str list, unsigned deep)
{
    struct rx_span j;
    rx_str branch;

    rx_span_init(&j, list);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY)
        return;
    rx_span_enter_array(&j);
    while (rx_span_element(&j) && rx_span_skip(&j, &branch))
        gather(c, n, branch, deep + 1);
}

/* A branch of what is merged may be a reference, which then has to go. */
static bool
must_follow(const struct cleaner *c, unsigned deep)
{
    return inlines(c->job->profile) ||
           (deep > 0 && schema_merges(c->job->profile));
}

static void
gather(struct cleaner *c, struct node *n, rx_str raw, unsigned deep)
{
    enum schema_profile p = c->job->profile;
    size_t from = c->count;
    struct rx_span j;
    rx_str key;
    rx_str value;

    if (deep > SCHEMA_DEPTH) {
        schema_trouble(c, "it is nested too deeply");
        return;
    }
    rx_span_init(&j, raw);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, &key) && rx_span_skip(&j, &value)) {
        struct member m = { schema_keyword(key), key, value };
        bool null = rx_span_kind_of(value) == RX_SPAN_NULL;
        if (!null || m.kw == KW_DEFAULT || m.kw == KW_CONST || m.kw == KW_OTHER)
            push(c, m);
    }
    if (!rx_span_finish(&j))
        schema_trouble(c, "it is broken JSON");
    size_t to = c->count;
    for (size_t i = from; i < to; i++) {
        struct member m = c->members[i];
        if (m.kw == KW_REF && must_follow(c, deep)) {
            c->members[i].kw = KW_DEAD;
            gather_ref(c, n, m.value, deep);
        } else if (m.kw == KW_ALL_OF && schema_merges(p)) {
            gather_all(c, n, m.value, deep);
        }
    }
}

bool
schema_is_null(rx_str raw)
{
    rx_str type = step_into(raw, RX_S("type"));

    return rx_str_ieq(type, RX_S("\"null\"")) ||
           rx_str_ieq(type, RX_S("\"none\""));
}

/* [X, null]: X is what there is to say. */
static bool
only_branch(rx_str list, rx_str *only)
{
    struct rx_span j;
    rx_str branch;
    size_t all = 0;
    size_t others = 0;

    rx_span_init(&j, list);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY)
        return false;
    rx_span_enter_array(&j);
    while (rx_span_element(&j) && rx_span_skip(&j, &branch)) {
        all++;
        if (schema_is_null(branch))
            continue;
        *only = branch;
        others++;
    }
    return others == 1 && all == 2;
}

static void
gather_nullable(struct cleaner *c, struct node *n)
{
    static const enum keyword lists[] = { KW_ANY_OF, KW_ONE_OF };

    for (size_t i = 0; i < RX_COUNT(lists); i++) {
        const struct member *m = schema_find(c, n, lists[i]);
        rx_str only;
        if (m == NULL || !only_branch(m->value, &only))
            continue;
        n->nullable = true;
        /* Its turn is over: the branch stands for it. */
        c->members[m - c->members].kw = KW_DEAD;
        gather(c, n, only, 1);
        return;
    }
}

/* --- types ------------------------------------------------------------------------- */

/* Lower case, "None" for null; "any" is no type. */
static void
add_type(struct types *t, rx_str word)
{
    static const rx_str known[] = { RX_STR_INIT("string"),
        RX_STR_INIT("number"), RX_STR_INIT("integer"), RX_STR_INIT("boolean"),
        RX_STR_INIT("object"), RX_STR_INIT("array") };

    if (rx_str_ieq(word, RX_S("null")) || rx_str_ieq(word, RX_S("none"))) {
        t->null = true;
        return;
    }
    if (rx_str_ieq(word, RX_S("any")) || t->n == RX_COUNT(t->word))
        return;
    for (size_t i = 0; i < RX_COUNT(known); i++) {
        if (rx_str_ieq(word, known[i]))
            word = known[i];
    }
    for (size_t i = 0; i < t->n; i++) {
        if (rx_str_eq(t->word[i], word))
            return;
    }
    t->word[t->n++] = word;
}

static void
read_types(struct types *t, rx_str value)
{
    struct rx_span j;
    rx_str word;

    rx_span_init(&j, value);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY) {
        if (rx_span_string(&j, &word))
            add_type(t, word);
        return;
    }
    rx_span_enter_array(&j);
    while (rx_span_element(&j)) {
        if (rx_span_string(&j, &word))
            add_type(t, word);
    }
}

/* --- nodes ---------------------------------------------------------------------------- */

const struct member *
schema_find(const struct cleaner *c, const struct node *n, enum keyword kw)
{
    for (size_t i = n->from; i < n->to; i++) {
        if (c->members[i].kw == kw)
            return &c->members[i];
    }
    return NULL;
}

static void
begin(struct cleaner *c, struct node *n)
{
    *n = (struct node){ .from = c->count, .was_active = c->active_count };
    rx_buf_init(&n->notes, 64 * 1024);
    if (++c->nodes > SCHEMA_NODES)
        schema_trouble(c, "it is too large");
}

static void
complete(struct cleaner *c, struct node *n)
{
    n->to = c->count;
    if (c->job->profile == SCHEMA_GEMINI_PROTO) {
        gather_nullable(c, n);
        n->to = c->count;
    }
    const struct member *type = schema_find(c, n, KW_TYPE);
    const struct member *nullable = schema_find(c, n, KW_NULLABLE);
    if (type != NULL)
        read_types(&n->types, type->value);
    if (nullable != NULL && rx_span_kind_of(nullable->value) == RX_SPAN_TRUE)
        n->nullable = true;
    if (n->cut && n->types.n == 0 && inlines(c->job->profile))
        n->types.word[n->types.n++] = RX_S("object");
}

void
schema_gather(struct cleaner *c, struct node *n, rx_str raw)
{
    begin(c, n);
    gather(c, n, raw, 0);
    complete(c, n);
}

void
schema_gather_branch(
    struct cleaner *c, struct node *n, rx_str branch, const struct node *outer)
{
    begin(c, n);
    gather(c, n, branch, 0);
    bool moonshot = c->job->profile == SCHEMA_MOONSHOT;
    for (size_t i = outer->from; i < outer->to; i++) {
        struct member m = c->members[i];
        if (moonshot && m.kw != KW_TYPE)
            continue;
        if (m.kw != KW_DEAD && m.kw != KW_ANY_OF && m.kw != KW_ONE_OF &&
            m.kw != KW_ALL_OF && m.kw != KW_DESCRIPTION && m.kw != KW_TITLE &&
            m.kw != KW_REF && m.kw != KW_NULLABLE && m.kw != KW_DEFAULT)
            push(c, m);
    }
    complete(c, n);
}

void
schema_push(struct cleaner *c, struct node *n, struct member m)
{
    push(c, m);
    n->to = c->count;
}

void
schema_release(struct cleaner *c, struct node *n)
{
    c->count = n->from;
    c->active_count = n->was_active;
    rx_buf_fini(&n->notes);
    free(n->wanted.v);
}
