/** The document of a configuration: read from a file, chosen from, named. */
import type { Schemas } from "@/api/client";

export const kinds = [
  "settings",
  "tenants",
  "channels",
  "accounts",
  "functions",
  "rules",
  "agents",
  "prices",
  "webhooks",
  "tees",
  "users",
  "keys",
] as const;
export type Kind = (typeof kinds)[number];

export type ConfigDocument = Schemas["ConfigDocument"];
export type Change = Schemas["ConfigChange"];

/** The document, or a key of the texts that says why it is none. */
export function readDocument(
  text: string,
): { document: ConfigDocument } | { wrong: "json" | "object" | "foreign" } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { wrong: "json" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { wrong: "object" };
  // An answer of the API has it one level down.
  const inner = (value as { data?: unknown }).data;
  const document = (
    typeof inner === "object" && inner && "format" in inner ? inner : value
  ) as ConfigDocument;
  const known = "format" in document || kinds.some((kind) => kind in document);
  return known ? { document } : { wrong: "foreign" };
}

export const countOf = (document: ConfigDocument, kind: Kind) => {
  const of = document[kind];
  return Array.isArray(of) ? of.length : of ? 1 : 0;
};

/** What chooses a change: the API's select. */
export const keyOf = ({ kind, name }: Pick<Change, "kind" | "name">) =>
  `${kind}:${name}`;

/** Undefined: all of them, so nothing has to be named. */
export function selectOf(changes: Change[], left: ReadonlySet<string>) {
  const taken = changes.filter((one) => !left.has(keyOf(one)));
  if (taken.length === changes.length) return undefined;
  return [...new Set(taken.map(keyOf))].join(",");
}

/** The kinds in the order of a document, each with its changes. */
export function byKind(changes: Change[]): [string, Change[]][] {
  const groups = new Map<string, Change[]>(kinds.map((kind) => [kind, []]));
  for (const one of changes)
    groups.set(one.kind, [...(groups.get(one.kind) ?? []), one]);
  return [...groups].filter(([, list]) => list.length > 0);
}

/** routex-20260101T120000Z.json */
export const fileName = (now: Date) =>
  `routex-${now.toISOString().replace(/[-:]|\.\d+/g, "")}.json`;
