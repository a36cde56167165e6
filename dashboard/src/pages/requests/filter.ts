/** What the list is narrowed to; it stands in the address. */
import type { Schemas } from "@/api/client";

export const outcomes = ["ok", "error", "refused", "cut", "cancelled"] as const;
export type Outcome = (typeof outcomes)[number];
/** Spans back from now that can be chosen; the address may have any other. */
export const spans = ["15m", "1h", "24h", "7d"] as const;

export interface Filter {
  tenant?: string;
  key?: string;
  channel?: string;
  model?: string;
  agent?: string;
  client?: string;
  outcome?: Outcome;
  status?: number;
  since?: string;
  /** Looked for in the rows that are here, by the page itself. */
  text?: string;
}

export interface RequestsSearch extends Filter {
  /** The one that is open. */
  request?: string;
}

const names = ["tenant", "key", "channel", "model", "agent", "client", "since", "text", "request"] as const;

/** The address may have been written by hand: what makes no sense is dropped. */
export function searchOf(search: Record<string, unknown>): RequestsSearch {
  const clean: RequestsSearch = {};
  for (const name of names) {
    const value = search[name];
    if ((typeof value === "string" && value !== "") || typeof value === "number")
      clean[name] = String(value);
  }
  const status = Number(search.status);
  if (Number.isInteger(status) && status >= 100 && status <= 599)
    clean.status = status;
  if (outcomes.includes(search.outcome as Outcome))
    clean.outcome = search.outcome as Outcome;
  return clean;
}

/** Without what is open. */
export function filterOf({ request, ...filter }: RequestsSearch): Filter {
  void request;
  return filter;
}

export const isNarrowed = (filter: Filter) => Object.keys(filter).length > 0;

const REQUEST_ID = /^req_\w{6,}$/;

/** What the server narrows it to. */
export function queryOf(filter: Filter) {
  const { text, ...query } = filter;
  return text && REQUEST_ID.test(text) ? { ...query, request_id: text } : query;
}

/** The same question, put to a row that comes by itself. */
export function fits(row: Schemas["Request"], filter: Filter): boolean {
  const { tenant, key, channel, model, agent, client, outcome, status, text } = filter;
  return (
    (!tenant || row.tenant === tenant || row.tenant_id === tenant) &&
    (!key || row.key === key || row.key_id === key) &&
    (!channel || row.channel === channel || row.channel_id === channel) &&
    (!model ||
      [row.model_requested, row.model, row.model_served].includes(model)) &&
    (!agent || row.agent === agent) &&
    (!client || row.client === client) &&
    (!outcome || row.outcome === outcome) &&
    (!status || row.status === status) &&
    (!text || hasText(row, text))
  );
}

const searched = [
  "request_id",
  "model_requested",
  "model",
  "model_served",
  "channel",
  "key",
  "tenant",
  "rule",
  "session",
  "tag",
  "agent",
  "client",
  "user_agent",
  "client_ip",
  "reason",
  "finish",
] as const satisfies (keyof Schemas["Request"])[];

/** Every word is somewhere in the row. */
export function hasText(row: Schemas["Request"], text: string): boolean {
  return text
    .toLowerCase()
    .split(/\s+/)
    .every(
      (word) =>
        word === "" ||
        String(row.status) === word ||
        searched.some((name) => row[name]?.toLowerCase().includes(word)),
    );
}
