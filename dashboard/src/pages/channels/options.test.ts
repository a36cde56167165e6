import { expect, test } from "vitest";

import { missing, textOf, valueOf, withOption, type Option } from "./options";

const option = (type: Option["type"], more: Partial<Option> = {}): Option => ({
  name: "x",
  type,
  required: false,
  default: null,
  help: "",
  ...more,
});

test("nothing typed leaves the default in force", () => {
  for (const type of ["integer", "boolean", "word", "object", "strings"] as const)
    expect(valueOf(option(type), "  ")).toEqual({ value: undefined });
});

test("numbers have to fit", () => {
  const whole = option("integer", { minimum: 1, maximum: 10 });
  expect(valueOf(whole, "7")).toEqual({ value: 7 });
  expect(valueOf(whole, "7.5")).toEqual({ wrong: true });
  expect(valueOf(whole, "0")).toEqual({ wrong: true });
  expect(valueOf(whole, "11")).toEqual({ wrong: true });
  expect(valueOf(whole, "x")).toEqual({ wrong: true });
  expect(valueOf(option("number"), "0.25")).toEqual({ value: 0.25 });
});

test("lists, words, switches and objects", () => {
  expect(valueOf(option("strings"), "a, b,,")).toEqual({ value: ["a", "b"] });
  expect(valueOf(option("boolean"), "false")).toEqual({ value: false });
  expect(valueOf(option("object"), '{"a":1}')).toEqual({ value: { a: 1 } });
  expect(valueOf(option("object"), "[1]")).toEqual({ wrong: true });
  expect(valueOf(option("object"), "{")).toEqual({ wrong: true });
  expect(valueOf(option("word"), "clamp")).toEqual({ value: "clamp" });
});

test("what is shown is read back the same", () => {
  const pairs: [Option, unknown][] = [
    [option("integer"), 5],
    [option("boolean"), false],
    [option("strings"), ["a", "b"]],
    [option("object"), { a: [1] }],
    [option("string"), "text"],
  ];
  for (const [of, value] of pairs)
    expect(valueOf(of, textOf(of, value))).toEqual({ value });
});

test("what is needed is missed until it is there", () => {
  const about = { options: [option("integer", { required: true })] } as never;
  expect(missing(about, {})).toEqual(["x"]);
  expect(missing(about, withOption({}, "x", 1))).toEqual([]);
  expect(withOption({ x: 1, y: 2 }, "x", undefined)).toEqual({ y: 2 });
});
