import { expect, test } from "vitest";

import texts from "@/i18n/en/requests.json";
import { adviceOf } from "./advice";

const row = { key: "laptop", key_id: "key_1", channel: "main" };

test("a limit leads to the key that has it", () => {
  for (const reason of ["limit_reached", "quota_used_up", "key_expired"])
    expect(adviceOf({ ...row, reason })).toEqual({
      word: "key",
      to: { to: "/tenants", search: { key: "key_1" } },
    });
});

test("a key nobody knows leads to the list of them", () => {
  expect(adviceOf({ key: null, key_id: null, channel: null, reason: "invalid_key" })?.to).toEqual({
    to: "/tenants",
  });
});

test("what needs nothing has no advice", () => {
  expect(adviceOf({ ...row, reason: null })).toBeNull();
  expect(adviceOf({ ...row, reason: "client_left" })).toBeNull();
});

test("every advice has its words", () => {
  for (const reason of Object.keys(texts.reasons)) {
    const advice = adviceOf({ ...row, reason });
    if (advice) expect(texts.advice[advice.word]).toBeTruthy();
  }
});
