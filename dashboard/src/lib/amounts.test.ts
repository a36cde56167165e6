import { expect, test } from "vitest";

import {
  readBytes,
  readCount,
  readMoney,
  readSpan,
  writeBytes,
  writeSpan,
} from "./amounts";

test.each([
  ["60", 60],
  ["1,500", 1_500],
  ["2 000 000", 2_000_000],
  ["10k", 10_000],
  ["1.1M", 1_100_000],
  ["2.5 m", 2_500_000],
  ["1b", 1e9],
  ["1.5", undefined],
  ["", undefined],
  ["many", undefined],
  ["-3", undefined],
])("the count %s is %s", (text, n) => expect(readCount(text)).toBe(n));

test.each([
  ["90", 90],
  ["5h", 18_000],
  ["1d 12h", 129_600],
  ["1d12h", 129_600],
  ["500ms", 0.5],
  ["2 min", 120],
  ["0", 0],
  ["", undefined],
  ["soon", undefined],
  ["5h soon", undefined],
])("the span %s is %s seconds", (text, n) => expect(readSpan(text)).toBe(n));

test.each([0, 0.1, 0.5, 5, 90, 300, 18_000, 86_400, 129_600, 31_536_001])(
  "%s seconds come back as they went out",
  (n) => expect(readSpan(writeSpan(n))).toBe(n),
);

test("spans are written short", () => {
  expect(writeSpan(18_000)).toBe("5h");
  expect(writeSpan(129_600)).toBe("1d 12h");
  expect(writeSpan(0.5)).toBe("0.5s");
  expect(writeSpan(null)).toBe("");
});

test.each([
  ["$20", "20"],
  ["1,000.50", "1000.50"],
  ["0.000001", "0.000001"],
  ["0.0000001", undefined],
  ["free", undefined],
  ["", undefined],
])("the money %s is %s", (text, n) => expect(readMoney(text)).toBe(n));

test.each([
  ["32 MiB", 33_554_432],
  ["1GB", 1e9],
  ["1500", 1_500],
  ["1.5 KiB", 1_536],
  ["MiB", undefined],
])("the size %s is %s bytes", (text, n) => expect(readBytes(text)).toBe(n));

test("sizes are written in the greatest whole unit", () => {
  expect(writeBytes(33_554_432)).toBe("32 MiB");
  expect(writeBytes(1_073_741_824)).toBe("1 GiB");
  expect(writeBytes(1_500)).toBe("1500 B");
});
