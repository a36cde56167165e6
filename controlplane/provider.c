#include "controlplane/provider.h"

#include <string.h>

#include "shared/attr.h"

const struct provider providers[] = {
    {
        .type = "anthropic",
        .title = "Anthropic",
        .base_url = "https://api.anthropic.com",
        .endpoints = { { "anthropic", "x-api-key" } },
        .key_required = true,
        .key_env = "DEFAULT_ANTHROPIC_KEY",
        .key_url = "https://console.anthropic.com/settings/keys",
        .help = "Claude models by API key (sk-ant-api…).",
    },
    {
        .type = "openai",
        .title = "OpenAI",
        .base_url = "https://api.openai.com",
        .endpoints = { { "chat", "bearer" }, { "responses", "bearer" } },
        .key_required = true,
        .key_env = "DEFAULT_OPENAI_KEY",
        .key_url = "https://platform.openai.com/api-keys",
        .help = "Chat Completions and Responses by API key (sk-…).",
    },
    {
        .type = "gemini",
        .title = "Google Gemini",
        .base_url = "https://generativelanguage.googleapis.com",
        .endpoints = { { "gemini", "x-goog-api-key" } },
        .key_required = true,
        .key_env = "DEFAULT_GEMINI_KEY",
        .key_url = "https://aistudio.google.com/apikey",
        .help = "The Gemini API by API key.",
    },
    {
        .type = "openai-compatible",
        .title = "OpenAI-compatible",
        .base_url = "",
        .endpoints = { { "chat", "bearer" } },
        .key_url = "",
        .help = "Any server of the Chat Completions API: give its base_url. "
                "The key is optional.",
    },
    {
        .type = "demo",
        .title = "Demo provider",
        .base_url = "",
        .endpoints = { { "anthropic", "x-api-key" }, { "chat", "bearer" },
            { "responses", "bearer" }, { "gemini", "x-goog-api-key" } },
        .key_url = "",
        .help = "The built-in provider that `routex up` starts: all dialects, "
                "no account, made-up answers.",
    },
    {
        .type = "generic",
        .title = "Something else",
        .base_url = "",
        .key_url = "",
        .help = "Name each address yourself in \"endpoints\": "
                "[{\"dialect\",\"base_url\",\"auth\"}].",
    },
    { 0 },
};

static const struct {
    const char *dialect;
    const char *auth;
    struct provider_probe probe;
} dialects[] = {
    { "anthropic", "x-api-key", { "anthropic", "/v1/models?limit=1" } },
    { "chat", "bearer", { "chat", "/v1/models" } },
    { "responses", "bearer", { "responses", "/v1/models" } },
    { "gemini", "x-goog-api-key", { "gemini", "/v1beta/models?pageSize=1" } },
};

static bool
is(const char *text, rx_str s)
{
    return rx_str_eq((rx_str){ text, strlen(text) }, s);
}

const struct provider *
provider_find(rx_str type)
{
    for (const struct provider *p = providers; p->type != NULL; p++) {
        if (is(p->type, type))
            return p;
    }
    return NULL;
}

const struct provider_probe *
provider_probe_for(rx_str dialect)
{
    for (size_t i = 0; i < RX_COUNT(dialects); i++) {
        if (is(dialects[i].dialect, dialect))
            return &dialects[i].probe;
    }
    return NULL;
}

const char *
provider_auth_for(rx_str dialect)
{
    for (size_t i = 0; i < RX_COUNT(dialects); i++) {
        if (is(dialects[i].dialect, dialect))
            return dialects[i].auth;
    }
    return NULL;
}

bool
provider_auth_known(rx_str auth)
{
    static const char *const known[] = { "x-api-key", "bearer",
        "x-goog-api-key", "api-key", "query", "none" };

    for (size_t i = 0; i < RX_COUNT(known); i++) {
        if (is(known[i], auth))
            return true;
    }
    return false;
}
