import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";

let rig: Rig;

interface Sums {
  requests: number;
  failed_requests: number;
}
const summary = () =>
  rig.routex.admin<{ total: Sums }>("GET", "/api/analytics/summary?range=1h");

before(async () => {
  rig = await openRig();
  await rig.routex.admin("PUT", "/api/prices/demo", { input: "3", output: "15" });
  const key = await rig.routex.admin<{ key: string }>("POST", "/api/keys", {
    name: "second",
  });
  const first = rig.routex.key;
  for (let i = 0; i < 6; i++) {
    rig.routex.key = i % 3 === 2 ? key.key : first;
    await until(async () => (await rig.routex.ask(`Hello ${i}`)) === 200, "an answer");
  }
  rig.routex.key = first;
  await rig.routex.ask("Hello", { max_tokens: -1 });
  await until(async () => (await summary()).total.requests >= 7, "the sums");
});
after(() => rig?.close());

const figure = (page: Page, name: string) =>
  page.locator("dl > div", { has: page.locator("dt", { hasText: name }) })
    .first().locator("dd span").first();

test("figures, charts and the break-down are of what was asked", async () => {
  const page = await rig.page("/analytics?range=1h");
  const { total } = await summary();
  assert.equal(await figure(page, "Requests").textContent(), String(total.requests));
  assert.match((await figure(page, "Cost").textContent())!, /^\$0\.\d+/);
  await page.locator("canvas").first().waitFor();
  assert.ok((await page.locator("canvas").count()) >= 4);
  await page.getByRole("row", { name: /demo/ }).first().waitFor();
  await rig.accessible(page);
  rig.noConsoleErrors();
});

test("range, dimension and filters are in the address, and come back", async () => {
  const page = await rig.page("/analytics");
  await page.getByRole("button", { name: "7d" }).click();
  await page.waitForURL(/range=7d/);
  await page.getByLabel("Break down by").selectOption("key");
  await page.waitForURL(/by=key/);
  await page.getByRole("button", { name: "second", exact: true }).click();
  await page.waitForURL(/key=key_/);
  await until(
    async () => (await figure(page, "Requests").textContent()) === "2",
    "the two requests of that key",
  );
  await page.reload();
  await page.getByRole("button", { name: "Drop the filter Key second" }).waitFor();
  await page.getByRole("button", { name: "By Model" }).click();
  await page.waitForURL(/split=true/);
  await rig.accessible(page);
  await page.getByRole("button", { name: "Drop the filter Key second" }).click();
  await until(
    async () => Number(await figure(page, "Requests").textContent()) >= 7,
    "all of them again",
  );
  rig.noConsoleErrors();
});

test("a range of one's own is taken, one that ends too early is not", async () => {
  const page = await rig.page("/analytics");
  await page.getByRole("button", { name: "Custom" }).click();
  const from = page.getByLabel("From", { exact: true });
  const to = page.getByLabel("To", { exact: true });
  await from.fill("2026-01-02T00:00");
  await to.fill("2026-01-01T00:00");
  await page.getByText("It ends before it begins").waitFor();
  await rig.accessible(page);
  await to.fill("2026-01-05T00:00");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/range=custom/);
  await page.getByText("Nothing in this range").first().waitFor();
  rig.noConsoleErrors();
});

test("what is seen is exported", async () => {
  const page = await rig.page("/analytics?range=1h&by=key");
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Key: this table (CSV)" }).click(),
  ]);
  const lines = readFileSync((await file.path())!, "utf8").trim().split("\r\n");
  assert.match(file.suggestedFilename(), /\.csv$/);
  assert.match(lines[0]!, /^start,end,id,name,requests,failed_requests,/);
  assert.ok(lines.some((one) => one.includes(",second,2,0,")), lines.join("\n"));
  rig.noConsoleErrors();
});

test("a program that is stuck is seen", async () => {
  const page = await rig.page("/analytics?range=1h");
  await page.getByText("Nothing unusual").waitFor();
  const metadata = {
    user_id: "user_1_account__session_5f1c0f8e-4c6f-4d53-9c5e-6a1b2c3d4e5f",
  };
  for (let i = 0; i < 22; i++)
    assert.equal(await rig.routex.ask("Again and again", { metadata }), 200);
  await until(
    async () => (await rig.routex.admin<unknown[]>("GET", "/api/anomalies")).length > 0,
    "the loop to be noticed",
    90_000,
  );
  await page.reload();
  await page.getByText("A program asks the same again and again").waitFor();
  await page.getByText("Going on").waitFor();
  await rig.accessible(page);
  rig.noConsoleErrors();
});

