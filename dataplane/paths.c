#include "dataplane/paths.h"

#include <string.h>

/* Bit set of methods a row answers to. */
enum { GET = 1, POST = 2, DELETE = 4, HEAD = 8, ANY = 16 };

static const struct {
    unsigned method;
    rx_str pattern; /* a final '*' takes the rest, at least one character */
    enum path_kind kind;
    enum dialect dialect;
    enum operation op;
    rx_str upstream; /* empty: the path as it came */
} rows[] = {
#define ROW(m, p, k, d, o, u)                                            \
    {                                                                    \
        m, RX_STR_INIT(p), PATH_##k, DIALECT_##d, OP_##o, RX_STR_INIT(u) \
    }
    ROW(POST, "/v1/messages", PROXY, ANTHROPIC, CREATE, ""),
    ROW(POST, "/v1/messages/count_tokens", PROXY, ANTHROPIC, COUNT, ""),
    ROW(POST, "/anthropic/v1/messages", PROXY, ANTHROPIC, CREATE,
        "/v1/messages"),
    ROW(POST, "/anthropic/v1/messages/count_tokens", PROXY, ANTHROPIC, COUNT,
        "/v1/messages/count_tokens"),
    ROW(POST, "/v1/chat/completions", PROXY, CHAT, CREATE, ""),
    ROW(POST, "/chat/completions", PROXY, CHAT, CREATE, "/v1/chat/completions"),
    ROW(POST, "/v1/embeddings", PROXY, CHAT, EMBED, ""),
    ROW(POST, "/v1/completions", PROXY, CHAT, COMPLETE, ""),
    ROW(POST, "/v1/responses", PROXY, RESPONSES, CREATE, ""),
    ROW(POST, "/responses", PROXY, RESPONSES, CREATE, "/v1/responses"),
    ROW(POST, "/v1/responses/input_tokens", PROXY, RESPONSES, COUNT, ""),
    ROW(POST, "/v1/responses/compact", PROXY, RESPONSES, OBJECT, ""),
    ROW(GET | DELETE, "/v1/responses/*", PROXY, RESPONSES, OBJECT, ""),
    ROW(POST, "/v1/images/*", PROXY, CHAT, MEDIA, ""),
    ROW(POST, "/v1/audio/*", PROXY, CHAT, MEDIA, ""),
    ROW(POST, "/v1/moderations", PROXY, CHAT, MEDIA, ""),
    ROW(POST, "/v1/rerank", PROXY, CHAT, MEDIA, ""),
    ROW(GET, "/v1/models", MODELS, CHAT, MODELS, ""),
    ROW(GET, "/v1beta/models", MODELS, GEMINI, MODELS, ""),
    ROW(GET, "/v1/models/*", MODEL, CHAT, MODELS, ""),
    ROW(GET, "/v1beta/models/*", MODEL, GEMINI, MODELS, ""),
    ROW(HEAD, "/", HELLO, ANTHROPIC, MODELS, ""),
    ROW(HEAD | GET, "/api/hello", HELLO, ANTHROPIC, MODELS, ""),
    ROW(GET | HEAD, "/health", HEALTH, CHAT, MODELS, ""),
    ROW(ANY, "/dashboard", CONTROL, CHAT, MODELS, ""),
    ROW(ANY, "/dashboard/", CONTROL, CHAT, MODELS, ""),
    ROW(ANY, "/dashboard/*", CONTROL, CHAT, MODELS, ""),
    ROW(ANY, "/api/*", CONTROL, CHAT, MODELS, ""),
#undef ROW
};

/* Gemini: POST <prefix><model>:<verb>. */
static const struct {
    rx_str prefix;
    rx_str upstream;
} gemini_prefixes[] = {
    { RX_STR_INIT("/v1beta/models/"), RX_STR_INIT("/v1beta/models/") },
    { RX_STR_INIT("/v1/models/"), RX_STR_INIT("/v1beta/models/") },
    { RX_STR_INIT("/v1beta/tunedModels/"),
        RX_STR_INIT("/v1beta/tunedModels/") },
};

