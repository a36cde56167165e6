#include "tests/demo/recipe.h"

#include <stddef.h>
#include <string.h>

#include "tests/demo/span.h"

enum kind { NUMBER, TEXT, HEADER };

static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
    uint64_t bare; /* a number's value when the word has none */
    const char *bare_text;
} words[] = {
#define N(name, member, bare)                                     \
    {                                                             \
        name, NUMBER, offsetof(struct recipe, member), bare, NULL \
    }
#define T(name, member, bare)                                \
    {                                                        \
        name, TEXT, offsetof(struct recipe, member), 0, bare \
    }
    N("status", status, 500),
    N("retry-after", retry_after_s, 1),
    T("error", error, NULL),
    T("message", message, NULL),
    T("body", body, NULL),
    { "header", HEADER, offsetof(struct recipe, headers), 0, NULL },
    N("gzip", gzip, 1),
    N("bytes", bytes, 4096),
    N("events", events, 64),
    T("text", text, NULL),
    T("stop", stop, NULL),
    N("think", think, 1),
    N("tool", tool, 1),
    N("parallel", parallel, 1),
    N("input", input, 0),
    N("output", output, 0),
    N("reasoning", reasoning, 0),
    N("cache-read", cache_read, 0),
    N("cache-write", cache_write, 0),
    N("delay-ms", delay_ms, 100),
    N("first-delay-ms", first_delay_ms, 100),
    N("event-delay-ms", event_delay_ms, 20),
    N("split", split, 1),
    N("cut-after-events", cut_after_events, 1),
    N("cut-after-bytes", cut_after_bytes, 1),
    T("cut", cut, "fin"),
    T("stall", stall, "1"),
    N("no-terminal", no_terminal, 1),
    N("malformed-event", malformed_event, 2),
    T("error-event", error_event, "overloaded_error"),
    N("flaky", flaky, 1),
    T("id", id, NULL),
#undef N
#undef T
};

/* Model names with a meaning, behind "demo-". */
static const struct {
    const char *name;
    const char *recipe;
} presets[] = {
    { "400", "status=400" },
    { "401", "status=401" },
    { "403", "status=403" },
    { "404", "status=404" },
    { "429", "status=429 retry-after=3" },
    { "500", "status=500" },
    { "503", "status=503" },
    { "529", "status=529" },
    { "slow", "events=64 event-delay-ms=20" },
    { "long", "bytes=65536" },
    { "stall", "stall=1" },
    { "cut", "events=8 cut-after-events=4" },
    { "overloaded", "error-event=overloaded_error" },
    { "think", "think" },
    { "tool", "tool" },
};

void
recipe_init(struct recipe *r)
{
    memset(r, 0, sizeof(*r));
    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (words[i].kind == NUMBER)
            memcpy((char *)r + words[i].offset, &(uint64_t){ RECIPE_NEVER },
                sizeof(uint64_t));
    }
}

static bool
set_text(char to[RECIPE_WORD], rx_str value)
{
    if (value.len >= RECIPE_WORD)
        return false;
    memcpy(to, value.ptr, value.len);
    to[value.len] = '\0';
    return true;
}

static bool
set_header(struct recipe *r, rx_str value)
{
    if (value.len == 0 || memchr(value.ptr, ':', value.len) == NULL)
        return false;
    for (size_t i = 0; i < RX_COUNT(r->headers); i++) {
        if (r->headers[i][0] == '\0')
            return set_text(r->headers[i], value);
    }
    return false;
}

/* Give one word its value; without one, the value it stands for alone. */
static bool
set_word(struct recipe *r, size_t word, bool bare, rx_str value)
{
    char *at = (char *)r + words[word].offset;
    const char *bare_text = words[word].bare_text;
    uint64_t number = words[word].bare;

    switch (words[word].kind) {
    case NUMBER:
        if (!bare && !rx_str_u64(value, &number))
            return false;
        memcpy(at, &number, sizeof(number));
        return true;
    case TEXT:
        if (!bare)
            return set_text(at, value);
        return bare_text != NULL &&
               set_text(at, (rx_str){ bare_text, strlen(bare_text) });
    case HEADER: return !bare && value.len > 0 && set_header(r, value);
    }
    return false;
}

