/*
 * The providers, as data: one entry each.
 */
#include "controlplane/provider.h"

static const struct provider_model anthropic_models[] = {
    { "claude-opus-4-5", 200000, 64000 },
    { "claude-sonnet-4-5", 200000, 64000 },
    { "claude-haiku-4-5", 200000, 64000 },
    { "claude-opus-4-1", 200000, 32000 },
    { 0 },
};

static const struct provider_usage anthropic_usage = {
    .path = "/api/oauth/usage",
    .key_prefix = "sk-ant-oat",
    .header = "anthropic-beta: oauth-2025-04-20",
};

static const struct provider_model openai_models[] = {
    { "gpt-5", 400000, 128000 },
    { "gpt-5-mini", 400000, 128000 },
    { "gpt-5-nano", 400000, 128000 },
    { "gpt-4.1", 1047576, 32768 },
    { "gpt-4.1-mini", 1047576, 32768 },
    { "gpt-4o", 128000, 16384 },
    { "gpt-4o-mini", 128000, 16384 },
    { "o3", 200000, 100000 },
    { "o4-mini", 200000, 100000 },
    { 0 },
};

static const struct provider_model gemini_models[] = {
    { "gemini-2.5-pro", 1048576, 65536 },
    { "gemini-2.5-flash", 1048576, 65536 },
    { "gemini-2.5-flash-lite", 1048576, 65536 },
    { 0 },
};

static const struct provider_model deepseek_models[] = {
    { "deepseek-chat", 128000, 8192 },
    { "deepseek-reasoner", 128000, 65536 },
    { 0 },
};

static const struct provider_model groq_models[] = {
    { "llama-3.3-70b-versatile", 131072, 32768 },
    { "openai/gpt-oss-120b", 131072, 65536 },
    { "openai/gpt-oss-20b", 131072, 65536 },
    { 0 },
};

static const struct provider_model mistral_models[] = {
    { "mistral-large-latest", 0, 0 },
    { "mistral-medium-latest", 0, 0 },
    { "mistral-small-latest", 0, 0 },
    { "codestral-latest", 0, 0 },
    { 0 },
};

static const struct provider_model xai_models[] = {
    { "grok-4", 256000, 0 },
    { "grok-code-fast-1", 256000, 0 },
    { "grok-3-mini", 131072, 0 },
    { 0 },
};

static const struct provider_model qwen_models[] = {
    { "qwen3-max", 262144, 0 },
    { "qwen3-coder-plus", 0, 0 },
    { "qwen-plus", 0, 0 },
    { 0 },
};

static const struct provider_model kimi_models[] = {
    { "kimi-k2-0905-preview", 262144, 0 },
    { "kimi-k2-thinking", 262144, 0 },
    { 0 },
};

static const struct provider_model zhipu_models[] = {
    { "glm-4.6", 200000, 128000 },
    { "glm-4.5", 128000, 96000 },
    { "glm-4.5-air", 128000, 96000 },
    { 0 },
};

static const struct provider_model minimax_models[] = {
    { "MiniMax-M2", 204800, 0 },
    { 0 },
};

static const struct provider_model cerebras_models[] = {
    { "gpt-oss-120b", 131072, 0 },
    { "llama-3.3-70b", 0, 0 },
    { 0 },
};

static const struct provider_model vertex_models[] = {
    { "gemini-2.5-pro", 1048576, 65536 },
    { "gemini-2.5-flash", 1048576, 65536 },
    { "claude-opus-4-5@20251101", 200000, 64000 },
    { "claude-sonnet-4-5@20250929", 200000, 64000 },
    { "claude-haiku-4-5@20251001", 200000, 64000 },
    { 0 },
};

