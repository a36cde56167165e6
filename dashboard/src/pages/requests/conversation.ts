/**
 * Captured bodies as what was said, whichever dialect they are in.  What is not
 * understood is left out here and seen in the bodies themselves.
 */
export type Role = "system" | "user" | "assistant" | "tool";
export type Part =
  | { kind: "text" | "thinking"; text: string }
  | { kind: "call"; name: string; text: string }
  | { kind: "result"; text: string }
  | { kind: "media"; name: string };
export interface Turn {
  role: Role;
  parts: Part[];
}

type Obj = Record<string, unknown>;
const isObj = (value: unknown): value is Obj =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const objects = (value: unknown): Obj[] => list(value).filter(isObj);
const str = (value: unknown): string => (typeof value === "string" ? value : "");
const json = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, null, 2);
const text = (value: unknown): Part[] =>
  str(value) ? [{ kind: "text", text: str(value) }] : [];

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** One part of any dialect's content. */
function partOf(part: unknown): Part[] {
  if (typeof part === "string") return text(part);
  if (!isObj(part)) return [];
  const call = part.functionCall ?? part.function_call;
  if (isObj(call)) return [{ kind: "call", name: str(call.name), text: json(call.args ?? call.arguments) }];
  const answer = part.functionResponse ?? part.function_response;
  if (isObj(answer)) return [{ kind: "result", text: json(answer.response) }];
  const data = part.inlineData ?? part.inline_data ?? part.fileData;
  if (isObj(data)) return [{ kind: "media", name: str(data.mimeType ?? data.mime_type) || "file" }];
  switch (part.type) {
    case "thinking":
      return [{ kind: "thinking", text: str(part.thinking) }];
    case "tool_use":
    case "server_tool_use":
      return [{ kind: "call", name: str(part.name), text: json(part.input) }];
    case "tool_result":
      return [{ kind: "result", text: partsOf(part.content).map(wordsOf).join("\n") }];
    case "image":
    case "image_url":
    case "input_image":
      return [{ kind: "media", name: "image" }];
    case "document":
    case "file":
    case "input_file":
      return [{ kind: "media", name: "document" }];
    case "input_audio":
      return [{ kind: "media", name: "audio" }];
  }
  if (typeof part.text === "string")
    return part.thought === true ? [{ kind: "thinking", text: part.text }] : text(part.text);
  return [];
}

const partsOf = (content: unknown): Part[] =>
  Array.isArray(content) ? content.flatMap(partOf) : partOf(content);
const wordsOf = (part: Part): string => (part.kind === "media" ? `[${part.name}]` : part.text);

const roleOf = (role: unknown): Role =>
  role === "assistant" || role === "model"
    ? "assistant"
    : role === "system" || role === "developer"
      ? "system"
      : role === "tool" || role === "function"
        ? "tool"
        : "user";

/** A message of Anthropic or Chat Completions. */
function messageTurn(message: Obj): Turn {
  const role = roleOf(message.role);
  const parts = partsOf(message.content);
  if (role === "tool") return { role, parts: [{ kind: "result", text: parts.map(wordsOf).join("\n") }] };
  const thinking = str(message.reasoning_content ?? message.reasoning);
  const calls = objects(message.tool_calls).map((one): Part => {
    const made = isObj(one.function) ? one.function : {};
    return { kind: "call", name: str(made.name), text: json(made.arguments) };
  });
  return {
    role,
    parts: [...(thinking ? [{ kind: "thinking" as const, text: thinking }] : []), ...parts, ...calls],
  };
}

/** An item of Responses, asked or answered. */
function itemTurn(item: Obj): Turn {
  switch (item.type) {
    case "function_call":
    case "custom_tool_call":
      return {
        role: "assistant",
        parts: [{ kind: "call", name: str(item.name), text: json(item.arguments ?? item.input) }],
      };
    case "function_call_output":
    case "custom_tool_call_output":
      return { role: "tool", parts: [{ kind: "result", text: json(item.output) }] };
    case "reasoning":
      return {
        role: "assistant",
        parts: objects(item.summary).map((one) => ({ kind: "thinking", text: str(one.text) })),
      };
  }
  return messageTurn(item);
}

const geminiTurn = (content: Obj, role?: Role): Turn => ({
  role: role ?? roleOf(content.role),
  parts: partsOf(content.parts),
});

/** Turns of the same side one after the other are one. */
function joined(turns: Turn[]): Turn[] {
  const all: Turn[] = [];
  for (const turn of turns) {
    if (turn.parts.length === 0) continue;
    const last = all.at(-1);
    if (last && last.role === turn.role) last.parts.push(...turn.parts);
    else all.push({ role: turn.role, parts: [...turn.parts] });
  }
  return all;
}

export function requestTurns(source: string): Turn[] {
  const body = parse(source);
  if (!isObj(body)) return [];
  const instruction = body.systemInstruction ?? body.system_instruction;
  return joined([
    { role: "system", parts: partsOf(body.system) },
    { role: "system", parts: partsOf(body.instructions) },
    ...(isObj(instruction) ? [geminiTurn(instruction, "system")] : []),
    ...objects(body.messages).map(messageTurn),
    ...objects(body.contents).map((one) => geminiTurn(one)),
    ...(typeof body.input === "string"
      ? [{ role: "user" as const, parts: text(body.input) }]
      : objects(body.input).map(itemTurn)),
  ]);
}

