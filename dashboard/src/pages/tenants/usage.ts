/** How much of each limit is used. */
import type { Schemas } from "@/api/client";

export const limitNames = [
  "requests_per_min",
  "tokens_per_min",
  "concurrent",
  "quota",
  "budget",
] as const;
export type LimitName = (typeof limitNames)[number];

export interface Use {
  name: LimitName;
  used: number;
  limit: number;
  part: number;
  window: string | null;
  resetsAt: string | null;
  money: boolean;
}

/** The limits that are set, in a fixed order. */
export function usesOf(state: Schemas["LimitsUsed"] | undefined): Use[] {
  return limitNames.flatMap((name) => {
    const one = state?.[name];
    if (!one) return [];
    const money = "limit_usd" in one;
    const limit = money ? Number(one.limit_usd) : one.limit;
    const used = money ? Number(one.used_usd) : one.used;
    return [
      {
        name,
        used,
        limit,
        part: limit > 0 ? used / limit : 0,
        window: one.window ?? null,
        resetsAt: one.resets_at ?? null,
        money,
      },
    ];
  });
}

export const toneOf = (part: number) =>
  part >= 1 ? "bad" : part >= 0.8 ? "warn" : "accent";

/** The limit that will be hit first. */
export const tightest = (uses: Use[]) =>
  uses.toSorted((a, b) => b.part - a.part)[0];
