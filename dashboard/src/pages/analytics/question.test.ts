import { expect, test } from "vitest";

import {
  beforeOf,
  canSplit,
  csvUrl,
  drill,
  filtersOf,
  queryOf,
  readQuestion,
  withRange,
} from "./question";

test("an address is read, what makes no sense is left out", () => {
  expect(
    readQuestion({ range: "7d", by: "model", order: "cost", channel: "a", tag: 7 }),
  ).toEqual({ range: "7d", by: "model", order: "cost", channel: "a", tag: "7" });
  expect(readQuestion({ range: "custom", by: "weather", order: 3, key: "" })).toEqual(
    {},
  );
  expect(
    readQuestion({ range: "custom", since: "2026-01-02", until: "2026-01-01" }),
  ).toEqual({});
});

test("the API is asked for the same", () => {
  expect(queryOf({})).toEqual({ range: "24h" });
  const custom = readQuestion({
    range: "custom",
    since: "2026-01-01T00:00:00Z",
    until: "2026-01-03T00:00:00Z",
    model: "gpt-5",
  });
  expect(queryOf(custom)).toEqual({
    since: "2026-01-01T00:00:00Z",
    until: "2026-01-03T00:00:00Z",
    model: "gpt-5",
  });
  expect(filtersOf(custom)).toEqual([["model", "gpt-5"]]);
});

test("the time before is as long", () => {
  expect(beforeOf({ range: "7d", tenant: "x" })).toEqual({
    since: "14d",
    until: "7d",
    tenant: "x",
  });
  expect(
    beforeOf({
      range: "custom",
      since: "2026-01-03T00:00:00.000Z",
      until: "2026-01-05T00:00:00.000Z",
    }),
  ).toEqual({
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-03T00:00:00.000Z",
  });
});

test("another range forgets the dates, not the filters", () => {
  expect(
    withRange({ range: "custom", since: "a", until: "b", model: "m" }, "1h"),
  ).toEqual({ range: "1h", model: "m" });
});

test("one name is looked into, broken down by what is left", () => {
  expect(drill({ by: "model", range: "7d" }, "model", "gpt-5")).toEqual({
    range: "7d",
    model: "gpt-5",
    by: "channel",
  });
  expect(drill({ by: "rule", channel: "a" }, "rule", "long")).toMatchObject({
    rule: "long",
    by: "rule",
  });
  expect(drill({ by: "rule", channel: "a" }, "rule", "long").channel).toBeUndefined();
});

test("rules and tags are counted by themselves only", () => {
  expect(canSplit({ channel: "a" }, "model")).toBe(true);
  expect(canSplit({ channel: "a" }, "tag")).toBe(false);
  expect(canSplit({ tag: "a" }, "tag")).toBe(true);
  expect(canSplit({ tag: "a" }, "model")).toBe(false);
});

test("a file is of the same range and filters", () => {
  expect(csvUrl({ range: "7d", key: "a b" }, "key")).toBe(
    "/api/usage.csv?range=7d&key=a+b&by=key",
  );
  expect(csvUrl({})).toBe("/api/usage.csv?range=24h");
});