/* What a month of a team looks like: a chart wants more than ten seconds. */
interface Point {
  [name: string]: unknown;
}
function sums(start: string | null, n: number, name: string | null, i: number): Point {
  const failed = Math.round(n * (i % 9 === 4 ? 0.09 : 0.012));
  return {
    start, id: name, name,
    requests: n, failed_requests: failed, error_rate: n ? failed / n : null,
    uncounted_requests: 0, estimated_requests: 0, unpriced_requests: 0,
    input_tokens: n * 2_100, cache_read_tokens: n * 18_400,
    cache_write_tokens: n * 1_300, output_tokens: n * 720,
    reasoning_tokens: n * 90, mean_duration_ms: 6_100,
    cost_usd: (n * 0.0274).toFixed(4), cache_saved_usd: (n * 0.0412).toFixed(4),
    duration_p50_ms: 4_200 + 900 * Math.round(Math.sin(i)),
    duration_p95_ms: 15_100 + 1_700 * Math.round(2 * Math.sin(i / 2)),
    duration_p99_ms: 31_000 + 2_500 * (i % 4),
    ttft_p50_ms: 780, ttft_p95_ms: 2_300, ttft_p99_ms: 5_200,
    tokens_per_s_p50: 68.2, tokens_per_s_p95: 120.4, tokens_per_s_p99: 151.8,
  };
}
const shares: [string, number][] = [
  ["claude-sonnet-4-5", 0.46], ["gpt-5", 0.23], ["gemini-2.5-pro", 0.14],
  ["claude-haiku-4-5", 0.09], ["deepseek-chat", 0.05], ["qwen3-coder", 0.03],
];

async function withHistory(page: Page) {
  const end = Math.ceil(Date.now() / 3_600_000) * 3_600_000;
  const hours = Array.from({ length: 168 }, (_, i) => {
    const at = new Date(end - (168 - i) * 3_600_000);
    const awake = Math.max(0.06, Math.sin(((at.getUTCHours() - 5) / 24) * 2 * Math.PI));
    const week = [0, 6].includes(at.getUTCDay()) ? 0.3 : 1;
    return { at: at.toISOString(), n: Math.round(900 * awake * week) + (i % 7) * 9 };
  });
  const all = hours.reduce((total, one) => total + one.n, 0);
  const range = {
    since: hours[0]!.at, until: new Date(end).toISOString(), complete: true,
  };
  await page.route(/\/api\/analytics\?/, (route) => {
    const by = new URL(route.request().url()).searchParams.get("by");
    const one = (name: string | null, part: number) => ({
      id: name, name,
      total: sums(null, Math.round(all * part), name, 0),
      points: hours.map(({ at, n }, i) => sums(at, Math.round(n * part), name, i)),
    });
    const series = by
      ? shares.slice(0, 5).map(([name, part]) => one(name, part))
      : [one(null, 1)];
    return route.fulfill({ json: { data: { ...range, bucket: "hour", by, series } } });
  });
  await page.route(/\/api\/analytics\/summary\?/, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const old = query.get("since") !== null;
    const rows = shares.map(([name, part], i) =>
      sums(null, Math.round(all * part), name, i),
    );
    return route.fulfill({
      json: {
        data: {
          ...range,
          total: sums(null, old ? Math.round(all * 0.87) : all, null, 0),
          [`by_${query.get("by")}`]: rows,
        },
      },
    });
  });
}

test("a week of a team looks well", async () => {
  const prepare = async (page: Page) => {
    await withHistory(page);
    await page.reload();
    await rig.settled(page);
    await page.locator("canvas").nth(5).waitFor();
  };
  await rig.shots("/analytics?range=7d", "analytics", prepare);
  await rig.shots("/analytics?range=7d&by=model&split=true", "analytics-split", prepare);
  const page = await rig.page("/analytics?range=7d");
  await prepare(page);
  const box = await page.locator("canvas").first().boundingBox();
  await page.mouse.move(box!.x + box!.width / 2, box!.y + 60);
  await rig.shot(page, "analytics-hover", true);
  rig.noConsoleErrors();
});
