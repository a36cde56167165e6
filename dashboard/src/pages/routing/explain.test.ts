import { expect, test } from "vitest";

import { askedCount, notAsked, passedOf, reasonTone } from "./explain";
import { headersOf, samples } from "./samples";

test("rules that were passed by are told with their reason", () => {
  expect(
    passedOf([
      { step: "understand", text: "chat" },
      { step: "rule", text: "'a 'b' c' passed by: main is rate limited" },
      { step: "subagent", text: "the tag's model is passed by: nobody serves it" },
    ]),
  ).toEqual([
    { rule: "a 'b' c", why: "main is rate limited" },
    { rule: null, why: "nobody serves it" },
  ]);
});

test("how many rules were asked, or why none", () => {
  const rules = (text: string) => [{ step: "rules", text }];
  expect(askedCount(rules("none of 12 decides"))).toBe(12);
  expect(askedCount(rules("'x' holds (3 asked)"))).toBe(3);
  expect(notAsked(rules("not asked: the client chose the channel"))).toBe("client");
  expect(notAsked(rules("not asked: a sub-agent's tag chose the model"))).toBe("subagent");
  expect(notAsked(rules("none of 12 decides"))).toBeNull();
});

test("trouble is marked, what is meant so is not", () => {
  expect(reasonTone("ok")).toBe("ok");
  expect(reasonTone("does not serve the model")).toBe("neutral");
  expect(reasonTone("is rate limited")).toBe("warn");
  expect(reasonTone("something new")).toBe("warn");
});

test("headers are lines", () => {
  expect(headersOf("X-A: 1\n\n x-b:two words ")).toEqual({ "x-a": "1", "x-b": "two words" });
  expect(headersOf("nonsense")).toBeNull();
});

test("samples are bodies of their dialects", () => {
  for (const one of samples) {
    const body = one.body();
    expect(one.model ?? (body as { model: string }).model, one.id).toBeTruthy();
  }
});
