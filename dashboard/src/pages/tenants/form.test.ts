import { expect, test } from "vitest";

import type { Key } from "@/api/tenants";
import {
  blankKey,
  blankTenant,
  fieldOf,
  keyBody,
  keySchema,
  keyValues,
  tenantBody,
  tenantSchema,
} from "./form";

const key = {
  name: "ci",
  tenant: "default",
  expires_at: "2027-01-01T10:20:30.000Z",
  may_force_channel: true,
  models: ["gpt-*"],
  channels: ["*"],
  ips: ["10.0.0.0/8"],
  limits: {
    requests_per_min: 60,
    quota: { tokens: 5_000_000, window: "week" },
    budget: { amount_usd: "12.5", window: "day" },
  },
} as unknown as Key;

test("a key goes into the form and comes out as it was", () => {
  expect(keyBody(keyValues(key), key.expires_at)).toEqual({
    name: "ci",
    tenant: "default",
    expires_at: "2027-01-01T10:20:30.000Z",
    may_force_channel: true,
    models: ["gpt-*"],
    channels: ["*"],
    ips: ["10.0.0.0/8"],
    limits: {
      requests_per_min: 60,
      tokens_per_min: null,
      concurrent: null,
      quota: { tokens: 5_000_000, window: "week" },
      budget: { amount_usd: "12.5", window: "day" },
    },
  });
});

test("a limit that was emptied is taken away, an empty list allows all", () => {
  const body = tenantBody({ ...blankTenant, name: "x", tokens_per_min: "2.5M" });
  expect(body.limits).toMatchObject({ tokens_per_min: 2_500_000, budget: null });
  expect(body.models).toEqual(["*"]);
});

test("a span becomes a time", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(keyBody({ ...blankKey, expiry: "7d" }, null, now).expires_at).toBe(
    "2026-01-08T00:00:00.000Z",
  );
  expect(keyBody(blankKey, null, now).expires_at).toBe(null);
});

test.each([
  ["requests_per_min", "0", "count"],
  ["tokens_per_min", "a lot", "count"],
  ["budget", "0", "money"],
  ["budget", "2000000", "money"],
  ["ips", "10.0.0.0/8, here", "network"],
  ["name", " ", "required"],
] as const)("%s does not take “%s”", (name, value, message) => {
  const result = tenantSchema.safeParse({ ...blankTenant, name: "x", [name]: value });
  expect(result.error?.issues[0]).toMatchObject({ path: [name], message });
});

test("a date is needed where one is wanted", () => {
  const result = keySchema.safeParse({ ...blankKey, name: "x", expiry: "at" });
  expect(result.error?.issues[0]).toMatchObject({ path: ["expires_at"] });
});

test("the API's word finds its field", () => {
  expect(fieldOf("limits.budget.amount_usd")).toBe("budget");
  expect(fieldOf("limits.requests_per_min")).toBe("requests_per_min");
  expect(fieldOf("ips")).toBe("ips");
  expect(fieldOf("nothing")).toBe(undefined);
});
