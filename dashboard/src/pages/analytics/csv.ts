/** Figures as a file for spreadsheets. */
import type { Schemas } from "@/api/client";

type Sums = Schemas["Sums"];

const columns = [
  "requests",
  "failed_requests",
  "error_rate",
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cost_usd",
  "cache_saved_usd",
  "uncounted_requests",
  "estimated_requests",
  "unpriced_requests",
  "mean_duration_ms",
  "duration_p50_ms",
  "duration_p95_ms",
  "duration_p99_ms",
  "ttft_p50_ms",
  "ttft_p95_ms",
  "ttft_p99_ms",
  "tokens_per_s_p50",
  "tokens_per_s_p95",
  "tokens_per_s_p99",
] as const satisfies (keyof Sums)[];

/** Spreadsheets take what begins like a formula for one. */
function cell(value: string | number | null | undefined): string {
  if (value == null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.]+$/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The rows, with their names or times in front. */
export function csvOf(head: string, rows: Sums[]): string {
  const lines = rows.map((row) =>
    [
      head === "start" ? row.start : (row.name ?? row.id),
      ...columns.map((name) => row[name]),
    ].map(cell),
  );
  return [[head, ...columns], ...lines]
    .map((line) => `${line.join(",")}\r\n`)
    .join("");
}

export function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
