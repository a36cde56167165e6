#include "tests/demo/answer.h"

#include <stdio.h>
#include <string.h>

#include "shared/buf.h"
#include "tests/demo/span.h"

#define TEXT_MAX   ((size_t)32 << 20)
#define ECHO_BYTES 200
#define ARGS_DEPTH 6

/* Tools a coding agent has for running a command, the best first. */
static const char *const shells[] = {
    "Bash",
    "bash",
    "run_shell_command",
    "exec_command",
    "shell_command",
    "shell",
    "local_shell",
    "container.exec",
};

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* Keep what `b` holds in the arena, and end `b`. */
static rx_str
keep(struct rx_arena *arena, struct rx_buf *b)
{
    rx_str kept = rx_arena_copy(arena, rx_buf_str(b));

    rx_buf_fini(b);
    return kept.ptr == NULL ? RX_S("") : kept;
}

/* ---- arguments ---- */

static void add_value(
    struct rx_buf *b, rx_str name, rx_str schema, const char *echo, int depth);

static bool
is_required(rx_str required, rx_str name)
{
    struct span_walk w = span_walk(required);
    rx_str key;
    rx_str item;

    while (span_next(&w, &key, &item)) {
        if (rx_str_eq(span_text(item), name))
            return true;
    }
    return false;
}

static bool
is_command(rx_str name)
{
    return rx_str_eq(name, RX_S("command")) || rx_str_eq(name, RX_S("cmd"));
}

static void
add_object(struct rx_buf *b, rx_str schema, const char *echo, int depth)
{
    static const char *const keys[] = { "properties", "required" };
    rx_str v[RX_COUNT(keys)];
    struct span_walk w;
    rx_str name;
    rx_str property;
    const char *comma = "";

    span_pick(schema, keys, v, RX_COUNT(keys));
    w = span_walk(v[0]);
    rx_buf_addc(b, '{');
    while (span_next(&w, &name, &property)) {
        if (!is_required(v[1], name) && !(depth == 0 && is_command(name)))
            continue;
        rx_buf_addf(b, "%s\"" RX_STR_FMT "\":", comma, RX_STR_ARG(name));
        add_value(b, name, property, echo, depth + 1);
        comma = ",";
    }
    rx_buf_addc(b, '}');
}

/* The type a schema names; of several the first. */
static rx_str
type_of(rx_str type)
{
    struct span_walk w;
    rx_str key;
    rx_str first;

    if (span_text(type).len > 0)
        return span_text(type);
    w = span_walk(type);
    return span_next(&w, &key, &first) ? span_text(first) : RX_S("string");
}

static void
add_array(struct rx_buf *b, rx_str name, rx_str items, const char *echo,
    bool command, int depth)
{
    if (command) {
        rx_buf_addf(b, "[\"bash\",\"-lc\",\"%s\"]", echo);
        return;
    }
    rx_buf_addc(b, '[');
    if (items.len > 0)
        add_value(b, name, items, echo, depth + 1);
    rx_buf_addc(b, ']');
}

static void
add_value(
    struct rx_buf *b, rx_str name, rx_str schema, const char *echo, int depth)
{
    static const char *const keys[] = { "type", "enum", "const", "items",
        "minimum" };
    rx_str v[RX_COUNT(keys)];
    rx_str type;
    bool command = depth == 1 && is_command(name);
    struct span_walk w;
    rx_str key;
    rx_str first;

    span_pick(schema, keys, v, RX_COUNT(keys));
    type = type_of(v[0]);
    w = span_walk(v[1]);
    if (v[2].len > 0)
        rx_buf_add(b, v[2]);
    else if (span_next(&w, &key, &first))
        rx_buf_add(b, first);
    else if (depth > ARGS_DEPTH)
        rx_buf_add(b, RX_S("null"));
    else if (rx_str_ieq(type, RX_S("object")))
        add_object(b, schema, echo, depth);
    else if (rx_str_ieq(type, RX_S("array")))
        add_array(b, name, v[3], echo, command, depth);
    else if (rx_str_ieq(type, RX_S("integer")) ||
             rx_str_ieq(type, RX_S("number")))
        rx_buf_add(b, v[4].len > 0 ? v[4] : RX_S("1"));
    else if (rx_str_ieq(type, RX_S("boolean")))
        rx_buf_add(b, RX_S("true"));
    else
        rx_buf_addf(b, "\"%s\"", command ? echo : "demo");
}

