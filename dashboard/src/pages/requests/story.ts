/** One request: what is told of it, out of what is known. */
import type { Schemas } from "@/api/client";
import type { Row } from "./list";

export type Attempt = Schemas["Attempt"];
export interface Trace {
  rule?: { id: string; name: string };
  chosen_by?: string;
  rules_asked?: number;
  passed?: { rule?: string; why: string }[];
  candidates?: string[];
  without?: string;
}
export type Detail = Omit<Row, "attempts"> & {
  trace: Trace | null;
  attempts: Attempt[];
};

/** A part of the whole time, in hundredths of it. */
export interface Span {
  from: number;
  width: number;
}

export interface Bar {
  attempt: Attempt;
  /** Until the head came (connecting included), and the rest. */
  waiting: Span;
  reading: Span;
  ok: boolean;
}

export interface Waterfall {
  /** Milliseconds that 100 stands for. */
  total: number;
  bars: Bar[];
  /** Where the first token was with the client; null: it never was. */
  ttft: number | null;
  ticks: { at: number; ms: number }[];
}

const steps = [1, 2, 5];

/** Round numbers, at most five of them, zero not among them. */
export function ticksOf(total: number): number[] {
  let step = 1;
  for (let power = 1; ; power *= 10) {
    const fit = steps.find((one) => total / (one * power) <= 5);
    if (fit) {
      step = fit * power;
      break;
    }
  }
  const all: number[] = [];
  for (let at = step; at < total; at += step) all.push(at);
  return all;
}

export function waterfallOf(detail: Detail): Waterfall {
  const ends = detail.attempts.map(
    (one) => (one.start_ms ?? 0) + (one.duration_ms ?? 0),
  );
  const total = Math.max(detail.duration_ms, ...ends, 1);
  const part = (ms: number) => Math.min(100, Math.max(0, (ms / total) * 100));
  const bars = detail.attempts.map((attempt): Bar => {
    const start = attempt.start_ms ?? 0;
    const length = attempt.duration_ms ?? 0;
    const answered = (attempt.status ?? 0) > 0;
    const head = answered ? Math.min(attempt.first_byte_ms ?? 0, length) : length;
    return {
      attempt,
      waiting: { from: part(start), width: part(head) },
      reading: { from: part(start + head), width: part(length - head) },
      ok: attempt.code === "ok" && (attempt.status ?? 0) < 400,
    };
  });
  return {
    total,
    bars,
    ttft: detail.ttft_ms == null ? null : part(detail.ttft_ms),
    ticks: ticksOf(total).map((ms) => ({ ms, at: part(ms) })),
  };
}

export const tokenKinds = [
  "input",
  "cache_read",
  "cache_write",
  "reasoning",
  "output",
] as const;
export type TokenKind = (typeof tokenKinds)[number];

export interface Tokens {
  kind: TokenKind;
  count: number;
  /** Of the greatest. */
  part: number;
}

/** By kind, without those nobody counted; output is without its reasoning. */
export function tokensOf(row: Omit<Row, "attempts">): Tokens[] {
  const counts: Record<TokenKind, number | null | undefined> = {
    input: row.input_tokens,
    cache_read: row.cache_read_tokens,
    cache_write: row.cache_write_tokens,
    reasoning: row.reasoning_tokens,
    output:
      row.output_tokens == null
        ? null
        : Math.max(0, row.output_tokens - (row.reasoning_tokens ?? 0)),
  };
  const known = tokenKinds.flatMap((kind) => {
    const count = counts[kind];
    const always = kind === "input" || kind === "output";
    return count == null || (count === 0 && !always) ? [] : [{ kind, count }];
  });
  const most = Math.max(1, ...known.map((one) => one.count));
  return known.map((one) => ({ ...one, part: one.count / most }));
}

/** Everything that was read, from a cache or not. */
export function inputOf(row: Omit<Row, "attempts">): number | null {
  if (row.input_tokens == null) return null;
  return row.input_tokens + (row.cache_read_tokens ?? 0) + (row.cache_write_tokens ?? 0);
}

/** Tokens a second, once they came; null: too short to tell. */
export function speedOf(row: Omit<Row, "attempts">): number | null {
  const { output_tokens, ttft_ms, duration_ms } = row;
  if (!output_tokens || ttft_ms == null) return null;
  const ms = duration_ms - ttft_ms;
  return ms >= 50 ? (output_tokens / ms) * 1_000 : null;
}

export type Tone = "ok" | "warn" | "bad" | "neutral";
export const toneOf = (row: Pick<Row, "outcome">): Tone =>
  row.outcome === "ok"
    ? "ok"
    : row.outcome === "cancelled"
      ? "neutral"
      : row.outcome === "cut"
        ? "warn"
        : "bad";
