/**
 * A person's whole first day, in the order it happens: from the first log-in to
 * the configuration taken back in.  Nothing is done behind the browser's back but
 * what a client does: to ask.  No view may break a rule of axe, and nothing may
 * reach the console.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";
import { ask, said } from "./traffic.ts";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

interface Named {
  name: string;
  status: string;
}
const list = (of: string) => rig.routex.admin<Named[]>("GET", `/api/${of}`);
const has = async (of: string, name: string) =>
  (await list(of)).some((one) => one.name === name);

test("a person's first day", async (day) => {
  const page = await rig.visitor({ fresh: true });
  const sheet = page.getByRole("dialog");
  const go = async (name: string) => {
    await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name, level: 1, exact: true }).waitFor();
    await rig.settled(page);
    await rig.accessible(page);
  };
  const step = async (name: string, run: () => Promise<void>) => {
    day.diagnostic(name);
    try {
      await run();
      rig.noConsoleErrors();
    } catch (cause) {
      await rig.shot(page, "first-day-failed");
      throw new Error(`while somebody ${name}`, { cause });
    }
  };
  const close = async () => {
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
  };
  const saved = (button = "Save") =>
    sheet.getByRole("button", { name: button, exact: true }).click();
  const upstream = await rig.routex.admin<{ base_url: string }>("GET", "/api/channels/demo");
  let document = "";

  await step("logs in for the first time", async () => {
    await page.goto(rig.home);
    await page.locator("input[name=token]").waitFor();
    await rig.accessible(page);
    await rig.logIn(page);
    await page.getByRole("heading", { name: "Welcome to Routex" }).waitFor();
    await rig.accessible(page);
  });

  await step("adds a channel, which is tested before it is used", async () => {
    await page.getByRole("button", { name: /^Anthropic/ }).first().click();
    await page.getByLabel(/^API key/).fill("sk-ant-of-nobody-0123456789");
    await page.getByLabel(/^Name/).fill("main");
    await page.getByLabel(/^Address/).fill(upstream.base_url);
    await rig.accessible(page);
    await page.getByRole("button", { name: "Add and test" }).click();
    await page.getByRole("heading", { name: "Who is asked first?" }).waitFor();
    assert.ok(await has("channels", "main"));
    await page.getByRole("button", { name: "Next" }).click();
  });

  await step("makes a key, and sees the first request arrive", async () => {
    await page.getByLabel("What it is for").fill("laptop");
    await page.getByRole("button", { name: "Make a key" }).click();
    rig.routex.key = (await page.getByText(/^rtx_/).textContent())!;
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("Waiting for the first request").waitFor();
    await rig.accessible(page);
    await until(
      async () => (await ask(rig, { model: "demo", messages: said("Hello") })) === 200,
      "an answer",
    );
    await page.getByText("Your first request was answered").waitFor();
    await rig.accessible(page);
    await page.getByRole("button", { name: "Go to the overview" }).click();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await rig.settled(page);
    await rig.accessible(page);
  });

  await step("tests the channel again, by hand", async () => {
    await go("Channels");
    await page.getByRole("button", { name: /^main/ }).click();
    await sheet.getByRole("button", { name: "Test", exact: true }).click();
    await sheet.getByRole("status").filter({ hasText: /took/ }).waitFor();
    await rig.accessible(page);
    await close();
  });

  await step("watches requests arrive, without a reload", async () => {
    await go("Requests");
    const rows = page.locator("#requests [role=row]:not([aria-rowindex='1'])");
    const before = await rows.count();
    await page.evaluate(() => ((window as { seen?: boolean }).seen = true));
    assert.equal(await ask(rig, { model: "demo", messages: said("And again") }), 200);
    await until(async () => (await rows.count()) === before + 1, "the new row");
    assert.ok(await page.evaluate(() => (window as { seen?: boolean }).seen), "it was reloaded");
    await rig.accessible(page);
  });

  await step("writes a rule", async () => {
    await go("Routing");
    await page.getByRole("button", { name: "Add rule" }).first().click();
    await page.getByRole("button", { name: /Own condition/ }).click();
    await sheet.getByLabel("Name").fill("essays");
    await sheet.getByRole("button", { name: "Condition", exact: true }).click();
    await sheet.getByLabel("What is looked at").selectOption({ label: "Tag" });
    await sheet.getByLabel("Value of Tag").fill("essay*");
    await page.keyboard.press("Enter");
    await sheet.getByLabel("Add a channel").selectOption("main");
    await rig.accessible(page);
    await saved();
    await page.getByText("essays was added").waitFor();
    await rig.accessible(page);
  });

  await step("has it explained, and the request does as it was told", async () => {
    await page.getByRole("tab", { name: "Test bench" }).click();
    await page.getByLabel("Headers").fill("x-routex-tag: essay-7");
    await page.getByLabel("Body").fill(
      JSON.stringify({ model: "demo", max_tokens: 9, messages: said("An essay, please.") }),
    );
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("because of rule “essays”").waitFor();
    await rig.accessible(page);
    const status = await ask(
      rig,
      { model: "demo", messages: said("An essay, please.") },
      { "x-routex-tag": "essay-7" },
    );
    assert.equal(status, 200);
    await go("Requests");
    await page.getByRole("link", { name: /^demo, status 200/ }).first().click();
    await sheet.getByText("Rule “essays” decided").waitFor();
    await rig.accessible(page);
    await close();
  });

  await step("hits a limit, is told which and what to do, and does it", async () => {
    await go("Tenants & keys");
    await page.getByRole("button", { name: /^laptop/ }).click();
    const most = sheet.getByRole("textbox", { name: "Token quota", exact: true });
    await sheet.getByText("rate, quota, budget").click();
    await most.fill("3k");
    await saved();
    await page.getByText("laptop was changed").waitFor();
    await close();
    await until(
      async () => (await ask(rig, { model: "demo", messages: said("Once more") })) === 429,
      "the limit to hold",
    );
    await go("Requests");
    await page.getByRole("link", { name: /^demo, status 429/ }).first().click();
    await sheet.getByText("The router refused it.").waitFor();
    await sheet.getByText(/to go on now, raise it/).waitFor();
    await rig.accessible(page);
    await rig.shot(page, "first-day-limit");
    await sheet.getByRole("link", { name: "Open the key" }).click();
    await sheet.getByRole("heading", { name: /laptop/ }).waitFor();
    await rig.accessible(page);
    await most.fill("");
    await saved();
    await until(
      async () => (await ask(rig, { model: "demo", messages: said("Now?") })) === 200,
      "the limit to be gone",
    );
    await close();
  });

  await step("writes the configuration down", async () => {
    await go("Configuration");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download" }).click(),
    ]);
    document = readFileSync((await file.path())!, "utf8");
    const names = (JSON.parse(document) as Record<string, Named[]>).rules!.map((one) => one.name);
    assert.deepEqual(names, ["essays"]);
    await rig.accessible(page);
  });

  await step("loses a rule, lets the moment for undoing pass", async () => {
    await go("Routing");
    await page.getByRole("button", { name: "More for essays" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByText("Requests it would have taken go on to the next rule").waitFor();
    await rig.accessible(page);
    await page.getByRole("button", { name: "Delete" }).click();
    await until(async () => !(await has("routing/rules", "essays")), "it to be gone");
  });

  await step("sees what the document would change, takes it in, and has it back", async () => {
    await go("Configuration");
    await page.getByRole("tab", { name: "Import" }).click();
    await give(page, document);
    await page.getByText("1 added").waitFor();
    await rig.accessible(page);
    await page.getByRole("button", { name: "Take 1 change" }).click();
    await page.getByText("The document is in force").first().waitFor();
    await rig.accessible(page);
    await go("Routing");
    await page.getByRole("button", { name: /^essays/ }).waitFor();
    assert.ok(await has("routing/rules", "essays"));
  });

  await step("finds the whole day in the audit, and logs out", async () => {
    await go("Alerts & audit");
    await page.getByRole("tab", { name: "Audit" }).click();
    await page.getByText("essays").first().waitFor();
    await rig.accessible(page);
    await page.getByRole("button", { name: /Owner/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.locator("input[name=token]").waitFor();
    await rig.accessible(page);
  });
});

async function give(page: Page, document: string) {
  await page.getByLabel("Drop a document here, or choose a file").setInputFiles({
    name: "routex.json",
    mimeType: "application/json",
    buffer: Buffer.from(document),
  });
}
