/**
 * A condition as a tree that can be drawn and changed, and back.  The API has
 * objects whose members must all hold; "any", "all" and "not" nest.
 */
export interface Header {
  name: string;
  value: string;
}
export interface Time {
  from: string;
  to: string;
  utc_offset: string;
  days: string[];
}
export type Value = string | boolean | string[] | Header | Time;

export interface Leaf {
  id: string;
  name: LeafName;
  value: Value;
}
export type Op = "all" | "any" | "not";
/** "not": not all of its items hold. */
export interface Group {
  id: string;
  op: Op;
  items: Node[];
}
export type Node = Leaf | Group;
export const isGroup = (node: Node): node is Group => "op" in node;

export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

interface Kind {
  shape: "number" | "flag" | "texts" | "words" | "pattern" | "function" | "header" | "time";
  group: "size" | "request" | "text" | "guess" | "who";
  words?: string[];
}

const flag = { shape: "flag", group: "request" } as const;
export const kinds = {
  token_threshold: { shape: "number", group: "size" },
  token_below: { shape: "number", group: "size" },
  model: { shape: "texts", group: "request" },
  model_pattern: { shape: "pattern", group: "request" },
  dialect: {
    shape: "words",
    group: "request",
    words: ["anthropic", "chat", "responses", "gemini"],
  },
  tool_names: { shape: "texts", group: "request" },
  thinking: flag,
  web_search: flag,
  subagent: flag,
  stream: flag,
  has_tools: flag,
  has_images: flag,
  has_documents: flag,
  has_audio: flag,
  has_code: flag,
  keywords: { shape: "texts", group: "text" },
  user_pattern: { shape: "pattern", group: "text" },
  system_pattern: { shape: "pattern", group: "text" },
  min_word_count: { shape: "number", group: "text" },
  max_word_count: { shape: "number", group: "text" },
  content_category: {
    shape: "words",
    group: "guess",
    words: ["coding", "writing", "analysis", "conversation", "research", "creative", "technical", "general"],
  },
  complexity_level: {
    shape: "words",
    group: "guess",
    words: ["simple", "moderate", "complex", "very_complex"],
  },
  programming_language: {
    shape: "words",
    group: "guess",
    words: ["python", "javascript", "typescript", "java", "c", "cpp", "csharp", "go", "rust", "ruby", "php", "sql", "shell", "none"],
  },
  intent: {
    shape: "words",
    group: "guess",
    words: ["question", "task", "generation", "analysis", "conversation", "review", "debug"],
  },
  tenant: { shape: "texts", group: "who" },
  key: { shape: "texts", group: "who" },
  tag: { shape: "texts", group: "who" },
  user_agent: { shape: "texts", group: "who" },
  header: { shape: "header", group: "who" },
  time: { shape: "time", group: "who" },
  custom_function: { shape: "function", group: "who" },
} as const satisfies Record<string, Kind>;

export type LeafName = keyof typeof kinds;
export const leafNames = Object.keys(kinds) as LeafName[];
export const kindOf = (name: LeafName): Kind => kinds[name];
export const groups = ["size", "request", "text", "guess", "who"] as const;

let nextId = 1;
const newId = () => `n${nextId++}`;

const blanks: Record<Kind["shape"], () => Value> = {
  number: () => "",
  flag: () => true,
  texts: () => [],
  words: () => [],
  pattern: () => "",
  function: () => "",
  header: () => ({ name: "", value: "" }),
  time: () => ({ from: "22:00", to: "06:00", utc_offset: "+00:00", days: [...days] }),
};

export const newLeaf = (name: LeafName): Leaf => ({
  id: newId(),
  name,
  value: blanks[kindOf(name).shape](),
});
export const newGroup = (op: Op, items: Node[] = []): Group => ({
  id: newId(),
  op,
  items,
});

/* ---- from the API ------------------------------------------------------------ */

type Obj = Record<string, unknown>;
const isObj = (value: unknown): value is Obj =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const snake = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What the form cannot show; the JSON view can. */
export class NotShown extends Error {}

function leafOf(name: LeafName, value: unknown): Leaf {
  const leaf = (value: Value): Leaf => ({ id: newId(), name, value });
  const wrong = () => new NotShown(name);
  switch (kindOf(name).shape) {
    case "number":
      if (typeof value !== "number") throw wrong();
      return leaf(String(value));
    case "flag":
      if (typeof value !== "boolean") throw wrong();
      return leaf(value);
    case "texts":
    case "words": {
      const list = typeof value === "string" ? [value] : value;
      if (!Array.isArray(list) || !list.every((one) => typeof one === "string"))
        throw wrong();
      return leaf(list);
    }
    case "pattern":
    case "function":
      if (typeof value !== "string") throw wrong();
      return leaf(value);
    case "time": {
      if (!isObj(value)) throw wrong();
      const made = { ...(blanks.time() as Time), from: "00:00", to: "24:00", ...value };
      return leaf(made as Time);
    }
    case "header":
      throw wrong();
  }
}

