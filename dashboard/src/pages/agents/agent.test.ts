import { expect, test } from "vitest";

import { blank, bodyOf, isReadable, missing, stateOf, valuesOf, type Agent } from "./agent";

const agent: Agent = {
  id: "reviewer",
  name: "reviewer",
  description: "Looks at changes",
  model: "deep",
  routing: "main, tag:eu",
  prompt: "You are a careful reviewer of changes to code.",
  routed: true,
  fault: null,
  updated_at: null,
};

test("what was read and not changed is sent back as it was", () => {
  const { name, description, model, routing, prompt } = agent;
  expect(bodyOf(valuesOf(agent))).toEqual({ name, description, model, routing, prompt });
});

test("a prompt is measured in bytes, without the blanks around", () => {
  expect(missing("")).toBe(40);
  expect(missing(` ${"a".repeat(39)} `)).toBe(1);
  expect(missing("你".repeat(14))).toBe(0);
  expect(missing(blank.prompt)).toBe(40);
});

test("a file that cannot be read is told from one that names what is not there", () => {
  const named = { ...agent, fault: { line: 0, reason: "routing: there is no channel" } };
  const broken = { ...agent, fault: { line: 3, reason: "no closing quote" } };
  expect([agent, named, broken].map(isReadable)).toEqual([true, true, false]);
  expect([agent, named, { ...agent, routed: false }].map(stateOf)).toEqual([
    "routed",
    "faulty",
    "listed",
  ]);
});
