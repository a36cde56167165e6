#include "dataplane/transform/body.h"

#include <string.h>

bool
body_says(struct rx_edit *object, const char *name, const char *word)
{
    return rx_edit_is(rx_edit_get(object, name), word);
}

struct rx_edit *
body_either(struct rx_edit *object, const char *camel, const char *snake)
{
    struct rx_edit *e = rx_edit_get(object, camel);

    return e != NULL ? e : rx_edit_get(object, snake);
}

struct rx_edit *
body_config(struct rx_edit *root, bool make)
{
    struct rx_edit *config =
        body_either(root, "generationConfig", "generation_config");

    if (config == NULL && make)
        config = rx_edit_set(root, "generationConfig", RX_S("{}"));
    return config;
}

/* ---- parameters --------------------------------------------------------- */

static struct rx_edit *
place(struct step_request *r, bool make)
{
    return r->dialect == DIALECT_GEMINI ? body_config(r->root, make) : r->root;
}

/* "maxOutputTokens" as "max_output_tokens", in `out`. */
static const char *
snake(const char *camel, char out[48])
{
    size_t n = 0;

    for (; *camel != '\0' && n < 45; camel++) {
        if (*camel >= 'A' && *camel <= 'Z') {
            out[n++] = '_';
            out[n++] = (char)(*camel | 0x20);
        } else {
            out[n++] = *camel;
        }
    }
    out[n] = '\0';
    return out;
}

struct rx_edit *
body_param(struct step_request *r, const struct body_names *names)
{
    const char *name = names->by[r->dialect];
    char other[48];

    if (name == NULL)
        return NULL;
    return body_either(place(r, false), name, snake(name, other));
}

void
body_set_param(
    struct step_request *r, const struct body_names *names, rx_str json)
{
    struct rx_edit *e = body_param(r, names);

    if (e != NULL)
        rx_edit_put(e, json);
    else if (names->by[r->dialect] != NULL)
        rx_edit_set(place(r, true), names->by[r->dialect], json);
}

void
body_drop_param(struct step_request *r, const struct body_names *names)
{
    const char *name = names->by[r->dialect];
    char other[48];

    if (name == NULL)
        return;
    rx_edit_drop(place(r, false), name);
    rx_edit_drop(place(r, false), snake(name, other));
}

static const struct body_names limit = { {
    [DIALECT_ANTHROPIC] = "max_tokens",
    [DIALECT_CHAT] = "max_tokens",
    [DIALECT_RESPONSES] = "max_output_tokens",
    [DIALECT_GEMINI] = "maxOutputTokens",
} };

struct rx_edit *
body_limit(struct step_request *r)
{
    struct rx_edit *e = NULL;

    if (r->dialect == DIALECT_CHAT)
        e = rx_edit_get(r->root, "max_completion_tokens");
    if (!rx_edit_there(e))
        e = body_param(r, &limit);
    return rx_edit_there(e) ? e : NULL;
}

void
body_set_limit(struct step_request *r, uint64_t n)
{
    struct rx_edit *e = body_limit(r);
    rx_str text = rx_edit_format(r->root, "%llu", (unsigned long long)n);

    if (e != NULL)
        rx_edit_put(e, text);
    else
        body_set_param(r, &limit, text);
}

void
body_drop_all(struct rx_edit *object, const char *const *names)
{
    for (; *names != NULL; names++)
        rx_edit_drop(object, *names);
}

/* ---- chat --------------------------------------------------------------- */

bool
body_forces_tool(struct rx_edit *root)
{
    struct rx_edit *choice = rx_edit_get(root, "tool_choice");

    return rx_edit_kind(choice) == RX_SPAN_OBJECT ||
           rx_edit_is(choice, "required") || rx_edit_is(choice, "any");
}

void
body_each_message(struct rx_edit *root, const char *role,
    void (*fn)(struct rx_edit *message, void *arg), void *arg)
{
    struct rx_edit *next;

    for (struct rx_edit *m = rx_edit_first(rx_edit_get(root, "messages"));
         m != NULL; m = next) {
        next = rx_edit_next(m);
        if (role == NULL || body_says(m, "role", role))
            fn(m, arg);
    }
}

void
body_each_function(struct rx_edit *root, void (*fn)(struct rx_edit *function))
{
    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *f = rx_edit_get(t, "function");
        if (f != NULL)
            fn(f);
    }
}

struct rx_edit *
body_choice(struct rx_edit *choice)
{
    struct rx_edit *m = rx_edit_get(choice, "delta");

    return m != NULL ? m : rx_edit_get(choice, "message");
}

void
body_each_choice(struct rx_edit *root,
    void (*fn)(struct rx_edit *message, void *arg), void *arg)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct rx_edit *m = body_choice(c);
        if (m != NULL)
            fn(m, arg);
    }
}

void
body_name_reasoning(struct rx_edit *message, void *arg)
{
    static const char *const names[] = { "reasoning", "thinking" };

    (void)arg;
    for (size_t i = 0; i < RX_COUNT(names); i++) {
        struct rx_edit *e = rx_edit_get(message, names[i]);
        struct rx_edit *text = rx_edit_get(e, "content");
        if (text != NULL) /* {"content", "signature"} */
            rx_edit_put(e, rx_edit_text(text));
        if (rx_edit_kind(e) == RX_SPAN_STRING)
            rx_edit_rename(message, names[i], "reasoning_content");
    }
}

/* ---- cache marks -------------------------------------------------------- */

struct marks {
    void (*fn)(struct rx_edit *block, void *arg);
    void *arg;
};

static void
each_block(struct rx_edit *list, const struct marks *m, int depth)
{
    if (rx_edit_kind(list) != RX_SPAN_ARRAY || depth > 2)
        return;
    for (struct rx_edit *b = rx_edit_first(list); b != NULL;
         b = rx_edit_next(b)) {
        if (rx_edit_get(b, "cache_control") != NULL)
            m->fn(b, m->arg);
        each_block(rx_edit_get(b, "content"), m, depth + 1);
    }
}

void
body_each_mark(struct rx_edit *root, enum dialect dialect,
    void (*fn)(struct rx_edit *block, void *arg), void *arg)
{
    struct marks m = { fn, arg };

    /* In the order of the prefix: tools, system, messages. */
    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *f = rx_edit_get(t, "function");
        if (rx_edit_get(t, "cache_control") != NULL)
            fn(t, arg);
        if (rx_edit_get(f, "cache_control") != NULL)
            fn(f, arg);
    }
    if (dialect == DIALECT_ANTHROPIC)
        each_block(rx_edit_get(root, "system"), &m, 0);
    each_block(rx_edit_get(root, "messages"), &m, 0);
    if (rx_edit_get(root, "cache_control") != NULL)
        fn(root, arg);
}

static void
drop_mark(struct rx_edit *block, void *arg)
{
    (void)arg;
    rx_edit_drop(block, "cache_control");
}

void
body_clean_cache(struct rx_edit *root, enum dialect dialect)
{
    body_each_mark(root, dialect, drop_mark, NULL);
}

void
body_add_segment(struct rx_buf *b, rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-._~@", c) != NULL);
        if (plain)
            rx_buf_addc(b, (char)c);
        else
            rx_buf_addf(b, "%%%02X", c);
    }
}
