import { expect, test } from "vitest";

import { keyState } from "./state";

const now = Date.parse("2026-01-01T00:00:00Z");
const at = (days: number) => new Date(now + days * 86_400_000).toISOString();
const good = { status: "enabled" } as const;

test.each([
  ["enabled", null, good, "good"],
  ["enabled", at(30), good, "good"],
  ["enabled", at(2), good, "expiring"],
  ["enabled", at(-1), good, "expired"],
  ["disabled", at(-1), good, "disabled"],
  ["enabled", null, { status: "disabled" } as const, "tenant_disabled"],
] as const)("%s, until %s: %s", (status, expires_at, tenant, word) => {
  expect(keyState({ status, expires_at }, tenant, now).state).toBe(word);
});

test("a quota that is gone is told; a rate that is, is not: it comes back at once", () => {
  const quota = (used: number) =>
    ({
      status: "enabled",
      expires_at: null,
      limits_state: { quota: { used, limit: 100, window: "day", resets_at: at(1) } },
    }) as never as Parameters<typeof keyState>[0];
  expect(keyState(quota(99), good, now).state).toBe("good");
  expect(keyState(quota(100), good, now).state).toBe("used_up");
  expect(keyState({ status: "enabled", expires_at: null }, quota(100) as never, now).state).toBe(
    "used_up",
  );
  const rate = { limits_state: { requests_per_min: { used: 9, limit: 9 } } };
  expect(keyState({ status: "enabled", expires_at: null, ...(rate as object) }, good, now).state).toBe("good");
});