/* ---- answers ------------------------------------------------------------------- */

function answerTurns(body: unknown): Turn[] {
  if (Array.isArray(body)) return body.flatMap(answerTurns);
  if (!isObj(body)) return [];
  if (isObj(body.error)) return [{ role: "assistant", parts: text(body.error.message) }];
  return [
    ...(body.type === "message" || body.role === "assistant" ? [messageTurn({ ...body, role: "assistant" })] : []),
    ...objects(body.choices).flatMap((one) => (isObj(one.message) ? [messageTurn(one.message)] : [])),
    ...objects(body.output).map(itemTurn),
    ...objects(body.candidates).flatMap((one) =>
      isObj(one.content) ? [geminiTurn(one.content, "assistant")] : [],
    ),
  ];
}

/** Pieces of a stream, put together by where they belong. */
class Pieces {
  readonly #parts = new Map<string, Part>();

  add(at: string, kind: "text" | "thinking" | "call", more: string, name = "") {
    const known = this.#parts.get(at);
    if (!known)
      this.#parts.set(at, kind === "call" ? { kind, name, text: more } : { kind, text: more });
    else if (known.kind !== "media") {
      known.text += more;
      if (known.kind === "call" && name) known.name = name;
    }
  }

  get parts(): Part[] {
    return [...this.#parts.values()].filter(
      (one) => one.kind === "call" || (one.kind !== "media" && one.text !== ""),
    );
  }
}

function anthropicEvent(event: Obj, pieces: Pieces) {
  const at = `a${String(event.index)}`;
  const block = event.content_block;
  const delta = event.delta;
  if (event.type === "content_block_start" && isObj(block)) {
    if (block.type === "tool_use" || block.type === "server_tool_use")
      pieces.add(at, "call", "", str(block.name));
    else pieces.add(at, block.type === "thinking" ? "thinking" : "text", str(block.text ?? block.thinking));
  }
  if (event.type === "content_block_delta" && isObj(delta)) {
    if (delta.type === "text_delta") pieces.add(at, "text", str(delta.text));
    if (delta.type === "thinking_delta") pieces.add(at, "thinking", str(delta.thinking));
    if (delta.type === "input_json_delta") pieces.add(at, "call", str(delta.partial_json));
  }
}

function chatEvent(event: Obj, pieces: Pieces) {
  for (const choice of objects(event.choices)) {
    const { delta } = choice;
    if (!isObj(delta)) continue;
    const at = `c${String(choice.index ?? 0)}`;
    const thinking = str(delta.reasoning_content ?? delta.reasoning);
    if (thinking) pieces.add(`${at}-thinking`, "thinking", thinking);
    if (str(delta.content)) pieces.add(`${at}-text`, "text", str(delta.content));
    for (const call of objects(delta.tool_calls)) {
      const made = isObj(call.function) ? call.function : {};
      pieces.add(`${at}-call${String(call.index ?? 0)}`, "call", str(made.arguments), str(made.name));
    }
  }
}

function responsesEvent(event: Obj, pieces: Pieces) {
  const at = `r${String(event.output_index ?? 0)}`;
  const { item } = event;
  switch (event.type) {
    case "response.output_item.added":
      if (isObj(item) && item.type === "function_call") pieces.add(at, "call", "", str(item.name));
      break;
    case "response.output_text.delta":
      pieces.add(at, "text", str(event.delta));
      break;
    case "response.reasoning_summary_text.delta":
      pieces.add(at, "thinking", str(event.delta));
      break;
    case "response.function_call_arguments.delta":
      pieces.add(at, "call", str(event.delta));
      break;
  }
}

function geminiEvent(event: Obj, pieces: Pieces) {
  for (const candidate of objects(event.candidates)) {
    if (!isObj(candidate.content)) continue;
    for (const part of partsOf(candidate.content.parts)) {
      if (part.kind === "call") pieces.add(`g-${part.name}-${part.text}`, "call", part.text, part.name);
      else if (part.kind === "text" || part.kind === "thinking")
        pieces.add(`g-${part.kind}`, part.kind, part.text);
    }
  }
}

function streamTurns(source: string): Turn[] {
  const pieces = new Pieces();
  const errors: Part[] = [];
  for (const line of source.split(/\r?\n/)) {
    if (!line.startsWith("data:")) continue;
    const event = parse(line.slice(5)); // the last may be cut
    if (!isObj(event)) continue;
    anthropicEvent(event, pieces);
    chatEvent(event, pieces);
    responsesEvent(event, pieces);
    geminiEvent(event, pieces);
    if (isObj(event.error)) errors.push(...text(event.error.message));
  }
  return [{ role: "assistant", parts: [...pieces.parts, ...errors] }];
}

export function responseTurns(source: string): Turn[] {
  const body = parse(source);
  const turns =
    body === undefined && /^(event|data|id|:)/m.test(source) ? streamTurns(source) : answerTurns(body);
  return joined(turns.map((one) => ({ ...one, role: one.role === "tool" ? "tool" : "assistant" })));
}
