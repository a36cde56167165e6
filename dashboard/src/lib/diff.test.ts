import { expect, test } from "vitest";

import { fieldsOf, isSame, show } from "./diff";

test("the order of members is no difference", () => {
  expect(isSame({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true);
  expect(isSame([1, 2], [2, 1])).toBe(false);
  expect(isSame(null, {})).toBe(false);
});

test("only what is different is told, by its path", () => {
  expect(
    fieldsOf(
      { name: "a", limits: { rpm: 1, tpm: 5 }, tags: ["x"] },
      { name: "a", limits: { rpm: 2, tpm: 5 }, tags: ["x", "y"] },
    ),
  ).toEqual([
    { field: "limits.rpm", before: 1, after: 2 },
    { field: "tags", before: ["x"], after: ["x", "y"] },
  ]);
});

test("what came or went has one side only", () => {
  expect(fieldsOf(null, { a: 1 })).toEqual([
    { field: "a", before: undefined, after: 1 },
  ]);
  expect(fieldsOf({ a: { b: 1 } }, { a: null })).toEqual([
    { field: "a.b", before: 1, after: undefined },
  ]);
  expect(fieldsOf({ a: 1 }, { a: null })).toEqual([
    { field: "a", before: 1, after: null },
  ]);
});

test("lists of objects are compared one by one", () => {
  expect(
    fieldsOf({ keys: [{ s: 1 }, { s: 2 }] }, { keys: [{ s: 1 }, { s: 3 }] }),
  ).toEqual([{ field: "keys[1].s", before: 2, after: 3 }]);
});

test("what says nothing can be left out, at the top only", () => {
  expect(
    fieldsOf(
      { updated_at: 1, in: { updated_at: 1 } },
      { updated_at: 2, in: { updated_at: 2 } },
      ["updated_at"],
    ).map((one) => one.field),
  ).toEqual(["in.updated_at"]);
});

test("values are shown as people read them", () => {
  expect(show("text")).toBe("text");
  expect(show(["a", 1])).toBe('["a",1]');
  expect(show({ a: "x".repeat(80) })).toContain("\n");
});
