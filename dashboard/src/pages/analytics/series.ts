/** Points of the API as lines of a chart. */
import type { Schemas } from "@/api/client";

type Sums = Schemas["Sums"];
type Usage = Schemas["UsageSeries"];

const steps = { minute: 60, hour: 3_600, day: 86_400 };

/** Every bucket of the range, as Unix seconds; the API leaves empty ones out. */
export function timesOf(usage: Pick<Usage, "since" | "until" | "bucket">): number[] {
  const step = steps[usage.bucket];
  const from = Math.floor(Date.parse(usage.since ?? "") / 1_000 / step) * step;
  const to = Math.floor(Date.parse(usage.until ?? "") / 1_000);
  const times: number[] = [];
  for (let at = from; at < to; at += step) times.push(at);
  return times;
}

/** One value per time: `empty` where nothing happened. */
export function valuesOf(
  times: number[],
  points: Sums[] | undefined,
  value: (point: Sums) => number | null,
  empty: number | null = 0,
): (number | null)[] {
  const known = new Map(
    points?.map((one) => [Math.floor(Date.parse(one.start ?? "") / 1_000), one]),
  );
  return times.map((at) => {
    const point = known.get(at);
    return point ? value(point) : empty;
  });
}

export const money = (text: string | null) => (text === null ? null : Number(text));

export const inputOf = (sums: Sums) =>
  sums.input_tokens + sums.cache_read_tokens + sums.cache_write_tokens;
export const tokensOf = (sums: Sums) => inputOf(sums) + sums.output_tokens;

export const measureOf = {
  requests: (sums: Sums) => sums.requests,
  cost: (sums: Sums) => money(sums.cost_usd) ?? 0,
  tokens: tokensOf,
};

/** What the names do not account for: the sum is that of all. */
export function restOf(
  all: (number | null)[],
  parts: (number | null)[][],
): (number | null)[] {
  return all.map((sum, i) => {
    const known = parts.reduce((total, one) => total + (one[i] ?? 0), 0);
    const rest = (sum ?? 0) - known;
    return rest > 1e-9 ? rest : 0;
  });
}

/** How much more than before, as a part; null: there is nothing to compare to. */
export function changeOf(
  now: number | null | undefined,
  before: number | null | undefined,
): number | null {
  if (now == null || before == null || before === 0) return null;
  return now / before - 1;
}
