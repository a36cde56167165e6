import { expect, test } from "vitest";

import { tightest, toneOf, usesOf } from "./usage";

const state = {
  requests_per_min: { limit: 60, used: 30, resets_at: null },
  budget: {
    limit_usd: "10.00",
    used_usd: "9",
    window: "day" as const,
    resets_at: "2026-01-02T00:00:00Z",
  },
};

test("only limits that are set are shown, money as money", () => {
  const uses = usesOf(state);
  expect(uses.map((one) => one.name)).toEqual(["requests_per_min", "budget"]);
  expect(uses[1]).toMatchObject({ part: 0.9, money: true, window: "day" });
  expect(tightest(uses)?.name).toBe("budget");
  expect(usesOf(undefined)).toEqual([]);
});

test("what is nearly used up warns", () => {
  expect([0.5, 0.8, 1, 1.2].map(toneOf)).toEqual(["accent", "warn", "bad", "bad"]);
});
