import { expect, test } from "vitest";

import { hoursOf } from "./hours";

const sums = (start: string, requests: number, failed: number) =>
  ({ start, requests, failed_requests: failed }) as never;

test("every hour has its point, those without requests are zero", () => {
  const hours = hoursOf({
    since: "2026-01-01T09:00:00.000Z",
    until: "2026-01-01T12:00:00.000Z",
    by_hour: [sums("2026-01-01T10:00:00.000Z", 5, 2)],
  });
  expect(hours.times.map((at) => new Date(at * 1000).getUTCHours())).toEqual([
    9, 10, 11,
  ]);
  expect(hours.answered).toEqual([0, 3, 0]);
  expect(hours.failed).toEqual([0, 2, 0]);
});
