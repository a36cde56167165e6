/** What is to be said about a data plane. */
import type { Schemas } from "@/api/client";
import type { Tone } from "@/ui/badge";

export type Plane = Schemas["Plane"];

export type Published = Schemas["Status"]["published"];

export const planeTone: Record<Plane["state"], Tone> = {
  in_sync: "ok",
  behind: "warn",
  incompatible: "bad",
  lost: "bad",
  left: "neutral",
};

/** The worst first, then by name; those that stopped are last. */
export function inOrder(planes: Plane[]): Plane[] {
  const rank = { lost: 0, incompatible: 1, behind: 2, in_sync: 3, left: 4 };
  return planes.toSorted(
    (a, b) => rank[a.state] - rank[b.state] || a.id.localeCompare(b.id),
  );
}

/** How many versions it lacks; null: it counts from another beginning. */
export function behindBy(plane: Plane, published: Published): number | null {
  const { epoch, version } = plane.applied;
  if (epoch !== published.epoch || version === undefined) return null;
  return Math.max(0, published.version - version);
}

/** Sums over those that are there; what a lost one said last is not true now. */
export function totalsOf(planes: Plane[]) {
  const there = planes.filter((one) => one.connected);
  const sum = (of: (plane: Plane) => number | undefined) =>
    there.reduce((total, one) => total + (of(one) ?? 0), 0);
  return {
    there: there.length,
    expected: planes.filter((one) => one.state !== "left").length,
    active: sum((one) => one.active),
    waiting: sum((one) => one.journal.records),
    waitingBytes: sum((one) => one.journal.bytes),
    memory: sum((one) => one.rss_bytes),
    rejected: planes.reduce((total, one) => total + one.rejected.length, 0),
    dropped: planes.reduce((total, one) => total + (one.journal.dropped ?? 0), 0),
  };
}

/** Requests per second between two looks at it; null: there was one look only. */
export function rateOf(
  before: { at: number; requests: number } | undefined,
  now: { at: number; requests: number },
): number | null {
  if (!before || now.at <= before.at || now.requests < before.requests) return null;
  return (now.requests - before.requests) / ((now.at - before.at) / 1_000);
}
