import type { Schemas } from "@/api/client";

export interface Hours {
  times: number[]; // Unix seconds
  answered: number[];
  failed: number[];
}

const HOUR = 3_600;

/** One point for every hour; those the answer does not name had no request. */
export function hoursOf(
  summary: Pick<Schemas["UsageSummary"], "since" | "until" | "by_hour">,
): Hours {
  const hours: Hours = { times: [], answered: [], failed: [] };
  const known = new Map(
    (summary.by_hour ?? []).map((one) => [
      Math.floor(Date.parse(one.start ?? "") / 1_000),
      one,
    ]),
  );
  const start = Math.floor(Date.parse(summary.since ?? "") / 1_000 / HOUR) * HOUR;
  const end = Math.floor(Date.parse(summary.until ?? "") / 1_000);
  for (let at = start; at < end; at += HOUR) {
    const sums = known.get(at);
    hours.times.push(at);
    hours.answered.push((sums?.requests ?? 0) - (sums?.failed_requests ?? 0));
    hours.failed.push(sums?.failed_requests ?? 0);
  }
  return hours;
}
