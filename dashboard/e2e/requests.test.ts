import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";
import { ask, openAccounts, said } from "./traffic.ts";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

const rows = (page: Page) => page.locator("#requests [role=row]:not([aria-rowindex='1'])");
const link = (page: Page, name: RegExp) => page.getByRole("link", { name }).first();

interface Request {
  request_id: string;
  status: number;
  attempts: number;
}
const newest = async () =>
  (await rig.routex.admin<Request[]>("GET", "/api/requests?limit=1"))[0];

test("with nothing to show it says how to get something", async () => {
  await rig.shots("/requests", "requests-none");
  rig.noConsoleErrors();
});

test("requests appear as they finish, and are held back while paused", async () => {
  await openAccounts(rig);
  const page = await rig.page("/requests");
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(await ask(rig, { model: "demo", messages: said("Hello") }), 200);
  await link(page, /^demo, status 200/).waitFor();
  assert.equal(await rows(page).count(), 1);

  await page.getByRole("button", { name: "Pause" }).click();
  for (let i = 0; i < 3; i++) await ask(rig, { model: "demo", messages: said(`More ${i}`) });
  await page.getByRole("button", { name: "3 new requests" }).waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByRole("button", { name: "3 new requests" }).click();
  await until(async () => (await rows(page).count()) === 4, "all four rows");
  rig.noConsoleErrors();
});

test("one request's story: what failed, who answered, how long it took", async () => {
  const body = {
    model: "claude-sonnet-4-5",
    stream: true,
    thinking: { type: "enabled", budget_tokens: 1024 },
    messages: said("Tell me about the sea."),
  };
  assert.equal(await ask(rig, body, { "x-routex-tag": "essay" }), 200);
  const wanted = await until(async () => {
    const row = await newest();
    return row && row.attempts > 1 ? row : undefined;
  }, "a request with two attempts");

  const page = await rig.page("/requests");
  await link(page, /^claude-sonnet-4-5, status 200/).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText("Why it went there").waitFor();
  assert.match(page.url(), new RegExp(`request=${wanted.request_id}`));
  await sheet.getByText(/main answered with claude-sonnet-4-5/).waitFor();
  await sheet.getByText("HTTP 500").waitFor();
  await sheet.getByText("From cache").waitFor();
  await sheet.getByText("essay").waitFor();

  await page.reload();
  await sheet.getByText("Why it went there").waitFor();
  await page.keyboard.press("j");
  await until(() => !page.url().includes(wanted.request_id), "the next one");
  await page.keyboard.press("Escape");
  await until(() => !page.url().includes("request="), "the sheet to close");
  rig.noConsoleErrors();
});

test("a request nobody could serve says why", async () => {
  const status = await ask(rig, { model: "demo", messages: said("x") }, { "x-routex-channel": "nowhere" });
  assert.ok(status >= 400, String(status));
  const page = await rig.page("/requests?outcome=refused");
  await link(page, /demo, status/).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText("The router refused it.").waitFor();
  await sheet.getByText("No provider was asked.").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "request-refused");
  rig.noConsoleErrors();
});

test("an address with filters shows those rows only, and each filter narrows", async () => {
  const page = await rig.page("/requests?model=claude-sonnet-4-5");
  await link(page, /^claude-sonnet/).waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByRole("button", { name: "Clear" }).click();
  await until(async () => (await rows(page).count()) === 6, "all rows");
  await page.getByLabel("Status", { exact: true }).selectOption("429");
  await page.getByText("No request fits").waitFor();
  await rig.accessible(page);
  await page.getByRole("button", { name: "Clear" }).last().click();
  await page.getByLabel("Channel", { exact: true }).selectOption("main");
  await until(async () => (await rows(page).count()) === 1, "the row of main");
  assert.match(page.url(), /channel=main/);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("searchbox").fill("claude-cli essay");
  await until(async () => (await rows(page).count()) === 1, "the row with these words");
  // What arrives is asked the same.
  await ask(rig, { model: "demo", messages: said("not this") });
  await ask(rig, { model: "demo", messages: said("but this") }, { "x-routex-tag": "essay" });
  await until(async () => (await rows(page).count()) === 2, "the new row with these words");
  rig.noConsoleErrors();
});

