/** What is different between two objects, by path. */
export interface FieldChange {
  field: string;
  before?: unknown;
  after?: unknown;
}

type Tree = { [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isListOfTrees = (value: unknown): value is Tree[] =>
  Array.isArray(value) && value.length > 0 && value.every(isTree);

/** The same, whatever the order of the members. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, i) => isSame(one, b[i]));
  if (isTree(a) && isTree(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].every((name) => isSame(a[name], b[name]));
  }
  return a === b;
}

/** `skip`: members of the outermost objects that say nothing, like times. */
export function fieldsOf(
  before: unknown,
  after: unknown,
  skip: string[] = [],
  path = "",
): FieldChange[] {
  if (isSame(before, after)) return [];
  const [a, b] = [before ?? {}, after ?? {}];
  if (isTree(a) && isTree(b) && (isTree(before) || isTree(after))) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return names
      .filter((name) => path !== "" || !skip.includes(name))
      .flatMap((name) =>
        fieldsOf(a[name], b[name], skip, path ? `${path}.${name}` : name),
      );
  }
  if (isListOfTrees(before) && isListOfTrees(after))
    return Array.from(
      { length: Math.max(before.length, after.length) },
      (_, i) => fieldsOf(before[i], after[i], skip, `${path}[${i}]`),
    ).flat();
  return [{ field: path, before, after }];
}

/** As people read it: text as it is, all else as JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length > 60 ? JSON.stringify(value, null, 2) : line;
}
