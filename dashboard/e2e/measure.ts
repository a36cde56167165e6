/**
 * What the dashboard costs a browser, with 100 000 requests behind it:
 *
 *   ./build && BUILD=../build/release node e2e/measure.ts [--json] [--runs 7]
 *
 * Numbers depend on the machine and on what else it does: this is no test, and
 * fails for nothing but a browser that does not get there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BrowserContext, Page } from "playwright-core";

import { openRig, until, wide, type Rig, type Routex } from "./rig.ts";

const ROWS = 100_000;
const args = process.argv.slice(2);
const runs = Number(args[args.indexOf("--runs") + 1]) || 7;
const dist = "dist";

interface Line {
  what: string;
  value: number;
  unit: "ms" | "kB" | "files" | "rows";
  /** What the issue allows. */
  most?: number;
}
const lines: Line[] = [];
const json = args.includes("--json");
function note(what: string, value: number, unit: Line["unit"], most?: number) {
  const line = { what, value: Math.round(value * 10) / 10, unit, most };
  lines.push(line);
  if (!json)
    console.log(`| ${what} | ${line.value} ${unit} | ${most === undefined ? "" : `${most} ${unit}`} |`);
}

const at = (sorted: number[], part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
const sorted = (values: number[]) => values.toSorted((a, b) => a - b);
const median = (values: number[]) => at(sorted(values), 0.5);

/* ---- a past ------------------------------------------------------------------ */

/** Requests of the last 30 days, of eight models, five channels and six keys. */
async function past(routex: Routex) {
  await routex.end();
  const db = new DatabaseSync(join(routex.folder, "d", "routex.db"));
  db.exec("pragma synchronous = off");
  const columns = db
    .prepare(`select name, type from pragma_table_info('request') where "notnull" = 1 and dflt_value is null`)
    .all() as { name: string; type: string }[];
  const one = (list: string[], by: string) =>
    `(case ${by} % ${list.length} ${list.map((name, i) => `when ${i} then '${name}'`).join(" ")} end)`;
  const models = ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5", "gpt-5", "gpt-5-mini", "gemini-3-pro", "deepseek-chat", "qwen3-coder"];
  const channels = ["anthropic", "claude-max", "openai", "google", "openrouter"];
  const keys = ["laptop", "ci", "editor", "nightly", "team-a", "team-b"];
  const model = one(models, "(i * 7)");
  const made: Record<string, string> = {
    plane: "'made'",
    boot: "1",
    seq: "i",
    request_id: "printf('req_made%012d', i)",
    started_ms: `${Date.now()} - i * ${Math.floor((30 * 86_400_000) / ROWS)}`,
    duration_ms: "400 + (i * 7919) % 9000",
    ttft_ms: "120 + (i * 104729) % 1400",
    model_requested: model,
    model,
    model_served: model,
    channel: one(channels, "(i * 3)"),
    channel_id: `'chn_' || ${one(channels, "(i * 3)")}`,
    key_id: `'key_' || ${one(keys, "i")}`,
    tenant_id: "(select id from tenant limit 1)",
    status: "case when i % 37 = 0 then 529 else 200 end",
    outcome: "case when i % 37 = 0 then 'error' else 'ok' end",
    dialect: "'anthropic'",
    operation: "'create'",
    provenance: "'reported'",
    stream: "i % 3 > 0",
    in_uncached: "200 + (i * 31) % 9000",
    in_cache_read: "(i * 61) % 40000",
    out_total: "20 + (i * 17) % 2000",
    session: "'ses_' || (i / 20)",
    user_agent: "'claude-cli/2.0.31 (external, cli)'",
    client: "'claude-code'",
  };
  const all = (db.prepare("select name from pragma_table_info('request')").all() as { name: string }[]).map((row) => row.name);
  const wanted = new Set([...Object.keys(made).filter((name) => all.includes(name)), ...columns.map((row) => row.name)]);
  wanted.delete("id");
  const types = new Map(columns.map((row) => [row.name, row.type]));
  const names = [...wanted];
  db.exec(`with recursive n(i) as (select ${ROWS} union all select i - 1 from n where i > 1)
    insert into request (${names.join()}) select ${names
      .map((name) => made[name] ?? (/int/i.test(types.get(name) ?? "") ? "0" : "''"))
      .join()} from n`);
  db.close();
  await routex.start();
  await until(async () => {
    const { total } = await routex.admin<{ total: { requests: number } }>("GET", "/api/analytics/summary?range=90d");
    return total.requests >= ROWS * 0.9;
  }, "the sums of the past", 120_000);
}

/* ---- bundle ------------------------------------------------------------------- */

function bundle() {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const sum = (files: string[], ending = "") =>
    files.reduce((bytes, file) => {
      const path = join(dist, file);
      try {
        return bytes + readFileSync(path + ending).length;
      } catch {
        return bytes + readFileSync(path).length;
      }
    }, 0) / 1000;
  const first = [...html.matchAll(/\/dashboard\/([\w./-]+\.(?:js|css))"/g)].map((one) => one[1]!);
  const scripts = first.filter((one) => one.endsWith(".js"));
  const styles = first.filter((one) => one.endsWith(".css"));
  note("first script, as it is", sum(scripts), "kB");
  note("first script, gzip", sum(scripts, ".gz"), "kB", 200);
  note("first script, brotli", sum(scripts, ".br"), "kB");
  note("first script, files", scripts.length, "files");
  note("style, gzip", sum(styles, ".gz"), "kB");
  const every = readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".js"));
  note("all scripts of all pages, gzip", sum(every.map((name) => `assets/${name}`), ".gz"), "kB");
}

/* ---- what a page tells of itself ------------------------------------------------ */

interface Seen {
  fcp: number;
  lcp: number;
  content: number;
  tasks: number[];
  events: number[];
}

/* Runs in the page before anything else does. */
function watch() {
  const seen: Seen = { fcp: 0, lcp: 0, content: 0, tasks: [], events: [] };
  (window as unknown as { seen: Seen }).seen = seen;
  const observe = (type: string, fn: (entry: PerformanceEntry) => void, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(fn)).observe({
      type,
      buffered: true,
      ...more,
    });
  observe("paint", (entry) => {
    if (entry.name === "first-contentful-paint") seen.fcp = entry.startTime;
  });
  observe("largest-contentful-paint", (entry) => (seen.lcp = entry.startTime));
  observe("longtask", (entry) => seen.tasks.push(entry.duration));
  observe("event", (entry) => seen.events.push(entry.duration), { durationThreshold: 16 });
  // The page's own figures are there, nothing is a placeholder any more.
  const look = () => {
    if (document.querySelector("#main h1") && !document.querySelector("#main .animate-shimmer"))
      seen.content = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const seen = (page: Page) => page.evaluate(() => (window as unknown as { seen: Seen }).seen);
const quiet = (page: Page) => page.waitForTimeout(400);

async function loaded(page: Page): Promise<Seen> {
  await page.waitForFunction(() => (window as unknown as { seen: Seen }).seen.content > 0);
  await quiet(page);
  return seen(page);
}

async function firstView(rig: Rig, open: () => Promise<BrowserContext>) {
  const cold: Seen[] = [];
  const warm: Seen[] = [];
  let requests = 0;
  let bytes = 0;
  for (let i = 0; i < runs; i++) {
    const context = await open();
    const page = await context.newPage();
    await page.goto(`${rig.home}/`);
    cold.push(await loaded(page));
    [requests, bytes] = await page.evaluate(() => {
      const all = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      return [all.length + 1, all.reduce((sum, one) => sum + one.transferSize, 0)] as const;
    });
    await page.goto(`${rig.home}/`);
    warm.push(await loaded(page));
    await context.close();
  }
  const of = (list: Seen[], name: "fcp" | "lcp" | "content") => median(list.map((one) => one[name]));
  note("first view, cold cache: first paint", of(cold, "fcp"), "ms", 200);
  note("first view, cold cache: largest paint", of(cold, "lcp"), "ms");
  note("first view, cold cache: figures there", of(cold, "content"), "ms");
  note("first view, cold cache: longest task", median(cold.map((one) => Math.max(0, ...one.tasks))), "ms");
  note("first view, cold cache: fetched", requests, "files");
  note("first view, cold cache: fetched", bytes / 1000, "kB");
  note("first view, warm cache: first paint", of(warm, "fcp"), "ms", 200);
  note("first view, warm cache: largest paint", of(warm, "lcp"), "ms");
  note("first view, warm cache: figures there", of(warm, "content"), "ms");
}

/* ---- doing things ---------------------------------------------------------------- */

/** From the press to the paint of the answer to it, as INP has it, and to its end. */
async function act(page: Page, what: string, press: () => Promise<void>, done: () => Promise<unknown>) {
  await quiet(page);
  await page.evaluate(() => void ((window as unknown as { seen: Seen }).seen.events.length = 0));
  const began = performance.now();
  await press();
  await done();
  const took = performance.now() - began;
  await quiet(page);
  const { events } = await seen(page);
  return { what, next: Math.max(0, ...events), took };
}

async function interactions(page: Page) {
  const all: { what: string; next: number; took: number }[] = [];
  const shown = (name: string) =>
    page.waitForFunction(
      (title) =>
        document.querySelector("#main h1")?.textContent === title &&
        !document.querySelector("#main .animate-shimmer"),
      name,
    );
  const nav = page.getByRole("navigation");
  for (const name of ["Requests", "Analytics", "Channels", "Routing", "Tenants & keys", "Overview", "Requests"])
    all.push(
      await act(page, `to ${name}`, () => nav.getByRole("link", { name, exact: true }).click(), () => shown(name)),
    );
  const sheet = page.getByRole("dialog");
  all.push(
    await act(
      page,
      "a request opened",
      () => page.locator("#requests a").nth(3).click(),
      () => sheet.getByText("Why it went there").waitFor(),
    ),
    await act(page, "and closed", () => page.keyboard.press("Escape"), () => sheet.waitFor({ state: "hidden" })),
    await act(page, "the palette opened", () => page.keyboard.press("Control+k"), () => sheet.getByRole("combobox").waitFor()),
    await act(
      page,
      "a letter typed into it",
      () => page.keyboard.press("c"),
      () => page.getByRole("option").first().waitFor(),
    ),
  );
  await page.keyboard.press("Escape");
  note("interaction: slowest next paint (INP)", Math.max(...all.map((one) => one.next)), "ms", 200);
  note("interaction: median next paint", median(all.map((one) => one.next)), "ms");
  for (const one of all) note(`interaction, ${one.what}: all there`, one.took, "ms");
}

async function scrolling(rig: Rig, page: Page) {
  await page.goto(`${rig.home}/requests`);
  const box = page.locator("#requests");
  await box.locator("[role=row]").nth(5).waitFor();
  const frames = await box.evaluate(async (node) => {
    const took: number[] = [];
    let before = performance.now();
    for (let i = 0; i < 200; i++) {
      node.scrollTop += 900;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      took.push(now - before);
      before = now;
    }
    return took;
  });
  const by = sorted(frames);
  const drawn = await box.locator("[role=row]").count();
  note("scrolling requests: frame, median", at(by, 0.5), "ms", 17);
  note("scrolling requests: frame, p95", at(by, 0.95), "ms", 34);
  note("scrolling requests: frame, worst", by.at(-1) ?? NaN, "ms");
  note("scrolling requests: in the document", drawn, "rows");
}

async function analytics(rig: Rig, page: Page) {
  await page.goto(`${rig.home}/analytics`);
  await rig.settled(page);
  for (const question of [
    "summary?range=24h",
    "summary?range=30d",
    "?range=30d&by=model",
    "?range=30d&by=key&channel=openai",
  ]) {
    const took = await page.evaluate(
      async ([path, times]) => {
        const all: number[] = [];
        for (let i = 0; i < times; i++) {
          const began = performance.now();
          const answer = await fetch(path, { cache: "no-store" });
          if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
          await answer.json();
          all.push(performance.now() - began);
        }
        return all;
      },
      [`/api/analytics${question.startsWith("?") ? "" : "/"}${question}`, runs] as const,
    );
    note(`analytics ${question}`, median(took), "ms");
  }
}

/* ------------------------------------------------------------------------------------ */

if (!json) {
  console.log(`${ROWS} requests, medians of ${runs}; ${cpus().length} × ${cpus()[0]?.model}\n`);
  console.log("| what | measured | at most |\n|---|---:|---:|");
}
const rig = await openRig({}, past);
try {
  bundle();
  const first = await rig.page("/");
  const storageState = await first.context().storageState();
  const open = async () => {
    const context = await rig.browser.newContext({ viewport: wide, storageState, locale: "en-US", timezoneId: "UTC" });
    await context.addInitScript(watch);
    return context;
  };
  await firstView(rig, open);
  const page = await (await open()).newPage();
  await page.goto(`${rig.home}/`);
  await loaded(page);
  await interactions(page);
  await scrolling(rig, page);
  await analytics(rig, page);
} finally {
  await rig.close();
}

if (json) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  console.log(JSON.stringify({ rows: ROWS, runs, machine, lines }, null, 2));
}
