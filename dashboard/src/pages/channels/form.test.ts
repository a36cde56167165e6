import { expect, test } from "vitest";

import { blank, bodyOf, fieldOf, modelOf, modelText, schema, valuesOf } from "./form";

const channel = {
  id: "chn_1",
  name: "main",
  base_url: "https://api.example.com",
  models: ["gpt-*", { name: "fast", upstream: "gpt-5-mini" }],
  priority: -5,
  weight: 2,
  tags: ["eu", "paid"],
  headers: { "x-a": "b: c" },
  proxy_url: null,
  timeouts: { connect_s: 2.5 },
  keys: [{ id: "crd_1", kind: "api_key", last4: "0000", status: "enabled" }],
} as never;

test("what was read and not changed is sent back as it was", () => {
  const values = valuesOf(channel);
  expect(schema.safeParse(values).success).toBe(true);
  expect(bodyOf(values)).toEqual({
    name: "main",
    base_url: "https://api.example.com",
    models: ["gpt-*", { name: "fast", upstream: "gpt-5-mini" }],
    priority: -5,
    weight: 2,
    tags: ["eu", "paid"],
    headers: { "x-a": "b: c" },
    proxy_url: null,
    timeouts: { connect_s: 2.5 },
  });
});

test("new keys join those that are there", () => {
  const body = bodyOf({ ...blank, new_keys: " sk-1 \n\nsk-2" }, [
    { id: "crd_1", kind: "api_key", last4: "0000", status: "enabled" },
  ]);
  expect(body.keys).toEqual([{ id: "crd_1" }, "sk-1", "sk-2"]);
});

test("models are names, or names and what they are called upstream", () => {
  expect(modelOf("a -> b")).toEqual({ name: "a", upstream: "b" });
  expect(modelOf("a→b")).toEqual({ name: "a", upstream: "b" });
  expect(modelText(modelOf("x/y:z"))).toBe("x/y:z");
});

test.each([
  [{ name: "" }, "required"],
  [{ name: "a b" }, "name"],
  [{ base_url: "ftp://x" }, "url"],
  [{ weight: "0" }, "number"],
  [{ priority: "1.5" }, "number"],
  [{ headers: "no colon" }, "headers"],
  [{ proxy_url: "gopher://x" }, "proxy"],
  [{ timeouts: { ...blank.timeouts, idle_s: "-1" } }, "number"],
])("%o is refused", (wrong, message) => {
  const result = schema.safeParse({ ...blank, name: "ok", ...wrong });
  expect(result.error?.issues.map((one) => one.message)).toEqual([message]);
});

test("the API's field finds its place in the form", () => {
  expect(fieldOf("models[2].upstream")).toBe("models");
  expect(fieldOf("keys[0]")).toBe("new_keys");
  expect(fieldOf("timeouts.idle_s")).toBe("timeouts");
  expect(fieldOf("something")).toBeUndefined();
});
