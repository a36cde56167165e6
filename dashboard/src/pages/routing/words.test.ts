import { expect, test } from "vitest";

import { conditionWords, targetWords } from "./words";

/* Keys and values instead of texts: the sentences are the translators'. */
const t = ((key: string, values?: Record<string, unknown>) =>
  key === "say.and"
    ? " & "
    : key === "say.or"
      ? " | "
      : key === "say.not"
        ? `!${String(values?.what)}`
        : key === "say.then"
          ? " > "
          : key.startsWith("say.")
            ? `${key.slice(4)}${values?.value === undefined ? "" : `=${String(values.value)}`}`
            : key) as never;

test("conditions are sentences, with brackets where they are needed", () => {
  expect(
    conditionWords({ stream: true, any: [{ model: ["a", "b"] }, { has_images: false }] }, t),
  ).toBe("Stream & (is=a, b | !has_images)");
  expect(conditionWords({ not: { stream: true, thinking: true } }, t)).toBe(
    "!(stream & thinking)",
  );
  expect(conditionWords({}, t)).toBe("");
  expect(conditionWords({ new_one: 1 }, t)).toBe("custom");
});

test("targets say who is first, in which shares, and who is next", () => {
  const rule = (target: object) => ({ target }) as never;
  expect(
    targetWords(
      rule({ channels: [{ channel: "a", weight: 3 }, { channel: "b", weight: 1 }], model: "m", fallbacks: [{ channel: "c" }] }),
      t,
    ),
  ).toEqual({ first: "a 75% / b 25% · m", then: ["c"] });
  expect(targetWords(rule({ channels: ["a", "b"] }), t).first).toBe("a > b");
  expect(targetWords(rule({}), t).first).toBe("function_decides");
});