rx_str
answer_arguments(rx_str schema, const char *echo, struct rx_arena *arena)
{
    struct rx_buf b;

    rx_buf_init(&b, 64 * 1024);
    add_object(&b, schema, echo, 0);
    return keep(arena, &b);
}

/* ---- tools ---- */

static const struct question_tool *
pick_tool(const struct question *q)
{
    for (size_t s = 0; s < RX_COUNT(shells); s++) {
        for (size_t i = 0; i < q->tool_count; i++) {
            const struct question_tool *t = &q->tools[i];

            if (rx_str_eq(t->name, text_of(shells[s])) ||
                rx_str_eq(t->type, text_of(shells[s])))
                return t;
        }
    }
    for (size_t i = 0; i < q->tool_count; i++) {
        const struct question_tool *t = &q->tools[i];

        if (t->name.len > 0 && t->schema.len > 0)
            return t;
    }
    return NULL;
}

static void
call_tools(struct answer *a, const struct question *q, const struct recipe *r,
    struct rx_arena *arena)
{
    const struct question_tool *tool = pick_tool(q);
    bool parallel = q->paralleltools || recipe_on(r->parallel);

    if (tool == NULL || q->answered ||
        !(q->tooltest || parallel || recipe_on(r->tool)))
        return;
    a->call_count = parallel ? 2 : 1;
    for (size_t i = 0; i < a->call_count; i++) {
        char echo[32];

        snprintf(echo, sizeof(echo),
            parallel ? "echo routex-tool-ok-%zu" : "echo routex-tool-ok",
            i + 1);
        a->calls[i].tool = tool;
        a->calls[i].args = answer_arguments(tool->schema, echo, arena);
    }
    a->stop = ANSWER_TOOL;
}

/* ---- texts ---- */

/* `size` bytes of words that say where in the text one is. */
static rx_str
long_text(struct rx_arena *arena, size_t size)
{
    struct rx_buf b;

    rx_buf_init(&b, TEXT_MAX + 64);
    if (size > TEXT_MAX)
        size = TEXT_MAX;
    for (unsigned i = 1; b.len < size; i++)
        rx_buf_addf(&b, "word-%u ", i);
    b.len = size;
    return keep(arena, &b);
}

static rx_str
said(struct rx_arena *arena, const char *before, rx_str text, const char *after)
{
    rx_str clipped = span_clip(text, ECHO_BYTES);
    struct rx_buf b;

    rx_buf_init(&b, ECHO_BYTES + 256);
    rx_buf_addf(&b, "%s" RX_STR_FMT "%s%s", before, RX_STR_ARG(clipped),
        clipped.len < text.len ? "..." : "", after);
    return keep(arena, &b);
}

static rx_str
plain_text(struct rx_arena *arena, const char *text)
{
    struct rx_buf b;

    rx_buf_init(&b, 8 * RECIPE_WORD);
    rx_buf_add_json(&b, text_of(text));
    return keep(arena, &b);
}

static rx_str
choose_text(
    const struct question *q, const struct recipe *r, struct rx_arena *arena)
{
    if (r->bytes != RECIPE_NEVER)
        return long_text(arena, r->bytes < TEXT_MAX ? r->bytes : TEXT_MAX);
    if (r->text[0] != '\0')
        return plain_text(arena, r->text);
    if (recipe_on(r->events) && r->events <= TEXT_MAX / 16)
        return long_text(arena, r->events * 8);
    if (q->answered)
        return said(arena, "The tool answered: ", q->result, "");
    if (q->user.len == 0)
        return RX_S("The demo provider is here.");
    return said(arena, "You said: ", q->user, "");
}

static void
think(struct answer *a, const struct question *q, const struct recipe *r,
    struct rx_arena *arena)
{
    bool wanted = r->think == RECIPE_NEVER ? q->thinking || q->thinktest
                                           : recipe_on(r->think);

