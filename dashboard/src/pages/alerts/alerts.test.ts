import { expect, test } from "vitest";

import { byNeed, lasted, whereOf } from "./alerts";
import { isNarrowed, searchOf } from "./search";

const alert = (severity: string, opened_at: string, acked_at: string | null) =>
  ({ severity, opened_at, acked_at }) as never;

test("what nobody has seen is first, then the worst, then the newest", () => {
  const list: { severity: string; opened_at: string }[] = [
    alert("critical", "1", "2"),
    alert("info", "9", null),
    alert("warning", "1", null),
    alert("warning", "3", null),
  ];
  expect(
    (list as never[]).toSorted(byNeed).map((one: never) => {
      const { severity, opened_at } = one as (typeof list)[number];
      return severity + opened_at;
    }),
  ).toEqual(["warning3", "warning1", "info9", "critical1"]);
});

test("an open alert lasts until now", () => {
  const opened_at = "2026-01-01T00:00:00Z";
  const now = Date.parse("2026-01-01T00:10:00Z");
  expect(lasted({ opened_at, closed_at: null }, now)).toBe(600);
  expect(lasted({ opened_at, closed_at: "2026-01-01T00:00:30Z" }, now)).toBe(30);
});

test("an alert leads to what it is about", () => {
  expect(whereOf({ about: "channel", subject: "chn_1" })).toEqual({
    to: "/channels",
    search: { channel: "chn_1" },
  });
  expect(whereOf({ about: "unheard of", subject: "x" })).toBeNull();
});

test("an address of something else is read as nothing", () => {
  expect(searchOf({ part: "no", actor: " ", kind: ["x"], line: 12 })).toEqual({
    line: "12",
  });
  expect(searchOf({ part: "audit", kind: "channel" })).toEqual({
    part: "audit",
    kind: "channel",
  });
  expect(isNarrowed({ part: "audit" })).toBe(false);
  expect(isNarrowed({ part: "audit", since: "7d" })).toBe(true);
});
