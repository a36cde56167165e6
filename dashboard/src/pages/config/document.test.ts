import { expect, test } from "vitest";

import { byKind, countOf, fileName, readDocument, selectOf } from "./document";

const change = (kind: string, name: string) =>
  ({ kind, name, action: "added", fields: [] }) as never;

test("a file that is no document is told apart by what is wrong", () => {
  expect(readDocument("{")).toEqual({ wrong: "json" });
  expect(readDocument("[1]")).toEqual({ wrong: "object" });
  expect(readDocument("null")).toEqual({ wrong: "object" });
  expect(readDocument('{"Providers":[]}')).toEqual({ wrong: "foreign" });
});

test("a document is read, also out of the API's answer", () => {
  const document = { format: "routex-config", version: 1, channels: [] };
  expect(readDocument(JSON.stringify(document))).toEqual({ document });
  expect(readDocument(JSON.stringify({ data: document }))).toEqual({ document });
  expect(readDocument('{"channels":[]}')).toEqual({ document: { channels: [] } });
});

test("things of a kind are counted", () => {
  expect(countOf({ channels: [{}, {}], settings: {} }, "channels")).toBe(2);
  expect(countOf({ channels: [{}, {}], settings: {} }, "settings")).toBe(1);
  expect(countOf({}, "rules")).toBe(0);
});

test("what is left out is not named, and all needs no names", () => {
  const changes = [change("rules", "a"), change("rules", "b"), change("keys", "a")];
  expect(selectOf(changes, new Set())).toBeUndefined();
  expect(selectOf(changes, new Set(["rules:b"]))).toBe("rules:a,keys:a");
});

test("changes are grouped in the order of a document", () => {
  const groups = byKind([change("rules", "a"), change("settings", "settings")]);
  expect(groups.map(([kind]) => kind)).toEqual(["settings", "rules"]);
});

test("a file is named by its time", () => {
  expect(fileName(new Date("2026-01-02T03:04:05.678Z"))).toBe(
    "routex-20260102T030405Z.json",
  );
});
