import { expect, test } from "vitest";

type Tree = { [key: string]: string | Tree };
const files = import.meta.glob<Tree>("./*/*.json", {
  eager: true,
  import: "default",
});

function flat(tree: Tree, path = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of Object.entries(tree))
    if (typeof value === "string") all.set(path + name, value);
    else flat(value, `${path}${name}.`).forEach((v, k) => all.set(k, v));
  return all;
}

const blanks = (text: string) => [...text.matchAll(/{{\w+}}/g)].map(String).sort();
const names = Object.keys(files).filter((one) => one.startsWith("./en/"));

test.each(names)("%s says the same in Chinese", (name) => {
  const en = flat(files[name]!);
  const zh = flat(files[name.replace("/en/", "/zh-CN/")] ?? {});
  expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  for (const [key, text] of en) {
    expect(blanks(zh.get(key)!), key).toEqual(blanks(text));
    expect(zh.get(key)!.trim(), key).not.toBe("");
  }
});
