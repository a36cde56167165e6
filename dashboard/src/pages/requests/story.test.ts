import { expect, test } from "vitest";

import { speedOf, ticksOf, tokensOf, waterfallOf, type Detail } from "./story";

const detail = (more: object) =>
  ({ duration_ms: 1000, ttft_ms: null, attempts: [], ...more }) as unknown as Detail;

test("attempts stand where they were, and are cut where the head came", () => {
  const { total, bars, ttft } = waterfallOf(
    detail({
      ttft_ms: 600,
      attempts: [
        { start_ms: 0, first_byte_ms: 0, duration_ms: 200, status: 0, code: "unreachable" },
        { start_ms: 500, first_byte_ms: 100, duration_ms: 500, status: 200, code: "ok" },
      ],
    }),
  );
  expect(total).toBe(1000);
  expect(ttft).toBe(60);
  expect(bars[0]).toMatchObject({
    ok: false,
    waiting: { from: 0, width: 20 },
    reading: { from: 20, width: 0 },
  });
  expect(bars[1]).toMatchObject({
    ok: true,
    waiting: { from: 50, width: 10 },
    reading: { from: 60, width: 40 },
  });
});

test("nothing is outside, however odd the figures", () => {
  const { total, bars } = waterfallOf(
    detail({
      duration_ms: 0,
      attempts: [{ start_ms: 5, first_byte_ms: 90, duration_ms: 10, status: 200 }],
    }),
  );
  expect(total).toBe(15);
  const { waiting, reading } = bars[0]!;
  expect(waiting.from + waiting.width).toBeLessThanOrEqual(100);
  expect(reading.width).toBe(0);
});

test.each([
  [1, []],
  [4, [1, 2, 3]],
  [1000, [200, 400, 600, 800]],
  [12_345, [5_000, 10_000]],
])("%d ms has ticks at %o", (total, ticks) => {
  expect(ticksOf(total)).toEqual(ticks);
});

test("kinds nobody counted are not shown; reasoning is not counted twice", () => {
  expect(
    tokensOf({
      input_tokens: 100,
      cache_read_tokens: 400,
      cache_write_tokens: 0,
      output_tokens: 50,
      reasoning_tokens: 30,
    } as never),
  ).toEqual([
    { kind: "input", count: 100, part: 0.25 },
    { kind: "cache_read", count: 400, part: 1 },
    { kind: "reasoning", count: 30, part: 0.075 },
    { kind: "output", count: 20, part: 0.05 },
  ]);
  expect(tokensOf({ input_tokens: null, output_tokens: null } as never)).toEqual([]);
});

test("speed is that of the stream, where it took long enough", () => {
  const row = { output_tokens: 100, ttft_ms: 500, duration_ms: 1500 };
  expect(speedOf(row as never)).toBe(100);
  expect(speedOf({ ...row, duration_ms: 510 } as never)).toBeNull();
  expect(speedOf({ ...row, ttft_ms: null } as never)).toBeNull();
});