    if (wanted)
        a->thinking = said(
            arena, "The user said '", q->user, "'. I answer that I heard it.");
}

/* ---- numbers ---- */

static uint64_t
tokens(size_t bytes)
{
    return (bytes + 3) / 4;
}

/*
 * A cache that needs no memory: a conversation's second question finds what
 * stood before it, a first one writes where the dialect lets the client ask.
 */
static void
count_cache(struct answer *a, const struct question *q)
{
    uint64_t prefix = tokens(q->prefix_bytes);

    if (q->dialect == DEMO_ANTHROPIC) {
        if (!q->cache_marks)
            return;
        a->cache_read = q->user_turns > 1 ? prefix : 0;
        a->cache_write = a->input - a->cache_read;
        /* The last bytes of a prompt are never in the cache. */
        a->cache_write -= a->cache_write > 3 ? 3 : a->cache_write;
    } else if (q->user_turns > 1 && prefix >= 1024) {
        a->cache_read = prefix / 128 * 128;
    }
}

static void
count(struct answer *a, const struct question *q, const struct recipe *r)
{
    size_t said_bytes = a->text.len;

    for (size_t i = 0; i < a->call_count; i++)
        said_bytes += a->calls[i].args.len + a->calls[i].tool->name.len;
    a->input = tokens(q->prompt_bytes);
    a->reasoning = recipe_or(r->reasoning, tokens(a->thinking.len));
    a->output = recipe_or(r->output, tokens(said_bytes) + a->reasoning);
    count_cache(a, q);
    if (r->cache_read != RECIPE_NEVER || r->cache_write != RECIPE_NEVER) {
        a->cache_read = recipe_or(r->cache_read, 0);
        a->cache_write = recipe_or(r->cache_write, 0);
    }
    a->input = recipe_or(r->input, a->input);
    if (a->input < a->cache_read + a->cache_write)
        a->input = a->cache_read + a->cache_write;
}

static void
limit(struct answer *a, const struct question *q, const struct recipe *r)
{
    static const struct {
        const char *word;
        enum answer_stop stop;
    } stops[] = {
        { "length", ANSWER_LENGTH },
        { "stop-sequence", ANSWER_STOP_SEQUENCE },
        { "refusal", ANSWER_REFUSAL },
    };

    for (size_t i = 0; i < RX_COUNT(stops); i++) {
        if (strcmp(r->stop, stops[i].word) == 0)
            a->stop = stops[i].stop;
    }
    if (a->call_count == 0 && q->max_tokens > 0 &&
        q->max_tokens < tokens(a->text.len)) {
        a->text = span_clip(a->text, q->max_tokens * 4);
        a->stop = ANSWER_LENGTH;
    }
}

void
answer_make(struct answer *a, const struct question *q, const struct recipe *r,
    struct rx_arena *arena)
{
    memset(a, 0, sizeof(*a));
    snprintf(a->id, sizeof(a->id), "%016llx%08llx",
        (unsigned long long)q->digest,
        (unsigned long long)(q->digest * 0x9e3779b97f4a7c15U >> 32));
    a->model = q->model.len > 0 ? q->model : RX_S("demo");
    a->stop = ANSWER_END;
    think(a, q, r, arena);
    call_tools(a, q, r, arena);
    if (a->call_count == 0)
        a->text = choose_text(q, r, arena);
    limit(a, q, r);
    a->pieces = recipe_on(r->events) ? r->events : (a->text.len + 15) / 16;
    if (a->pieces == 0)
        a->pieces = 1;
    count(a, q, r);
}

bool
answer_next_piece(struct answer_pieces *p, rx_str *piece)
{
    size_t size;

    if (p->rest.len == 0 || p->left == 0)
        return false;
    size = p->rest.len / p->left;
    if (size < 1)
        size = 1;
    *piece = p->left == 1 ? p->rest : span_clip(p->rest, size);
    /* A character longer than the piece goes whole. */
    for (size_t more = size; piece->len == 0; more++)
        *piece = span_clip(p->rest, more);
    p->rest.ptr += piece->len;
    p->rest.len -= piece->len;
    p->left--;
    return true;
}
