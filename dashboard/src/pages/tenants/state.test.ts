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
