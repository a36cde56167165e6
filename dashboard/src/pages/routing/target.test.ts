import { expect, test } from "vitest";

import { sharesOf, targetBody, targetOf, pointsTo } from "./target";

test.each([
  [{ channel: "main" }],
  [{ channel: "main", model: "gpt-5" }],
  [{ channels: ["a", "b"], fallbacks: [{ tag: "eu" }, { channel: "c", model: "m" }] }],
  [{ channels: [{ channel: "a", weight: 3 }, { channel: "b", weight: 1 }] }],
  [{ tag: "eu", strategy: "latency" }],
  [{ model: "fast" }],
  [{ channel: "main", transformers: { use: ["maxtoken"] } }],
  [{}],
])("%o is read and written back as it was", (target) => {
  expect(targetBody(targetOf(target as never))).toEqual(target);
});

test("an empty list of fallbacks is none", () => {
  expect(targetBody(targetOf({ channel: "a", fallbacks: [] }))).toEqual({ channel: "a" });
});

test("weights are shares of the whole", () => {
  const { hop } = targetOf({ channels: [{ channel: "a", weight: 3 }, { channel: "b", weight: 1 }] });
  expect(sharesOf(hop)).toEqual([75, 25]);
});

test("a channel is pointed to by its name or id, first or as a fallback", () => {
  const main = { id: "chn_1", name: "main" };
  expect(pointsTo({ channel: "main" }, main)).toBe(true);
  expect(pointsTo({ channels: [{ channel: "chn_1", weight: 2 }] }, main)).toBe(true);
  expect(pointsTo({ tag: "eu", fallbacks: [{ channel: "main" }] }, main)).toBe(true);
  expect(pointsTo({ channel: "other" }, main)).toBe(false);
  expect(pointsTo({ model: "main" }, main)).toBe(false);
  expect(pointsTo(null, main)).toBe(false);
});
