import { expect, test } from "vitest";

import { requestTurns, responseTurns } from "./conversation";

const text = (words: string) => ({ kind: "text", text: words });
const stream = (...events: object[]) =>
  events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");

test("Anthropic: system, tools and their results", () => {
  const turns = requestTurns(
    JSON.stringify({
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        { role: "user", content: "Look" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm" },
            { type: "tool_use", name: "Bash", input: { command: "ls" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", content: [{ type: "text", text: "a.c" }] },
            { type: "image", source: {} },
          ],
        },
      ],
    }),
  );
  expect(turns).toEqual([
    { role: "system", parts: [text("Be brief.")] },
    { role: "user", parts: [text("Look")] },
    {
      role: "assistant",
      parts: [
        { kind: "thinking", text: "Hm" },
        { kind: "call", name: "Bash", text: '{\n  "command": "ls"\n}' },
      ],
    },
    { role: "user", parts: [{ kind: "result", text: "a.c" }, { kind: "media", name: "image" }] },
  ]);
});

test("Chat Completions: tool calls and their answers", () => {
  expect(
    requestTurns(
      JSON.stringify({
        messages: [
          { role: "developer", content: "Be brief." },
          { role: "assistant", content: null, tool_calls: [{ function: { name: "f", arguments: "{}" } }] },
          { role: "tool", content: "done" },
        ],
      }),
    ),
  ).toEqual([
    { role: "system", parts: [text("Be brief.")] },
    { role: "assistant", parts: [{ kind: "call", name: "f", text: "{}" }] },
    { role: "tool", parts: [{ kind: "result", text: "done" }] },
  ]);
});

test("Responses and Gemini", () => {
  expect(requestTurns('{"instructions":"i","input":"hi"}')).toEqual([
    { role: "system", parts: [text("i")] },
    { role: "user", parts: [text("hi")] },
  ]);
  expect(
    requestTurns(
      '{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"type":"function_call","name":"f","arguments":"{}"},{"type":"function_call_output","output":"1"}]}',
    ).map((one) => one.role),
  ).toEqual(["user", "assistant", "tool"]);
  expect(
    requestTurns(
      '{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}}]}]}',
    ),
  ).toEqual([
    { role: "system", parts: [text("s")] },
    { role: "user", parts: [text("a"), { kind: "media", name: "image/png" }] },
    { role: "assistant", parts: [{ kind: "call", name: "f", text: '{\n  "x": 1\n}' }] },
  ]);
});

test.each([
  [
    "Anthropic",
    stream(
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm" } },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hel" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "lo" } },
    ),
  ],
  [
    "Chat",
    `${stream(
      { choices: [{ index: 0, delta: { reasoning_content: "Hm" } }] },
      { choices: [{ index: 0, delta: { content: "Hel" } }] },
      { choices: [{ index: 0, delta: { content: "lo" } }] },
    )}data: [DONE]\n\n`,
  ],
  [
    "Responses",
    stream(
      { type: "response.reasoning_summary_text.delta", output_index: 0, delta: "Hm" },
      { type: "response.output_text.delta", output_index: 1, delta: "Hel" },
      { type: "response.output_text.delta", output_index: 1, delta: "lo" },
    ),
  ],
  [
    "Gemini",
    stream(
      { candidates: [{ content: { parts: [{ text: "Hm", thought: true }] } }] },
      { candidates: [{ content: { parts: [{ text: "Hel" }] } }] },
      { candidates: [{ content: { parts: [{ text: "lo" }] } }] },
    ),
  ],
])("a stream of %s is put together", (_, source) => {
  expect(responseTurns(`${source}data: {"cut`)).toEqual([
    { role: "assistant", parts: [{ kind: "thinking", text: "Hm" }, text("Hello")] },
  ]);
});

test.each([
  ['{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}]}'],
  ['{"choices":[{"message":{"role":"assistant","content":"Hello"}}]}'],
  ['{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello"}]}]}'],
  ['{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]}}]}'],
  ['{"error":{"message":"Hello"}}'],
])("%s says Hello", (source) => {
  expect(responseTurns(source)).toEqual([{ role: "assistant", parts: [text("Hello")] }]);
});

test("what cannot be read says nothing", () => {
  expect(requestTurns('{"messages":[{"role":"us')).toEqual([]);
  expect(responseTurns("<html>")).toEqual([]);
  expect(requestTurns('{"messages":[1,null,{"content":[null,5]}]}')).toEqual([]);
});
