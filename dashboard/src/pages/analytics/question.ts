/** What is asked, as it stands in the address. */
import type { paths } from "@/api/schema";

export const ranges = ["1h", "24h", "7d", "30d"] as const;
export type Range = (typeof ranges)[number] | "custom";

export const dims = ["model", "channel", "tenant", "key", "agent", "client", "rule", "tag"] as const;
export type Dim = (typeof dims)[number];

export const measures = ["requests", "cost", "tokens"] as const;
export type Measure = (typeof measures)[number];

export interface Question extends Partial<Record<Dim, string>> {
  range?: Range;
  since?: string;
  until?: string;
  by?: Dim;
  order?: Measure;
  /** Whether charts show one colour per name of the break-down. */
  split?: true;
}

const is = <T extends string>(list: readonly T[], value: unknown): value is T =>
  list.includes(value as T);

const time = (value: unknown) =>
  typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;

/** Only what makes sense is taken from an address. */
export function readQuestion(search: Record<string, unknown>): Question {
  const question: Question = {};
  const since = time(search.since);
  const until = time(search.until);
  if (is(ranges, search.range)) question.range = search.range;
  else if (since && until && Date.parse(since) < Date.parse(until))
    Object.assign(question, { range: "custom", since, until });
  if (is(dims, search.by)) question.by = search.by;
  if (is(measures, search.order)) question.order = search.order;
  if (search.split === true) question.split = true;
  for (const dim of dims) {
    const value = search[dim];
    if (typeof value === "string" && value !== "") question[dim] = value;
    else if (typeof value === "number") question[dim] = String(value);
  }
  return question;
}

type Query = NonNullable<paths["/api/analytics"]["get"]["parameters"]["query"]>;

export const filtersOf = (question: Question) =>
  dims.flatMap((dim) => {
    const value = question[dim];
    return value === undefined ? [] : [[dim, value] as const];
  });

/** Range and filters as the admin API has them. */
export function queryOf(question: Question): Query {
  const span =
    question.range === "custom"
      ? { since: question.since, until: question.until }
      : { range: question.range ?? "24h" };
  return { ...span, ...Object.fromEntries(filtersOf(question)) };
}

const spans = { "1h": "2h", "24h": "48h", "7d": "14d", "30d": "60d" } as const;

/** As long a time, right before. */
export function beforeOf(question: Question): Query {
  const filters = Object.fromEntries(filtersOf(question));
  if (question.range === "custom" && question.since && question.until) {
    const since = Date.parse(question.since);
    const long = Date.parse(question.until) - since;
    return {
      since: new Date(since - long).toISOString(),
      until: question.since,
      ...filters,
    };
  }
  const range = question.range && question.range !== "custom" ? question.range : "24h";
  return { since: spans[range], until: range, ...filters };
}

/** Another range, everything else as it is. */
export function withRange(question: Question, range: Range): Question {
  const { since: _, until: __, ...rest } = question;
  return { ...rest, range };
}

/** These are only counted by themselves. */
const alone: Dim[] = ["rule", "tag", "agent", "client"];

/** Can it be broken down by this, as it is filtered? */
export const canSplit = (question: Question, by: Dim) =>
  filtersOf(question).every(
    ([dim]) => dim === by || (!alone.includes(dim) && !alone.includes(by)),
  );

/** Only this one from now on, broken down by what is left. */
export function drill(question: Question, by: Dim, value: string): Question {
  if (alone.includes(by)) {
    const { range, since, until, order } = question;
    return { range, since, until, order, by, [by]: value };
  }
  const next = { ...question, [by]: value };
  const rest = dims.find((dim) => !next[dim] && canSplit(next, dim));
  return { ...next, by: rest ?? by };
}

/** The same as a file: sums by name or time, or every request. */
export function csvUrl(question: Question, by?: Dim | "hour" | "day"): string {
  const query = new URLSearchParams(
    Object.entries({ ...queryOf(question), by }).filter(
      (one): one is [string, string] => typeof one[1] === "string",
    ),
  );
  return `/api/usage.csv?${query}`;
}