static enum rx_code
apply(
    struct recipe *r, rx_str name, bool bare, rx_str value, struct rx_err *err)
{
    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (!rx_str_eq(name, (rx_str){ words[i].name, strlen(words[i].name) }))
            continue;
        if (set_word(r, i, bare, value))
            return RX_OK;
        return rx_fail(err, RX_INVALID, "demo: %s: not a value: '%.*s'",
            words[i].name, (int)(value.len < 60 ? value.len : 60),
            value.len == 0 ? "" : value.ptr);
    }
    return rx_fail(err, RX_INVALID, "demo: no such word: '%.*s'",
        (int)(name.len < 60 ? name.len : 60), name.ptr);
}

/* Take one word off the front of `text`. */
static bool
take_word(rx_str *text, char separator, rx_str *name, bool *bare, rx_str *value)
{
    const char *p = text->ptr;
    const char *end = text->ptr + text->len;
    char close = separator;

    while (p < end && *p == separator)
        p++;
    name->ptr = p;
    while (p < end && *p != separator && *p != '=')
        p++;
    name->len = (size_t)(p - name->ptr);
    *bare = p == end || *p != '=';
    if (!*bare && ++p < end && *p == '"') {
        close = '"';
        p++;
    }
    value->ptr = p;
    while (!*bare && p < end && *p != close)
        p++;
    value->len = (size_t)(p - value->ptr);
    if (!*bare && close == '"' && p < end)
        p++;
    *text = (rx_str){ p, (size_t)(end - p) };
    return name->len > 0;
}

enum rx_code
recipe_parse(struct recipe *r, rx_str text, char separator, struct rx_err *err)
{
    rx_str name;
    rx_str value;
    bool bare;

    if (text.len == 0)
        return RX_OK;
    while (take_word(&text, separator, &name, &bare, &value)) {
        enum rx_code code = apply(r, name, bare, value, err);

        if (code != RX_OK)
            return code;
    }
    return RX_OK;
}

bool
recipe_from_model(struct recipe *r, rx_str model)
{
    static const rx_str prefix = RX_STR_INIT("demo-");
    struct recipe changed = *r;
    rx_str rest;

    if (!rx_str_starts(model, prefix))
        return false;
    rest = (rx_str){ model.ptr + prefix.len, model.len - prefix.len };
    for (size_t i = 0; i < RX_COUNT(presets); i++) {
        rx_str text = { presets[i].recipe, strlen(presets[i].recipe) };

        if (rx_str_eq(
                rest, (rx_str){ presets[i].name, strlen(presets[i].name) }))
            return recipe_parse(r, text, ' ', NULL) == RX_OK;
    }
    if (recipe_parse(&changed, rest, '+', NULL) != RX_OK)
        return false; /* a model that only happens to be called demo-... */
    *r = changed;
    return true;
}

enum rx_code
recipe_from_text(struct recipe *r, rx_str text, struct rx_err *err)
{
    static const rx_str open = RX_STR_INIT("[[demo");
    const char *from =
        text.len == 0 ? NULL : memmem(text.ptr, text.len, open.ptr, open.len);
    const char *to;
    struct rx_buf plain;
    enum rx_code code;

    if (from == NULL)
        return RX_OK;
    from += open.len;
    to = memmem(from, (size_t)(text.ptr + text.len - from), "]]", 2);
    if (to == NULL)
        return RX_OK;
    rx_buf_init(&plain, 4096);
    span_unescape((rx_str){ from, (size_t)(to - from) }, &plain);
    code = recipe_parse(r, rx_buf_str(&plain), ' ', err);
    rx_buf_fini(&plain);
    return code;
}
