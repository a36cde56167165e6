/** What the address says: the part in sight, and what the audit log shows. */
export const parts = ["open", "past", "webhooks", "audit"] as const;
export type Part = (typeof parts)[number];

export const spans = ["24h", "7d", "30d"] as const;

const texts = ["actor", "object", "kind", "action", "since", "line"] as const;

export type AuditFilter = Partial<
  Record<"actor" | "object" | "kind" | "action" | "since", string>
>;
export type Search = { part?: Part; line?: string } & AuditFilter;

export function searchOf(search: Record<string, unknown>): Search {
  const found: Search = {};
  if (parts.includes(search.part as Part) && search.part !== "open")
    found.part = search.part as Part;
  for (const name of texts) {
    const value = search[name];
    if (typeof value === "number") found[name] = String(value);
    else if (typeof value === "string" && value.trim()) found[name] = value;
  }
  return found;
}

export const filterOf = ({ actor, object, kind, action, since }: Search) => ({
  actor,
  object,
  kind,
  action,
  since,
});

export const isNarrowed = (search: Search) =>
  Object.values(filterOf(search)).some(Boolean);
