/** How each client is told where this router is. */

export const clients = [
  "claude",
  "codex",
  "gemini",
  "opencode",
  "openai",
  "anthropic",
  "curl",
] as const;
export type Client = (typeof clients)[number];

export const clientTitles: Record<Client, string> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "opencode",
  openai: "OpenAI SDK",
  anthropic: "Anthropic SDK",
  curl: "curl",
};

export interface Snippet {
  /** A file it goes into; left out: a terminal. */
  file?: string;
  text: string;
}

const json = (value: unknown) => JSON.stringify(value, null, 2);

const opencode = (url: string, key: string, model: string) =>
  json({
    $schema: "https://opencode.ai/config.json",
    provider: {
      routex: {
        npm: "@ai-sdk/openai-compatible",
        name: "Routex",
        options: { baseURL: `${url}/v1`, apiKey: key },
        models: { [model]: { name: model, tool_call: true } },
      },
    },
  });

export function snippetsFor(
  client: Client,
  url: string,
  key: string,
  model: string,
): Snippet[] {
  const all: Record<Client, Snippet[]> = {
    claude: [
      {
        text: `export ANTHROPIC_BASE_URL=${url}
export ANTHROPIC_AUTH_TOKEN=${key}
claude`,
      },
    ],
    codex: [
      {
        file: "~/.codex/config.toml",
        text: `model = "${model}"
model_provider = "routex"

[model_providers.routex]
name = "routex"
base_url = "${url}/v1"
env_key = "ROUTEX_KEY"
wire_api = "responses"`,
      },
      { text: `export ROUTEX_KEY=${key}\ncodex` },
    ],
    gemini: [
      {
        file: "~/.gemini/settings.json",
        text: json({ security: { auth: { selectedType: "gemini-api-key" } } }),
      },
      {
        text: `export GOOGLE_GEMINI_BASE_URL=${url}
export GEMINI_API_KEY=${key}
gemini -m ${model}`,
      },
    ],
    opencode: [
      { file: "~/.config/opencode/opencode.json", text: opencode(url, key, model) },
      { text: `opencode --model routex/${model}` },
    ],
    openai: [
      {
        file: "Python",
        text: `from openai import OpenAI

client = OpenAI(base_url="${url}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
      },
    ],
    anthropic: [
      {
        file: "Python",
        text: `from anthropic import Anthropic

client = Anthropic(base_url="${url}", api_key="${key}")
answer = client.messages.create(
    model="${model}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.content[0].text)`,
      },
    ],
    curl: [
      {
        text: `curl ${url}/v1/messages \\
  -H 'x-api-key: ${key}' \\
  -H 'content-type: application/json' \\
  -d '{"model":"${model}","max_tokens":1024,
       "messages":[{"role":"user","content":"Hello"}]}'`,
      },
    ],
  };
  return all[client];
}

const loopback = /^(127\.|localhost$|\[?::1\]?$|0\.0\.0\.0$|\[?::\]?$)/;

/**
 * Where clients on the reader's machine find the data plane: what the plane says
 * of itself, but not an address that is only good on the machine it runs on.
 */
export function clientUrl(said: string | undefined, here: Location): string {
  if (!said) return here.origin;
  const url = new URL(said);
  if (loopback.test(url.hostname) && !loopback.test(here.hostname))
    url.hostname = here.hostname;
  else if (/^(0\.0\.0\.0|\[::\])$/.test(url.hostname)) url.hostname = here.hostname;
  return url.origin;
}