static const struct provider_model bedrock_models[] = {
    { "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 200000, 64000 },
    { "us.anthropic.claude-haiku-4-5-20251001-v1:0", 200000, 64000 },
    { "us.anthropic.claude-opus-4-1-20250805-v1:0", 200000, 32000 },
    { 0 },
};

const struct provider providers[] = {
    {
        .type = "anthropic",
        .title = "Anthropic",
        .base_url = "https://api.anthropic.com",
        .endpoints = { { "anthropic", "x-api-key", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_ANTHROPIC_KEY",
        .key_url = "https://console.anthropic.com/settings/keys",
        .oauth = "anthropic",
        .models = anthropic_models,
        .usage = &anthropic_usage,
        .help = "Claude models by API key (sk-ant-api…), or by an account: "
                "routex login anthropic.",
    },
    {
        .type = "openai",
        .title = "OpenAI",
        .base_url = "https://api.openai.com",
        .endpoints = { { "chat", "bearer", NULL },
            { "responses", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_OPENAI_KEY",
        .key_url = "https://platform.openai.com/api-keys",
        .oauth = "openai",
        .models = openai_models,
        .help = "Chat Completions and Responses by API key (sk-…).",
    },
    {
        .type = "codex",
        .title = "ChatGPT (Codex)",
        .base_url = "https://chatgpt.com/backend-api/codex",
        .endpoints = { { "responses", "bearer", NULL } },
        .key_required = true,
        .key_url = "https://chatgpt.com/codex",
        .oauth = "openai",
        .transformers = "{\"use\":[\"codex\"]}",
        .help = "Responses by a ChatGPT account: routex login openai. For "
                "Codex and other clients that stream.",
    },
    {
        .type = "gemini",
        .title = "Google Gemini",
        .base_url = "https://generativelanguage.googleapis.com",
        .endpoints = { { "gemini", "x-goog-api-key", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_GEMINI_KEY",
        .key_url = "https://aistudio.google.com/apikey",
        .models = gemini_models,
        .help = "The Gemini API by API key.",
    },
    {
        .type = "deepseek",
        .title = "DeepSeek",
        .base_url = "https://api.deepseek.com",
        .endpoints = { { "chat", "bearer", NULL },
            { "anthropic", "x-api-key", "/anthropic" } },
        .key_required = true,
        .key_env = "DEFAULT_DEEPSEEK_KEY",
        .key_url = "https://platform.deepseek.com/api_keys",
        .transformers = "{\"use\":[\"deepseek\"]}",
        .models = deepseek_models,
        .help = "Chat Completions, and the Anthropic dialect for Claude Code "
                "without translation.",
    },
    {
        .type = "openrouter",
        .title = "OpenRouter",
        .base_url = "https://openrouter.ai/api",
        .endpoints = { { "chat", "bearer", NULL },
            { "responses", "bearer", NULL }, { "anthropic", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_OPENROUTER_KEY",
        .key_url = "https://openrouter.ai/settings/keys",
        .transformers = "{\"use\":[\"openrouter\"]}",
        .help = "Models of many providers under one key; names are like "
                "anthropic/claude-sonnet-4.5.",
    },
    {
        .type = "groq",
        .title = "Groq",
        .base_url = "https://api.groq.com/openai",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_GROQ_KEY",
        .key_url = "https://console.groq.com/keys",
        .transformers = "{\"use\":[\"groq\"]}",
        .models = groq_models,
        .help = "Open models, fast.",
    },
    {
        .type = "mistral",
        .title = "Mistral",
        .base_url = "https://api.mistral.ai",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_MISTRAL_KEY",
        .key_url = "https://console.mistral.ai/api-keys",
        .transformers = "{\"use\":[\"mistral\"]}",
        .models = mistral_models,
        .help = "Mistral's own models.",
    },
    {
        .type = "xai",
        .title = "xAI",
        .base_url = "https://api.x.ai",
        .endpoints = { { "chat", "bearer", NULL },
            { "responses", "bearer", NULL }, { "anthropic", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_XAI_KEY",
        .key_url = "https://console.x.ai",
        .transformers = "{\"use\":[\"xai\"]}",
        .models = xai_models,
        .help = "Grok models; also in the Anthropic dialect.",
    },
    {
        .type = "qwen",
        .title = "Alibaba Qwen (DashScope)",
        .base_url = "https://dashscope-intl.aliyuncs.com",
        .endpoints = { { "chat", "bearer", "/compatible-mode/v1" },
            { "anthropic", "x-api-key", "/apps/anthropic" } },
        .key_required = true,
        .key_env = "DEFAULT_QWEN_KEY",
        .key_url = "https://bailian.console.alibabacloud.com",
        .transformers = "{\"use\":[\"qwen\"]}",
        .models = qwen_models,
        .help = "Qwen models, international; in China set base_url to "
                "https://dashscope.aliyuncs.com.",
    },
    {
        .type = "kimi",
        .title = "Moonshot Kimi",
        .base_url = "https://api.moonshot.ai",
        .endpoints = { { "chat", "bearer", NULL },
            { "anthropic", "x-api-key", "/anthropic" } },
        .key_required = true,
        .key_env = "DEFAULT_KIMI_KEY",
        .key_url = "https://platform.moonshot.ai/console/api-keys",
        .transformers = "{\"use\":[\"kimi\"]}",
        .models = kimi_models,
        .help = "Kimi models, international; in China set base_url to "
                "https://api.moonshot.cn.",
    },
    {
        .type = "zhipu",
        .title = "Zhipu GLM (Z.ai)",
        .base_url = "https://api.z.ai/api",
        .endpoints = { { "chat", "bearer", "/paas/v4" },
            { "anthropic", "x-api-key", "/anthropic" } },
        .key_required = true,
        .key_env = "DEFAULT_ZHIPU_KEY",
        .key_url = "https://z.ai/manage-apikey/apikey-list",
        .transformers = "{\"use\":[\"zhipu\"]}",
        .models = zhipu_models,
        .help = "GLM models, international; in China set base_url to "
                "https://open.bigmodel.cn/api.",
    },
    {
        .type = "minimax",
        .title = "MiniMax",
        .base_url = "https://api.minimax.io",
        .endpoints = { { "anthropic", "bearer", "/anthropic" },
            { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_MINIMAX_KEY",
        .key_url = "https://platform.minimax.io",
        .transformers = "{\"use\":[\"extrathinktag\"]}",
        .models = minimax_models,
        .help = "MiniMax models, international; in China set base_url to "
                "https://api.minimaxi.com.",
    },
    {
        .type = "siliconflow",
        .title = "SiliconFlow",
        .base_url = "https://api.siliconflow.cn",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_SILICONFLOW_KEY",
        .key_url = "https://cloud.siliconflow.cn/account/ak",
        .help = "Open models.",
    },
    {
        .type = "cerebras",
        .title = "Cerebras",
        .base_url = "https://api.cerebras.ai",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_CEREBRAS_KEY",
        .key_url = "https://cloud.cerebras.ai",
        .transformers = "{\"use\":[\"cerebras\"]}",
        .models = cerebras_models,
        .help = "Open models, very fast.",
    },
    {
        .type = "together",
        .title = "Together AI",
        .base_url = "https://api.together.xyz",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_TOGETHER_KEY",
        .key_url = "https://api.together.ai/settings/api-keys",
        .help = "Open models.",
    },
    {
        .type = "fireworks",
        .title = "Fireworks AI",
        .base_url = "https://api.fireworks.ai/inference",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_required = true,
        .key_env = "DEFAULT_FIREWORKS_KEY",
        .key_url = "https://fireworks.ai/account/api-keys",
        .help = "Open models; names are like accounts/fireworks/models/….",
    },
    {
        .type = "ollama",
        .title = "Ollama",
        .base_url = "http://127.0.0.1:11434",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_url = "",
        .help = "Models on your own machine; no key is needed.",
    },
    {
        .type = "vllm",
        .title = "vLLM",
        .base_url = "http://127.0.0.1:8000",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_url = "",
        .transformers = "{\"use\":[\"streamoptions\"]}",
        .help = "A vLLM server; a key only if it was started with one.",
    },
    {
        .type = "lmstudio",
        .title = "LM Studio",
        .base_url = "http://127.0.0.1:1234",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_url = "",
        .help = "Models on your own machine; no key is needed.",
    },
    {
        .type = "azure",
        .title = "Azure OpenAI",
        .base_url = "",
        .endpoints = { { "chat", "api-key", NULL },
            { "responses", "api-key", NULL } },
        .key_required = true,
        .key_url = "https://portal.azure.com",
        .transformers = "{\"use\":[\"azure\"]}",
        .help = "Give base_url (https://<resource>.openai.azure.com); the "
                "model's name is the deployment's, unless the azure "
                "transformer says otherwise.",
    },
    {
        .type = "vertex",
        .title = "Google Vertex AI",
        .base_url = "https://aiplatform.googleapis.com",
        .endpoints = { { "gemini", "bearer", NULL },
            { "anthropic", "bearer", NULL } },
        .key_required = true,
        .key_url = "https://console.cloud.google.com/iam-admin/serviceaccounts",
        .account_step = "vertex",
        .models = vertex_models,
        .help = "Gemini and Claude on Vertex AI.  The key is the text of a "
                "service account's key file, which is exchanged for access "
                "tokens; a region other than global is said by base_url "
                "(https://<region>-aiplatform.googleapis.com).",
    },
    {
        .type = "bedrock",
        .title = "Amazon Bedrock",
        .base_url = "https://bedrock-runtime.us-east-1.amazonaws.com",
        .endpoints = { { "anthropic", "sigv4", NULL } },
        .key_required = true,
        .key_url = "https://console.aws.amazon.com/iam",
        .transformers = "{\"use\":[\"bedrock\"]}",
        .models = bedrock_models,
        .help = "Claude on Bedrock.  The key is <access key id>:<secret access "
                "key>, with :<session token> behind it for temporary ones, or "
                "a Bedrock API key.  base_url says the region.",
    },
    {
        .type = "openai-compatible",
        .title = "OpenAI-compatible",
        .base_url = "",
        .endpoints = { { "chat", "bearer", NULL } },
        .key_url = "",
        .help = "Any server of the Chat Completions API: give its base_url. "
                "The key is optional.",
    },
    {
        .type = "anthropic-compatible",
        .title = "Anthropic-compatible",
        .base_url = "",
        .endpoints = { { "anthropic", "x-api-key", NULL } },
        .key_url = "",
        .help = "Any server of the Anthropic Messages API: give its base_url. "
                "The key is optional.",
    },
    {
        .type = "demo",
        .title = "Demo provider",
        .base_url = "",
        .endpoints = { { "anthropic", "x-api-key", NULL },
            { "chat", "bearer", NULL }, { "responses", "bearer", NULL },
            { "gemini", "x-goog-api-key", NULL } },
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
