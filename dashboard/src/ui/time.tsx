import { useSyncExternalStore } from "react";

import { formatRelative, formatTime, UNKNOWN } from "@/lib/format";

/* One clock for all of them. */
let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(fn: () => void) {
  watchers.add(fn);
  timer ??= setInterval(() => {
    now = Date.now();
    watchers.forEach((one) => one());
  }, 1_000);
  return () => {
    watchers.delete(fn);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time, to the second; the component is drawn again each second. */
export const useNow = () => useSyncExternalStore(watch, () => now);

/** "3 min. ago"; the tooltip has the exact time. */
export function Ago({ time }: { time: string | null | undefined }) {
  const at = useNow();
  if (!time) return UNKNOWN;
  return (
    <time dateTime={time} title={formatTime(time)} className="tabular">
      {formatRelative(time, Math.max(at, Date.now()))}
    </time>
  );
}
