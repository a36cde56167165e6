/**
 * The rows that are here: pages from the server, newest first, and on top of
 * them what finishes while somebody looks.  No query cache: 100 000 rows are
 * fetched once, each kept as small as it can be.
 */
import type { Schemas } from "@/api/client";

export type Row = Schemas["Request"];

export interface Page {
  data: Row[];
  next: string | null;
}

export interface View {
  rows: Row[];
  /** The first page, more of them, nothing, or it failed. */
  state: "loading" | "more" | "idle" | "failed";
  error: unknown;
  /** There are older ones. */
  older: boolean;
  /** So many finished and are held back. */
  waiting: number;
}

interface Ports {
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page>;
  fits: (row: Row) => boolean;
}

/* Most texts of a row are those of the row before. */
const words = new Map<string, string>();
function word(text: string): string {
  const known = words.get(text);
  if (known !== undefined) return known;
  if (words.size > 5_000) words.clear();
  words.set(text, text);
  return text;
}

const unique = new Set(["id", "request_id", "started_at", "session"]);
function slim(row: Row): Row {
  const all = row as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(all))
    if (typeof value === "string" && !unique.has(name)) all[name] = word(value);
  return row;
}

/** Newest first, as the server has it. */
const before = (a: Row, b: Row) =>
  a.started_at === b.started_at
    ? Number(a.id) > Number(b.id)
    : (a.started_at ?? "") > (b.started_at ?? "");

/** Puts `fresh` into `rows`, both newest first; what is there already stays once. */
export function merge(rows: Row[], fresh: Row[]): Row[] {
  const merged: Row[] = [];
  let i = 0;
  for (const one of fresh) {
    while (i < rows.length && before(rows[i]!, one)) merged.push(rows[i++]!);
    if (rows[i]?.id === one.id) i++;
    merged.push(one);
  }
  return merged.concat(i === 0 ? rows : rows.slice(i));
}

const HELD_MOST = 1_000;

export class RequestList {
  view: View = { rows: [], state: "loading", error: null, older: false, waiting: 0 };
  #ports: Ports;
  #watchers = new Set<() => void>();
  #held: Row[] = [];
  #missed = 0; // of those that were held, dropped again: too many
  #following = true;
  #cursor: string | null = null;
  #abort = new AbortController();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  watch = (fn: () => void) => {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  };

  #set(change: Partial<View>) {
    this.view = { ...this.view, ...change };
    this.#watchers.forEach((fn) => fn());
  }

  /** From the newest on, all anew. */
  async load() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#held = [];
    this.#missed = 0;
    this.#set({ state: "loading", error: null, waiting: 0 });
    const page = await this.#ask(undefined);
    if (!page) return;
    this.#cursor = page.next;
    this.#set({ rows: page.data, state: "idle", older: page.next !== null });
    this.#show();
  }

  /** The next older page. */
  async more() {
    if (this.view.state !== "idle" || this.#cursor === null) return;
    this.#set({ state: "more" });
    const page = await this.#ask(this.#cursor);
    if (!page) return;
    this.#cursor = page.next;
    const last = this.view.rows.at(-1);
    const data = last ? page.data.filter((one) => before(last, one)) : page.data;
    this.#set({
      rows: this.view.rows.concat(data),
      state: "idle",
      older: page.next !== null,
    });
  }

  /** What may have been missed on top. */
  async catchUp() {
    if (this.view.state === "loading") return;
    const { signal } = this.#abort;
    try {
      const page = await this.#ports.fetch(undefined, signal);
      if (signal.aborted) return;
      const known = new Set(this.view.rows.slice(0, 5_000).map((one) => one.id));
      if (!page.data.some((one) => known.has(one.id)) && page.next !== null)
        return void this.load(); // a hole in between
      page.data.forEach((one) => known.has(one.id) || this.#held.push(slim(one)));
      this.#show();
    } catch {
      // The next event of the stream tries again.
    }
  }

  async #ask(cursor: string | undefined): Promise<Page | null> {
    const { signal } = this.#abort;
    try {
      const page = await this.#ports.fetch(cursor, signal);
      if (signal.aborted) return null;
      page.data.forEach(slim);
      return page;
    } catch (error) {
      if (!signal.aborted) this.#set({ state: "failed", error });
      return null;
    }
  }

  /** One that finished just now. */
  take(row: Row) {
    if (!this.#ports.fits(row)) return;
    this.#held.push(slim(row));
    if (this.#held.length > HELD_MOST) {
      this.#missed += this.#held.length;
      this.#held = [];
    }
  }

  /** What was taken comes into sight; call it as often as the eye can follow. */
  tick() {
    if (this.#held.length + this.#missed === 0) return;
    if (this.#following) this.#show();
    else this.#set({ waiting: this.#held.length + this.#missed });
  }

  /** While somebody reads further down, nothing moves. */
  follow(on: boolean) {
    this.#following = on;
    if (on) this.#show();
  }

  #show() {
    if (this.view.state === "loading" || !this.#following) return;
    if (this.#missed > 0) return void this.load();
    if (this.#held.length === 0 && this.view.waiting === 0) return;
    const fresh = this.#held.sort((a, b) => (before(a, b) ? -1 : 1));
    this.#held = [];
    this.#set({ rows: merge(this.view.rows, fresh), waiting: 0 });
  }

  stop() {
    this.#abort.abort();
  }
}
