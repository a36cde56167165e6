/** Requests to try the rules with, as clients send them. */
export interface Sample {
  id: "plain" | "claude_code" | "subagent" | "background" | "think" | "long" | "web" | "image" | "chat" | "responses" | "gemini";
  dialect: "" | "anthropic" | "chat" | "responses" | "gemini";
  body: () => object;
  headers?: string;
  /** Where the dialect has it in the address. */
  model?: string;
}

const CLAUDE = "claude-sonnet-4-5";
const user = (content: unknown) => [{ role: "user", content }];
const system = [
  { type: "text", text: "You are Claude Code, Anthropic's official CLI for Claude." },
];
const bash = {
  name: "Bash",
  description: "Runs a command",
  input_schema: {
    type: "object",
    properties: { command: { type: "string" } },
    required: ["command"],
  },
};
const DOT =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const LINE = "The quick brown fox jumps over the lazy dog and writes it down. ";

export const samples: Sample[] = [
  {
    id: "plain",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 1024,
      messages: user("Why is the sky blue?"),
    }),
  },
  {
    id: "claude_code",
    dialect: "anthropic",
    headers: "user-agent: claude-cli/2.0.31 (external, cli)",
    body: () => ({
      model: CLAUDE,
      max_tokens: 32000,
      stream: true,
      system,
      tools: [bash],
      messages: user("Refactor parse() in src/main.c so that it takes a length.\n```c\nint parse(const char *s);\n```"),
    }),
  },
  {
    id: "subagent",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 8000,
      system: [
        ...system,
        { type: "text", text: "<CCR-SUBAGENT-MODEL>claude-haiku-4-5</CCR-SUBAGENT-MODEL>" },
      ],
      messages: user("Find every caller of parse()."),
    }),
  },
  {
    id: "background",
    dialect: "anthropic",
    body: () => ({
      model: "claude-haiku-4-5",
      max_tokens: 512,
      messages: user("Give this conversation a title of three words."),
    }),
  },
  {
    id: "think",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 16000,
      thinking: { type: "enabled", budget_tokens: 8000 },
      messages: user("Plan the migration of our store to another schema."),
    }),
  },
  {
    id: "long",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 4096,
      messages: user(`Sum this up:\n${LINE.repeat(5_000)}`),
    }),
  },
  {
    id: "web",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 4096,
      tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 5 }],
      messages: user("What changed in the latest release of SQLite?"),
    }),
  },
  {
    id: "image",
    dialect: "anthropic",
    body: () => ({
      model: CLAUDE,
      max_tokens: 1024,
      messages: user([
        { type: "image", source: { type: "base64", media_type: "image/png", data: DOT } },
        { type: "text", text: "What is in this picture?" },
      ]),
    }),
  },
  {
    id: "chat",
    dialect: "chat",
    body: () => ({
      model: "gpt-5-mini",
      stream: true,
      messages: [
        { role: "system", content: "You are terse." },
        { role: "user", content: "Why is the sky blue?" },
      ],
    }),
  },
  {
    id: "responses",
    dialect: "responses",
    headers: "user-agent: codex_cli_rs/0.46.0",
    body: () => ({
      model: "gpt-5",
      instructions: "You are a coding agent.",
      reasoning: { effort: "high" },
      input: [{ role: "user", content: [{ type: "input_text", text: "Write the tests." }] }],
    }),
  },
  {
    id: "gemini",
    dialect: "gemini",
    model: "gemini-2.5-pro",
    body: () => ({
      contents: [{ role: "user", parts: [{ text: "Why is the sky blue?" }] }],
    }),
  },
];

/** "name: value" lines as an object; null: a line is none. */
export function headersOf(text: string): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const parts = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line);
    if (!parts) return null;
    headers[parts[1]!.toLowerCase()] = parts[2]!;
  }
  return headers;
}
