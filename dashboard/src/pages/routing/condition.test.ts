import { expect, test } from "vitest";

import {
  conditionOf,
  incomplete,
  isGroup,
  newGroup,
  newLeaf,
  nodeAt,
  NotShown,
  replace,
  treeOf,
  type Leaf,
} from "./condition";

const there = (condition: object) => conditionOf(treeOf(condition)).condition;

test.each([
  [{}],
  [{ token_threshold: 60000, thinking: false, model: ["*haiku*", "*-mini"] }],
  [{ any: [{ has_images: true }, { has_audio: true, stream: false }], not: { keywords: ["a"] } }],
  [{ header: { "x-a": "1", "x-b": "*" } }],
  [{ not: { any: [{ not: { subagent: true } }, { web_search: true }] } }],
  [{ time: { from: "22:00", to: "06:00", utc_offset: "+02:00", days: ["mon"] } }],
  [{ model: ["a"], all: [{ model: ["b"] }] }],
  [{ any: [{ stream: true }, { has_code: true }], all: [{ any: [{ has_tools: true }, { thinking: true }] }] }],
])("%o is read and written back as it was", (condition) => {
  expect(there(condition)).toEqual(condition);
});

test("camelCase, single texts and needless nesting become plain", () => {
  expect(there({ tokenThreshold: 5, model: "gpt-*", all: [{ hasImages: true }] })).toEqual({
    token_threshold: 5,
    model: ["gpt-*"],
    has_images: true,
  });
});

test("what the form does not know it does not touch", () => {
  expect(() => treeOf({ surprise: 1 })).toThrow(NotShown);
  expect(() => treeOf({ any: { model: "a" } })).toThrow(NotShown);
  expect(() => treeOf({ token_threshold: "5" })).toThrow(NotShown);
});

test("the API's field finds its node, in its place in the JSON", () => {
  const tree = treeOf({
    any: [{ token_threshold: 10 }, { not: { user_pattern: "(" } }],
    header: { "x-a": "b" },
  });
  const { places } = conditionOf(tree);
  const any = tree.items[0]!;
  if (!isGroup(any)) throw new Error("not a group");
  const not = any.items[1]!;
  if (!isGroup(not)) throw new Error("not a group");
  expect(nodeAt(places, "condition.any[0].tokenThreshold")).toBe(any.items[0]!.id);
  expect(nodeAt(places, "condition.any[1].not.user_pattern")).toBe(not.items[0]!.id);
  expect(nodeAt(places, "condition.header.x-a")).toBe(tree.items[1]!.id);
  expect(nodeAt(places, "condition")).toBe(tree.id);
  expect(nodeAt(places, "target.channel")).toBeUndefined();
});

test("any on top is written as any", () => {
  const tree = { ...treeOf({ stream: true, thinking: true }), op: "any" as const };
  expect(conditionOf(tree).condition).toEqual({ any: [{ stream: true }, { thinking: true }] });
});

test("nodes are replaced and taken out wherever they are", () => {
  const tree = treeOf({ any: [{ stream: true }, { not: { thinking: true } }] });
  const any = tree.items[0]!;
  if (!isGroup(any)) throw new Error("not a group");
  const first = any.items[0] as Leaf;
  expect(conditionOf(replace(tree, first.id, { ...first, value: false })).condition).toEqual({
    any: [{ stream: false }, { not: { thinking: true } }],
  });
  expect(conditionOf(replace(tree, first.id, null)).condition).toEqual({
    any: [{ not: { thinking: true } }],
  });
});

test("what is missing is said before it is sent", () => {
  const leaf = newLeaf("token_threshold");
  expect(incomplete(newGroup("all", [leaf]))).toEqual({ id: leaf.id, why: "value" });
  const group = newGroup("any");
  expect(incomplete(newGroup("all", [group]))).toEqual({ id: group.id, why: "empty" });
  expect(incomplete(newGroup("all", [{ ...leaf, value: "5" }, newLeaf("stream")]))).toBeNull();
});