static const struct {
    rx_str verb;
    enum operation op;
    bool stream;
} gemini_verbs[] = {
    { RX_STR_INIT(":generateContent"), OP_CREATE, false },
    { RX_STR_INIT(":streamGenerateContent"), OP_CREATE, true },
    { RX_STR_INIT(":countTokens"), OP_COUNT, false },
    { RX_STR_INIT(":embedContent"), OP_EMBED, false },
    { RX_STR_INIT(":batchEmbedContents"), OP_EMBED, false },
};

static const struct {
    rx_str name;
    unsigned bit;
} methods[] = {
    { RX_STR_INIT("GET"), GET },
    { RX_STR_INIT("POST"), POST },
    { RX_STR_INIT("DELETE"), DELETE },
    { RX_STR_INIT("HEAD"), HEAD },
};

static unsigned
method_bit(rx_str method)
{
    for (size_t i = 0; i < RX_COUNT(methods); i++) {
        if (rx_str_eq(methods[i].name, method))
            return methods[i].bit | ANY;
    }
    return ANY;
}

static const char *
allowed(unsigned bits)
{
    if ((bits & (GET | DELETE)) == (GET | DELETE))
        return "GET, DELETE";
    if ((bits & POST) != 0)
        return "POST";
    return (bits & GET) != 0 ? "GET" : "HEAD";
}

/* On a match `rest` is what '*' took. */
static bool
fits(rx_str pattern, rx_str path, rx_str *rest)
{
    if (pattern.ptr[pattern.len - 1] != '*')
        return rx_str_eq(pattern, path);
    pattern.len--;
    if (path.len <= pattern.len || !rx_str_starts(path, pattern))
        return false;
    *rest = (rx_str){ path.ptr + pattern.len, path.len - pattern.len };
    return true;
}

/* On true `out` is the request, or says that the verb is none of Gemini's. */
static bool
find_gemini(rx_str path, struct path *out)
{
    const char *colon = path.len > 0 ? memrchr(path.ptr, ':', path.len) : NULL;

    if (colon == NULL)
        return false;
    rx_str verb = { colon, path.len - (size_t)(colon - path.ptr) };
    rx_str head = { path.ptr, (size_t)(colon - path.ptr) };
    for (size_t i = 0; i < RX_COUNT(gemini_prefixes); i++) {
        rx_str prefix = gemini_prefixes[i].prefix;
        if (!rx_str_starts(head, prefix) || head.len == prefix.len)
            continue;
        for (size_t v = 0; v < RX_COUNT(gemini_verbs); v++) {
            if (!rx_str_eq(verb, gemini_verbs[v].verb))
                continue;
            *out = (struct path){ .kind = PATH_PROXY,
                .dialect = DIALECT_GEMINI,
                .op = gemini_verbs[v].op,
                .stream = gemini_verbs[v].stream,
                .model = { head.ptr + prefix.len, head.len - prefix.len },
                .verb = gemini_verbs[v].verb,
                .upstream = gemini_prefixes[i].upstream };
            return true;
        }
        *out = (struct path){ .kind = PATH_UNKNOWN, .dialect = DIALECT_GEMINI };
        return true;
    }
    return false;
}

/* Whose error form an unknown path should wear. */
static enum dialect
nearest(rx_str path)
{
    if (rx_str_starts(path, RX_S("/v1beta")))
        return DIALECT_GEMINI;
    if (rx_str_starts(path, RX_S("/v1/messages")) ||
        rx_str_starts(path, RX_S("/anthropic/")))
        return DIALECT_ANTHROPIC;
    return DIALECT_CHAT;
}

struct path
path_find(rx_str method, rx_str path)
{
    struct path found = { .kind = PATH_UNKNOWN, .dialect = nearest(path) };
    unsigned bit = method_bit(method);
    rx_str rest = { 0 };

    if ((bit & POST) != 0 && find_gemini(path, &found))
        return found;
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (!fits(rows[i].pattern, path, &rest))
            continue;
        if ((rows[i].method & bit) == 0) {
            found.kind = PATH_METHOD;
            found.dialect = rows[i].dialect;
            found.allow = allowed(rows[i].method);
            continue;
        }
        return (struct path){ .kind = rows[i].kind,
            .dialect = rows[i].dialect,
            .op = rows[i].op,
            .model = rows[i].kind == PATH_MODEL ? rest : (rx_str){ 0 },
            .upstream = rows[i].upstream.len > 0 ? rows[i].upstream : path };
    }
    return found;
}
