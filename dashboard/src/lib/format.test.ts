import i18next from "i18next";
import { beforeAll, describe, expect, test } from "vitest";

import {
  formatBytes,
  formatMoney,
  formatMs,
  formatPercent,
  formatRelative,
  formatShort,
  formatSpan,
  UNKNOWN,
} from "./format";

beforeAll(() => i18next.changeLanguage("en"));

describe("what is unknown is not zero", () => {
  test.each([formatShort, formatMs, formatMoney, formatBytes, formatPercent])(
    "%o",
    (format) => {
      expect(format(null)).toBe(UNKNOWN);
      expect(format(undefined)).toBe(UNKNOWN);
      expect(format(0)).not.toBe(UNKNOWN);
    },
  );
});

test("money keeps the digits that matter", () => {
  expect(formatMoney("1234.5")).toBe("$1,234.50");
  expect(formatMoney("0.0123")).toBe("$0.012");
  expect(formatMoney("0.000012")).toBe("$0.000012");
  expect(formatMoney("0")).toBe("$0.00");
  expect(formatMoney("no number")).toBe(UNKNOWN);
});

test("spans show their two greatest parts", () => {
  expect(formatSpan(0)).toBe("0s");
  expect(formatSpan(59.6)).toBe("1m");
  expect(formatSpan(3_725)).toBe("1h 2m");
  expect(formatSpan(90_000)).toBe("1d 1h");
});

test("short times are exact, long ones readable", () => {
  expect(formatMs(812.4)).toBe("812ms");
  expect(formatMs(1_240)).toBe("1.24s");
  expect(formatMs(185_000)).toBe("3m 5s");
});

test("large numbers are short", () => {
  expect(formatShort(9_999)).toBe("9,999");
  expect(formatShort(1_234_567)).toBe("1.2M");
  expect(formatBytes(17_300_000)).toBe("17.3 MB");
});

test("times are told from now", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(formatRelative("2026-01-01T12:02:00Z", now)).toBe("in 2 min.");
  expect(formatRelative("2026-01-01T09:00:00Z", now)).toBe("3 hr. ago");
  expect(formatRelative(null, now)).toBe(UNKNOWN);
});
