/**
 * The settings as a table: where each is in the document, what it is, and how a
 * person writes it.
 */
import type { Schemas } from "@/api/client";
import { readBytes, readCount, readSpan, writeBytes, writeSpan } from "@/lib/amounts";

export type Settings = Schemas["Settings"];

interface Common {
  /** Path in the document; also the key of its texts, with _ for the dot. */
  path: string;
  card: string;
}
export type FieldDef = Common &
  (
    | { kind: "span"; least: number; most: number; empty?: boolean }
    | { kind: "count"; least: number; most: number }
    | { kind: "bytes"; least: number; most: number }
    | { kind: "choice"; words: readonly string[]; empty?: boolean }
    | { kind: "switch" }
  );

const DAY = 86_400;

export const fields = {
  routing: [
    {
      path: "strategy",
      card: "choose",
      kind: "choice",
      words: [
        "priority", "weighted", "round_robin", "least_used",
        "latency", "cost", "headroom", "drain",
      ],
    },
    { path: "session_ttl_s", card: "choose", kind: "span", least: 0, most: DAY },
    { path: "max_attempts", card: "retry", kind: "count", least: 1, most: 8 },
    { path: "max_wait_s", card: "retry", kind: "span", least: 0, most: DAY },
    { path: "strict_translation", card: "requests", kind: "switch" },
    { path: "max_body_bytes", card: "requests", kind: "bytes", least: 1_024, most: 2 ** 30 },
  ],
  resilience: [
    { path: "breaker.window_s", card: "breaker", kind: "span", least: 0, most: DAY },
    { path: "breaker.failure_percent", card: "breaker", kind: "count", least: 1, most: 100 },
    { path: "breaker.min_samples", card: "breaker", kind: "count", least: 1, most: 1_000 },
    { path: "breaker.failures_in_a_row", card: "breaker", kind: "count", least: 1, most: 1_000 },
    { path: "breaker.open_s", card: "breaker", kind: "span", least: 0.001, most: DAY },
    { path: "breaker.open_max_s", card: "breaker", kind: "span", least: 0.001, most: DAY },
    { path: "timeouts.connect_s", card: "timeouts", kind: "span", least: 0.001, most: DAY },
    { path: "timeouts.first_byte_s", card: "timeouts", kind: "span", least: 0.001, most: DAY },
    { path: "timeouts.first_event_s", card: "timeouts", kind: "span", least: 0.001, most: DAY },
    { path: "timeouts.idle_s", card: "timeouts", kind: "span", least: 0.001, most: DAY },
    { path: "timeouts.total_s", card: "timeouts", kind: "span", least: 0.001, most: DAY, empty: true },
    { path: "health.enabled", card: "health", kind: "switch" },
    { path: "health.interval_s", card: "health", kind: "span", least: 1, most: DAY },
    { path: "health.timeout_s", card: "health", kind: "span", least: 0.1, most: DAY },
    { path: "health.failures", card: "health", kind: "count", least: 1, most: 100 },
    { path: "health.successes", card: "health", kind: "count", least: 1, most: 100 },
    { path: "health.usage_interval_s", card: "health", kind: "span", least: 0, most: DAY },
  ],
  records: [
    {
      path: "log_level",
      card: "log",
      kind: "choice",
      words: ["error", "warn", "info", "debug"],
      empty: true,
    },
    {
      path: "trace_upstream",
      card: "log",
      kind: "choice",
      words: ["off", "client", "always"],
    },
    { path: "audit_days", card: "keep", kind: "count", least: 1, most: 36_500 },
    { path: "backups.every_s", card: "keep", kind: "span", least: 0, most: 90 * DAY },
    { path: "backups.keep", card: "keep", kind: "count", least: 1, most: 1_000 },
    { path: "journal.limit_bytes", card: "journal", kind: "bytes", least: 2 ** 20, most: 2 ** 40 },
    {
      path: "journal.when_full",
      card: "journal",
      kind: "choice",
      words: ["keep-serving", "refuse"],
    },
    { path: "login.idle_s", card: "login", kind: "span", least: 60, most: 366 * DAY },
    { path: "login.absolute_s", card: "login", kind: "span", least: 60, most: 366 * DAY },
  ],
} as const satisfies Record<string, readonly FieldDef[]>;

export type FormSection = keyof typeof fields;
export type Path = (typeof fields)[FormSection][number]["path"];
/** Of texts and forms: names with a dot would be taken for paths there. */
export const nameOf = (path: string) => path.replace(".", "__");

export type Value = string | boolean;
export type Values = Record<string, Value>;

const at = (settings: Settings, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((one, name) => (one as Record<string, unknown>)?.[name], settings);

function write(def: FieldDef, value: unknown): Value {
  if (def.kind === "switch") return value === true;
  if (def.kind === "span") return writeSpan(value as number | null);
  if (def.kind === "bytes") return writeBytes(value as number);
  return value == null ? "" : String(value);
}

export const valuesOf = (settings: Settings, defs: readonly FieldDef[]): Values =>
  Object.fromEntries(
    defs.map((def) => [nameOf(def.path), write(def, at(settings, def.path))]),
  );

const readers = { span: readSpan, count: readCount, bytes: readBytes };

/** What the API takes; undefined: it is wrong. */
export function read(def: FieldDef, value: Value): unknown {
  if (def.kind === "switch") return value;
  const text = String(value).trim();
  if (def.kind === "choice")
    return text === "" && def.empty ? null : def.words.includes(text) ? text : undefined;
  if (text === "" && def.kind === "span" && def.empty) return null;
  const n = readers[def.kind](text);
  return n !== undefined && n >= def.least && n <= def.most ? n : undefined;
}

/** Only what differs, nested as the document is. */
export function patchOf(
  defs: readonly FieldDef[],
  values: Values,
  before: Values,
): Settings {
  const patch: Record<string, unknown> = {};
  for (const def of defs) {
    const name = nameOf(def.path);
    if (values[name] === before[name]) continue;
    const value = read(def, values[name]!);
    if (value === undefined) continue;
    const [first, second] = def.path.split(".") as [string, string?];
    if (second === undefined) patch[first] = value;
    else patch[first] = { ...(patch[first] as object), [second]: value };
  }
  return patch as Settings;
}