function nodeOf(value: unknown): Node {
  if (!isObj(value)) throw new NotShown("a condition");
  const items = itemsOf(value);
  return items.length === 1 ? items[0]! : newGroup("all", items);
}

function listOf(value: unknown): Node[] {
  if (!Array.isArray(value)) throw new NotShown("a list");
  return value.map(nodeOf);
}

function itemsOf(object: Obj): Node[] {
  return Object.entries(object).flatMap(([key, value]): Node[] => {
    const name = snake(key);
    if (name === "all") return listOf(value);
    if (name === "any") return [newGroup("any", listOf(value))];
    if (name === "not") {
      if (!isObj(value)) throw new NotShown(name);
      return [newGroup("not", itemsOf(value))];
    }
    if (name === "header") {
      if (!isObj(value)) throw new NotShown(name);
      return Object.entries(value).map(([header, wanted]) => ({
        id: newId(),
        name: "header" as const,
        value: { name: header, value: String(wanted) },
      }));
    }
    if (!(name in kinds)) throw new NotShown(key);
    return [leafOf(name as LeafName, value)];
  });
}

export const treeOf = (condition: unknown): Group =>
  newGroup("all", itemsOf(isObj(condition) ? condition : {}));

/* ---- to the API ---------------------------------------------------------------- */

function valueOf(leaf: Leaf): unknown {
  const { value } = leaf;
  if (kindOf(leaf.name).shape === "number")
    return value === "" ? null : Number(value);
  return value;
}

/** The condition, and which path of it came from which node. */
export interface Written {
  condition: Obj;
  places: Map<string, string>;
}

export function conditionOf(tree: Group, at = "condition"): Written {
  const places = new Map<string, string>();

  const single = (node: Node, path: string): Obj => {
    places.set(path, node.id);
    if (isGroup(node) && node.op === "all") return object(node.items, path);
    return object([node], path);
  };
  const list = (nodes: Node[], path: string) =>
    nodes.map((one, i) => single(one, `${path}[${i}]`));
  const member = (node: Node, path: string): [string, unknown, string] => {
    if (!isGroup(node)) {
      places.set(`${path}.${node.name}`, node.id);
      return [node.name, valueOf(node), `${path}.${node.name}`];
    }
    places.set(`${path}.${node.op}`, node.id);
    return [
      node.op,
      node.op === "any"
        ? list(node.items, `${path}.any`)
        : object(node.items, `${path}.not`),
      `${path}.${node.op}`,
    ];
  };
  /* What cannot stand twice in an object goes into its "all". */
  function object(nodes: Node[], path: string): Obj {
    const made: Obj = {};
    const rest: Node[] = [];
    for (const node of nodes) {
      if (!isGroup(node) && node.name === "header") {
        const { name, value } = node.value as Header;
        const headers = (made.header ??= {}) as Obj;
        if (name in headers) rest.push(node);
        else {
          headers[name] = value;
          places.set(`${path}.header.${name}`, node.id);
        }
        continue;
      }
      const name = isGroup(node) ? node.op : node.name;
      if (name === "all" || name in made) {
        rest.push(node);
        continue;
      }
      const [key, value] = member(node, path);
      made[key] = value;
    }
    if (rest.length > 0) made.all = list(rest, `${path}.all`);
    return made;
  }

  const condition =
    tree.op === "all" ? object(tree.items, at) : object([tree], at);
  places.set(at, tree.id);
  return { condition, places };
}

/** Which node the API's field is about: the one nearest to it. */
export function nodeAt(places: Map<string, string>, field: string): string | undefined {
  for (let path = snake(field); path !== ""; ) {
    const id = places.get(path);
    if (id) return id;
    const cut = Math.max(path.lastIndexOf("."), path.lastIndexOf("["));
    if (cut < 0) return undefined;
    path = path.slice(0, cut);
  }
  return undefined;
}

/* ---- changing -------------------------------------------------------------------- */

/** The tree with `id` replaced; null takes it out. */
export function replace(group: Group, id: string, by: Node | null): Group {
  return {
    ...group,
    items: group.items.flatMap((one): Node[] => {
      if (one.id === id) return by ? [by] : [];
      return [isGroup(one) ? replace(one, id, by) : one];
    }),
  };
}

/** What is missing: the node and why, or nothing. */
export function incomplete(group: Group): { id: string; why: "empty" | "value" } | null {
  for (const one of group.items) {
    if (isGroup(one)) {
      if (one.items.length === 0) return { id: one.id, why: "empty" };
      const inner = incomplete(one);
      if (inner) return inner;
      continue;
    }
    const { value } = one;
    const blank =
      value === "" ||
      (Array.isArray(value) && value.length === 0) ||
      (kindOf(one.name).shape === "number" && !/^\d+$/.test(String(value))) ||
      (one.name === "header" && !((value as Header).name && (value as Header).value)) ||
      (one.name === "time" && (value as Time).days.length === 0);
    if (blank) return { id: one.id, why: "value" };
  }
  return null;
}
