import { expect, test } from "vitest";

import { changeOf, restOf, timesOf, valuesOf } from "./series";

const point = (start: string, requests: number, more = {}) =>
  ({ start, requests, ...more }) as never;

test("every bucket has its point; empty ones are zero or unknown, as asked", () => {
  const times = timesOf({
    since: "2026-01-01T09:00:00Z",
    until: "2026-01-01T12:00:00Z",
    bucket: "hour",
  });
  expect(times).toHaveLength(3);
  const points = [point("2026-01-01T10:00:00Z", 5)];
  expect(valuesOf(times, points, (one) => one.requests)).toEqual([0, 5, 0]);
  expect(valuesOf(times, points, (one) => one.requests, null)).toEqual([
    null, 5, null,
  ]);
});

test("what the names leave is the rest, and never below nothing", () => {
  expect(restOf([10, 5, null], [[4, 5, 0], [3, 1, 0]])).toEqual([3, 0, 0]);
});

test("a change needs something to compare to", () => {
  expect(changeOf(15, 10)).toBeCloseTo(0.5);
  expect(changeOf(15, 0)).toBe(null);
  expect(changeOf(null, 3)).toBe(null);
});