test("where bodies are captured, the conversation can be read", async () => {
  await rig.routex.admin("PATCH", "/api/settings", { capture: { enabled: true } });
  const body = {
    model: "claude-sonnet-4-5",
    stream: true,
    system: "You are terse.",
    thinking: { type: "enabled", budget_tokens: 1024 },
    messages: [
      { role: "user", content: "What is in this folder? My key is sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789" },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "README.md" }] },
    ],
  };
  const row = await until(async () => {
    assert.equal(await ask(rig, body), 200);
    const one = (await newest()) as (Request & { captured: boolean }) | undefined;
    return one?.captured ? one : undefined;
  }, "a captured request");
  const look = async (page: Page) => {
    const sheet = page.getByRole("dialog");
    await sheet.getByRole("button", { name: /Show what was said|显示对话内容/ }).click();
    await sheet.getByText("What is in this folder?").first().waitFor();
    await sheet.getByText(/calls Bash|调用 Bash/).scrollIntoViewIfNeeded();
  };
  const page = await rig.page(`/requests?request=${row.request_id}`);
  await look(page);
  assert.equal(await page.getByText("abcdefghijklmnopqrstuvwxyz0123456789").count(), 0);
  const roles = await page.getByRole("dialog").locator("li > p").allTextContents();
  assert.deepEqual(
    roles.filter((one) => /^(System|User|Assistant)$/.test(one)),
    ["System", "User", "Assistant", "User", "Assistant"],
  );
  await page.getByRole("button", { name: "As sent" }).click();
  await page.getByText("content_block_delta").first().waitFor();
  await rig.accessible(page);
  await rig.shots(`/requests?request=${row.request_id}`, "request-said", look);
  await rig.routex.admin("PATCH", "/api/settings", { capture: { enabled: false } });
  rig.noConsoleErrors();
});

test("by keyboard alone: down, open, close", async () => {
  const page = await rig.page("/requests");
  await page.locator("#requests").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByText("Why it went there").waitFor();
  await page.keyboard.press("Escape");
  await until(() => !page.url().includes("request="), "the sheet to close");
  rig.noConsoleErrors();
});

test("the page and one request look well", async () => {
  const models = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5", "demo"];
  for (let i = 0; i < 12; i++)
    await ask(rig, { model: models[i % 4], stream: i % 3 > 0, messages: said(`Hello ${i}`) });
  await ask(rig, { model: "demo-400", messages: said("wrong") });
  await rig.shots("/requests", "requests");
  const { request_id } = (
    await rig.routex.admin<Request[]>("GET", "/api/requests?model=claude-sonnet-4-5&limit=200")
  ).at(-1)!;
  await rig.shots(`/requests?request=${request_id}`, "request", async (page) => {
    await page.getByRole("dialog").locator("ol").first().waitFor();
  });
  rig.noConsoleErrors();
});

/** So many more rows, made of one that is there. */
function multiply(count: number) {
  const db = new DatabaseSync(join(rig.routex.folder, "d", "routex.db"));
  db.exec("pragma busy_timeout = 10000");
  const names = db
    .prepare("select name from pragma_table_info('request')")
    .all()
    .map((one) => String(one.name));
  const own: Record<string, string> = {
    id: "null",
    plane: "'made'",
    seq: "n.i",
    request_id: "printf('req_made%012d', n.i)",
    started_ms: "r.started_ms - n.i * 400",
    duration_ms: "r.duration_ms + n.i % 900",
  };
  db.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
    insert into request (${names.join()})
    select ${names.map((name) => own[name] ?? `r.${name}`).join()}
    from n, (select * from request order by id desc limit 1 offset 2) r`);
  db.close();
}

test("100 000 requests: at once there, smooth to scroll, and found", async () => {
  multiply(100_000);
  const page = await rig.page("/requests");
  const box = page.locator("#requests");
  await rows(page).first().waitFor();
  // Only what is in sight is drawn.
  assert.ok((await rows(page).count()) < 80, String(await rows(page).count()));
  const frames = await box.evaluate(async (node) => {
    const took: number[] = [];
    let before = performance.now();
    for (let i = 0; i < 240; i++) {
      node.scrollTop += 600;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      took.push(now - before);
      before = now;
    }
    return took.sort((a, b) => a - b);
  });
  const median = frames[frames.length >> 1]!;
  console.log(`frame while scrolling: median ${median.toFixed(1)} ms, p95 ${frames[Math.floor(frames.length * 0.95)]!.toFixed(1)} ms`);
  assert.ok(median < 100, `median frame ${median} ms`);
  const reached = await box.evaluate((node) => node.scrollHeight);
  assert.ok(reached > 1_000 * 38, `rows for ${reached} pixels`);
  assert.ok((await rows(page).count()) < 80);

  // While reading further down nothing moves.
  await ask(rig, { model: "demo", messages: said("on top") });
  await page.getByRole("button", { name: "1 new request" }).click();
  await until(() => box.evaluate((node) => node.scrollTop === 0), "the top");

  await page.getByRole("searchbox").fill("req_made000000099999");
  await until(async () => (await rows(page).count()) === 1, "the one row of this id");
  rig.noConsoleErrors();
});
