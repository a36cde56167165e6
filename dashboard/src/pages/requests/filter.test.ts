import { expect, test } from "vitest";

import { fits, queryOf, searchOf } from "./filter";

const row = {
  id: "1",
  request_id: "req_0123456789",
  tenant: "acme",
  tenant_id: "ten_1",
  key: "first",
  key_id: "key_1",
  channel: "main",
  channel_id: "chn_1",
  model_requested: "fast",
  model: "gpt-5-mini",
  model_served: "gpt-5-mini-2026",
  user_agent: "claude-cli/2",
  outcome: "error",
  status: 429,
  reason: "rate limited",
} as never;

test("the address is cleaned of what makes no sense", () => {
  expect(
    searchOf({ status: "429", outcome: "odd", key: 123, model: "", more: 1 }),
  ).toEqual({ status: 429, key: "123" });
  expect(searchOf({ status: 42 })).toEqual({});
});

test("a request's id is looked up, other words are looked for", () => {
  expect(queryOf({ text: "req_0123456789", model: "m" })).toEqual({
    model: "m",
    request_id: "req_0123456789",
  });
  expect(queryOf({ text: "timeout", status: 500 })).toEqual({ status: 500 });
});

test.each([
  [{}, true],
  [{ tenant: "ten_1", key: "first", channel: "chn_1" }, true],
  [{ model: "gpt-5-mini-2026" }, true],
  [{ model: "gpt-5" }, false],
  [{ outcome: "ok" as const }, false],
  [{ status: 429, text: "CLAUDE limited" }, true],
  [{ text: "429" }, true],
  [{ text: "claude openai" }, false],
])("%o: %s", (filter, expected) => {
  expect(fits(row, filter)).toBe(expected);
});
