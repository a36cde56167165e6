import type { ReactNode } from "react";

import { cn } from "@/lib/cn";
import { Skeleton } from "./states";

/** One figure and what it means. */
export function Stat({
  label,
  value,
  note,
  tone,
  loading,
}: {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: "bad" | "warn";
  loading?: boolean;
}) {
  return (
    <div className="min-w-0 bg-surface px-4 py-3">
      <dt className="truncate text-xs text-muted">{label}</dt>
      <dd className="mt-1">
        {loading ? (
          <Skeleton className="my-1 h-6 w-20" />
        ) : (
          <span
            className={cn(
              "block truncate text-xl font-semibold tracking-tight tabular",
              tone === "bad" && "text-bad-text",
              tone === "warn" && "text-warn-text",
            )}
          >
            {value}
          </span>
        )}
        <span className="mt-0.5 block min-h-4.5 truncate text-xs text-muted">
          {note}
        </span>
      </dd>
    </div>
  );
}

/** Figures side by side, with lines between. */
export const Stats = ({ children }: { children: ReactNode }) => (
  <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line shadow-card sm:grid-cols-3 xl:grid-cols-6">
    {children}
  </dl>
);

/** How much of a whole, as a bar. */
export function Bar({
  part,
  label,
  tone = "accent",
}: {
  /** 0 to 1 */
  part: number;
  label: string;
  tone?: "accent" | "ok" | "warn" | "bad";
}) {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
  const colors = {
    accent: "bg-accent",
    ok: "bg-ok",
    warn: "bg-warn",
    bad: "bg-bad",
  };
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="h-1.5 overflow-hidden rounded-full bg-hover"
    >
      <div
        className={cn("h-full rounded-full transition-[width]", colors[tone])}
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}
