import { expect, test } from "vitest";

import { priceBody, priceSchema, priceValues, type Price } from "./price";

const price = {
  model: "m",
  provider: "openai",
  source: "file",
  input: "3",
  output: "15",
  cache_read: "0.3",
  audio_input: "40",
  tiers: [{ over: 200_000, input: "6" }],
} as Price;

test("what the form does not show stays as it is", () => {
  expect(priceBody({ ...priceValues(price), input: "2.5", cache_read: "" }, price)).toEqual({
    input: "2.5",
    output: "15",
    audio_input: "40",
    tiers: [{ over: 200_000, input: "6" }],
  });
});

test("input and output are needed, all are decimal numbers", () => {
  const blank = priceValues(null);
  const issues = priceSchema.safeParse({ ...blank, reasoning: "1,5" }).error?.issues;
  expect(issues?.map((one) => one.path[0])).toEqual([
    "model", "input", "output", "reasoning",
  ]);
});
