import { expect, test } from "vitest";

import { lineOf, stepsOf } from "./place";

const text = `{
  "name": "a \\" } b",
  "condition": {
    "any": [
      { "model": ["x", "y"] },
      {
        "not": {
          "userPattern": "("
        }
      }
    ]
  },
  "target": { "channel": "main" }
}`;

test.each([
  ["name", 2],
  ["condition.any[0].model", 5],
  ["condition.any[1].not.user_pattern", 8],
  ["condition.any[1].not.gone", 7],
  ["target.channel", 13],
  ["elsewhere", 1],
])("%s is on line %d", (path, line) => {
  expect(lineOf(text, path)).toBe(line);
});

test("in what is no JSON there are no lines", () => {
  expect(lineOf("{", "a")).toBe(0);
});

test("a path is names and places", () => {
  expect(stepsOf("models[2].upstream")).toEqual(["models", 2, "upstream"]);
});
