#include "dataplane/models.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/route.h"

/* When a model was made is not known here; clients want a number. */
#define CREATED      "1735689600"
#define CREATED_TEXT "2025-01-01T00:00:00Z"

static void
add_openai(struct rx_buf *out, rx_str name)
{
    rx_buf_add(out, RX_S("{\"id\":\""));
    rx_buf_add_json(out, name);
    rx_buf_add(out, RX_S("\",\"object\":\"model\",\"created\":" CREATED
                         ",\"owned_by\":\"routex\"}"));
}

static void
add_anthropic(struct rx_buf *out, rx_str name)
{
    rx_buf_add(out, RX_S("{\"type\":\"model\",\"id\":\""));
    rx_buf_add_json(out, name);
    rx_buf_add(out, RX_S("\",\"display_name\":\""));
    rx_buf_add_json(out, name);
    rx_buf_add(out, RX_S("\",\"created_at\":\"" CREATED_TEXT "\"}"));
}

static void
add_gemini(struct rx_buf *out, rx_str name)
{
    rx_buf_add(out, RX_S("{\"name\":\"models/"));
    rx_buf_add_json(out, name);
    rx_buf_add(out, RX_S("\",\"displayName\":\""));
    rx_buf_add_json(out, name);
    rx_buf_add(
        out, RX_S("\",\"supportedGenerationMethods\":[\"generateContent\","
                  "\"streamGenerateContent\",\"countTokens\"]}"));
}

static void (*const add_model[])(struct rx_buf *out, rx_str name) = {
    [DIALECT_ANTHROPIC] = add_anthropic,
    [DIALECT_CHAT] = add_openai,
    [DIALECT_RESPONSES] = add_openai,
    [DIALECT_GEMINI] = add_gemini,
};

static bool
usable(const struct channel *c, const struct client_key *key)
{
    return c->enabled && route_key_allows_channel(key, c);
}

static int
by_name(const void *a, const void *b)
{
    const rx_str *x = a;
    const rx_str *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Names in order, each once.  The caller frees *names. */
static size_t
collect(const struct snapshot *s, const struct client_key *key, rx_str **names)
{
    size_t most = 0;
    size_t n = 0;

    for (size_t i = 0; i < s->channel_count; i++)
        most += s->channels[i].model_count;
    *names = calloc(most + 1, sizeof(**names));
    if (*names == NULL)
        abort();
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        for (size_t m = 0; usable(c, key) && m < c->model_count; m++) {
            rx_str name = c->models[m].name;
            if (memchr(name.ptr, '*', name.len) == NULL &&
                route_key_allows_model(key, name))
                (*names)[n++] = name;
        }
    }
    if (n == 0)
        return 0;
    qsort(*names, n, sizeof(**names), by_name);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (!rx_str_eq((*names)[i], (*names)[kept - 1]))
            (*names)[kept++] = (*names)[i];
    }
    return kept;
}

static void
open_list(struct rx_buf *out, enum dialect dialect)
{
    if (dialect == DIALECT_GEMINI)
        rx_buf_add(out, RX_S("{\"models\":["));
    else if (dialect == DIALECT_ANTHROPIC)
        rx_buf_add(out, RX_S("{\"data\":["));
    else
        rx_buf_add(out, RX_S("{\"object\":\"list\",\"data\":["));
}

static void
close_list(
    struct rx_buf *out, enum dialect dialect, const rx_str *names, size_t n)
{
    if (dialect != DIALECT_ANTHROPIC) {
        rx_buf_add(out, RX_S("]}"));
        return;
    }
    rx_buf_add(out, RX_S("],\"has_more\":false,\"first_id\":"));
    if (n == 0) {
        rx_buf_add(out, RX_S("null,\"last_id\":null}"));
        return;
    }
    rx_buf_addc(out, '"');
    rx_buf_add_json(out, names[0]);
    rx_buf_add(out, RX_S("\",\"last_id\":\""));
    rx_buf_add_json(out, names[n - 1]);
    rx_buf_add(out, RX_S("\"}"));
}

void
models_list(const struct snapshot *s, const struct client_key *key,
    enum dialect dialect, struct rx_buf *out)
{
    rx_str *names;
    size_t n = collect(s, key, &names);

    open_list(out, dialect);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            rx_buf_addc(out, ',');
        add_model[dialect](out, names[i]);
    }
    close_list(out, dialect, names, n);
    free(names);
}

bool
models_one(const struct snapshot *s, const struct client_key *key,
    enum dialect dialect, rx_str name, struct rx_buf *out)
{
    if (!route_key_allows_model(key, name))
        return false;
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        for (size_t m = 0; usable(c, key) && m < c->model_count; m++) {
            if (snapshot_pattern_fits(c->models[m].name, name)) {
                add_model[dialect](out, name);
                return true;
            }
        }
    }
    return false;
}
