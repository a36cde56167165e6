#include "tests/demo/route.h"

#include <string.h>

/* `path` ends with '*' where a non-empty rest may follow. */
static const struct {
    const char *method;
    const char *path;
    enum demo_dialect dialect;
    small_fn *small;
} routes[] = {
    { "POST", "/v1/messages", DEMO_ANTHROPIC, NULL },
    { "POST", "/v1/messages/count_tokens", DEMO_ANTHROPIC,
        small_count_anthropic },
    { "POST", "/v1/chat/completions", DEMO_CHAT, NULL },
    { "POST", "/v1/responses", DEMO_RESPONSES, NULL },
    { "POST", "/v1/responses/input_tokens", DEMO_RESPONSES,
        small_count_responses },
    { "POST", "/v1/responses/compact", DEMO_RESPONSES, small_compact },
    { "GET", "/v1/responses/*", DEMO_RESPONSES, small_response_get },
    { "DELETE", "/v1/responses/*", DEMO_RESPONSES, small_response_delete },
    { "POST", "/v1/completions", DEMO_CHAT, small_completion },
    { "POST", "/v1/embeddings", DEMO_CHAT, small_embeddings },
    { "POST", "/v1/moderations", DEMO_CHAT, small_moderations },
    { "POST", "/v1/rerank", DEMO_CHAT, small_rerank },
    { "POST", "/v1/images/*", DEMO_CHAT, small_images },
    { "POST", "/v1/audio/speech", DEMO_CHAT, small_speech },
    { "POST", "/v1/audio/*", DEMO_CHAT, small_transcription },
    { "GET", "/", DEMO_CHAT, small_hello },
    { "HEAD", "/", DEMO_CHAT, small_hello },
    { "HEAD", "/api/hello", DEMO_CHAT, small_hello },
    { "GET", "/health", DEMO_CHAT, small_hello },
};

/* Behind the last colon of /v1beta/models/{model}:{method}. */
static const struct {
    const char *name;
    small_fn *small;
    bool stream;
} methods[] = {
    { "generateContent", NULL, false },
    { "streamGenerateContent", NULL, true },
    { "countTokens", small_count_gemini, false },
    { "embedContent", small_embed_gemini, false },
    { "batchEmbedContents", small_embed_gemini_batch, false },
};

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static bool
matches(rx_str path, const char *pattern, rx_str *rest)
{
    rx_str p = text_of(pattern);

    if (p.ptr[p.len - 1] != '*')
        return rx_str_eq(path, p);
    p.len--;
    if (!rx_str_starts(path, p) || path.len == p.len)
        return false;
    *rest = (rx_str){ path.ptr + p.len, path.len - p.len };
    return true;
}

/* What stands behind /v1/models/ or /v1beta/models/. */
static bool
model_path(rx_str path, rx_str *rest)
{
    return matches(path, "/v1beta/models/*", rest) ||
           matches(path, "/v1/models/*", rest);
}

static bool
gemini_method(struct route *r, rx_str rest)
{
    const char *colon = memrchr(rest.ptr, ':', rest.len);
    rx_str name;

    if (colon == NULL)
        return false;
    r->dialect = DEMO_GEMINI;
    r->model = (rx_str){ rest.ptr, (size_t)(colon - rest.ptr) };
    name = (rx_str){ colon + 1, rest.len - r->model.len - 1 };
    for (size_t i = 0; i < RX_COUNT(methods); i++) {
        if (rx_str_eq(name, text_of(methods[i].name))) {
            r->small = methods[i].small;
            r->stream = methods[i].stream;
            return true;
        }
    }
    return false;
}

/* The dialect of a request that its path does not tell. */
static enum demo_dialect
dialect_by_headers(const struct rx_httpd_head *head, rx_str path)
{
    if (rx_str_starts(path, RX_S("/v1beta")) ||
        rx_httpd_header(head, RX_S("x-goog-api-key")).len > 0)
        return DEMO_GEMINI;
    if (rx_httpd_header(head, RX_S("anthropic-version")).len > 0)
        return DEMO_ANTHROPIC;
    return DEMO_CHAT;
}

static bool
model_list(struct route *r, rx_str path)
{
    static small_fn *const lists[] = {
        [DEMO_ANTHROPIC] = small_models_anthropic,
        [DEMO_CHAT] = small_models_openai,
        [DEMO_RESPONSES] = small_models_openai,
        [DEMO_GEMINI] = small_models_gemini,
    };
    static small_fn *const singles[] = {
        [DEMO_ANTHROPIC] = small_model_anthropic,
        [DEMO_CHAT] = small_model_openai,
        [DEMO_RESPONSES] = small_model_openai,
        [DEMO_GEMINI] = small_model_gemini,
    };

    if (rx_str_eq(path, RX_S("/v1/models")) ||
        rx_str_eq(path, RX_S("/v1beta/models")))
        r->small = lists[r->dialect];
    else if (model_path(path, &r->rest))
        r->small = singles[r->dialect];
    return r->small != NULL;
}

static bool
is_upgrade(const struct rx_httpd_head *head)
{
    return rx_str_ieq(
        rx_httpd_header(head, RX_S("upgrade")), RX_S("websocket"));
}

bool
route_find(struct route *r, const struct rx_httpd_head *head, rx_str path)
{
    rx_str rest;

    memset(r, 0, sizeof(*r));
    r->dialect = dialect_by_headers(head, path);
    r->upgrade = is_upgrade(head);
    if (rx_str_eq(head->method, RX_S("POST")) && model_path(path, &rest))
        return gemini_method(r, rest);
    if (rx_str_eq(head->method, RX_S("GET")) && model_list(r, path))
        return true;
    for (size_t i = 0; i < RX_COUNT(routes); i++) {
        if (rx_str_eq(head->method, text_of(routes[i].method)) &&
            matches(path, routes[i].path, &r->rest)) {
            r->dialect = routes[i].dialect;
            r->small = routes[i].small;
            return true;
        }
    }
    return false;
}
