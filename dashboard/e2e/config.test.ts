import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";

let rig: Rig;
interface Named {
  id: string;
  name: string;
  priority?: number;
}
const list = (of: string) => rig.routex.admin<Named[]>("GET", `/api/${of}`);
const named = async (of: string, name: string) =>
  (await list(of)).find((one) => one.name === name);

const channel = (name: string, priority: number) => ({
  name,
  type: "openai-compatible",
  base_url: "http://127.0.0.1:9/v1",
  api_key: `sk-${name}-0123456789`,
  models: ["gpt-*"],
  priority,
});

async function give(page: Page, document: unknown, name = "routex.json") {
  await page.getByLabel("Drop a document here, or choose a file").setInputFiles({
    name,
    mimeType: "application/json",
    buffer: Buffer.from(
      typeof document === "string" ? document : JSON.stringify(document),
    ),
  });
}

before(async () => {
  rig = await openRig();
  await rig.routex.admin("POST", "/api/channels", channel("alpha", 300));
  await rig.routex.admin("POST", "/api/channels", channel("beta", 200));
  await rig.routex.admin("POST", "/api/routing/rules", {
    name: "cheap",
    condition: { model: "gpt-*" },
    target: { channel: "beta" },
  });
});
after(() => rig?.close());

test("the configuration is downloaded, whole and in part", async () => {
  const page = await rig.page("/config");
  const [whole] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  assert.match(whole.suggestedFilename(), /^routex-\d{8}T\d{6}Z\.json$/);
  const read = JSON.parse(readFileSync((await whole.path())!, "utf8"));
  assert.equal(read.format, "routex-config");
  assert.deepEqual(
    read.channels.map((one: Named) => one.name),
    ["alpha", "beta", "demo"].filter((name) =>
      read.channels.some((one: Named) => one.name === name),
    ),
  );
  assert.ok(!JSON.stringify(read).includes("sk-alpha"), "a key got out");

  await page.getByLabel("Client keys").uncheck();
  await page.getByLabel("Settings").uncheck();
  await page.getByRole("switch", { name: "Providers' keys" }).click();
  const download = page.getByRole("button", { name: "Download" });
  assert.ok(await download.isDisabled());
  await page.getByLabel("Passphrase").fill("correct horse");
  await page.getByRole("button", { name: "Look at it" }).click();
  const shown = await page.locator("pre[aria-label=Document]").textContent();
  const part = JSON.parse(shown!);
  assert.ok(part.secrets?.box, shown!);
  assert.equal(part.keys, undefined);
  assert.equal(part.settings, undefined);
  await rig.accessible(page);
  await rig.shot(page, "config-export-shown");
  rig.noConsoleErrors();
});

test("a document is looked at before it is taken in, and only what was chosen", async () => {
  const page = await rig.page("/config?part=import");
  await give(page, {
    channels: [
      channel("gamma", 100),
      { ...channel("alpha", 350), tags: ["eu"], api_key: undefined },
    ],
    rules: [
      { name: "long", condition: { token_threshold: 60_000 }, target: { channel: "alpha" } },
    ],
  });
  await page.getByText("2 added").waitFor();
  await page.getByText("1 changed").waitFor();
  await page.getByText("350", { exact: true }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "config-import");
  await page.getByLabel("Take rule long").uncheck();
  await page.getByRole("button", { name: "Take 2 changes" }).click();
  await page.getByText("The document is in force").first().waitFor();
  assert.equal((await named("channels", "alpha"))?.priority, 350);
  assert.ok(await named("channels", "gamma"));
  assert.equal(await named("routing/rules", "long"), undefined);
  await rig.accessible(page);
  await rig.shot(page, "config-imported");
  rig.noConsoleErrors();
});

test("what would be removed is asked for, after a backup", async () => {
  await rig.routex.admin("POST", "/api/channels", channel("delta", 50));
  const before = await list("config/backups");
  const page = await rig.page("/config?part=import");
  const document = await rig.routex.admin<{ channels: Named[] }>(
    "GET",
    "/api/config/export?select=channels:alpha,channels:beta",
  );
  await give(page, document);
  await page.getByLabel("What is not in the document").selectOption("replace");
  await page.getByText("2 removed").waitFor();
  await page.getByLabel("Take channel delta").uncheck();
  await page.getByRole("button", { name: /^Take \d+ changes?$/ }).click();
  await page.getByRole("heading", { name: /^Remove \d/ }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "config-import-sure");
  await page.getByRole("dialog").getByRole("button", { name: /^Take/ }).click();
  await page.getByText("The document is in force").first().waitFor();
  assert.equal(await named("channels", "gamma"), undefined);
  assert.ok(await named("channels", "delta"));
  assert.equal((await list("config/backups")).length, before.length + 1);
  rig.noConsoleErrors();
});

test("what is no document, or a wrong one, is explained", async () => {
  const page = await rig.page("/config?part=import");
  await give(page, "{ oh", "broken.json");
  await page.getByText("broken.json is no JSON").waitFor();
  await give(page, { Providers: [] }, "config.json");
  await page.getByText("config.json is not a configuration of Routex").waitFor();
  await rig.accessible(page);
  await give(page, {
    channels: [{ name: "bad name", type: "nothing" }],
    rules: [{ name: "x", condition: { no: 1 } }],
  });
  await page.getByText("nothing was changed").waitFor();
  await page.getByText("channels[0]").first().waitFor();
  await rig.accessible(page);
  await rig.shot(page, "config-import-wrong");
  rig.noConsoleErrors(/config\/import/);
});

test("a document of what is in force changes nothing", async () => {
  const page = await rig.page("/config?part=import");
  await give(page, await rig.routex.admin("GET", "/api/config/export"));
  await page.getByText("it would change nothing").waitFor();
  rig.noConsoleErrors();
});

test("a backup is made, and restored after its word was typed", async () => {
  const page = await rig.page("/config?part=backups");
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByText(/^Backed up/).waitFor();
  await rig.routex.admin("DELETE", "/api/routing/rules/cheap");
  await rig.routex.ask("after the backup");

  await page.getByRole("button", { name: /^Restore the backup/ }).first().click();
  const restore = page.getByRole("dialog").getByRole("button", { name: "Restore" });
  assert.ok(await restore.isDisabled());
  await page.getByLabel("Type restore to go on").fill("restore");
  await rig.accessible(page);
  await rig.shot(page, "config-restore");
  await restore.click();
  await page.getByText("It is as it was then").waitFor({ timeout: 60_000 });
  await rig.accessible(page);
  await rig.shot(page, "config-restored");
  await until(
    async () => (await named("routing/rules", "cheap")) !== undefined,
    "the rule to be back",
  );
  await page.getByRole("button", { name: /^(Close|Log in again)$/ }).last().click();
  // The stream and the figures lost the control plane for a moment.
  rig.noConsoleErrors(/Failed to load|EventSource/);
});

test("the page looks well", async () => {
  await rig.shots("/config", "config-export");
  await rig.shots("/config?part=import", "config-import-empty");
  await rig.shots("/config?part=backups", "config-backups");
  rig.noConsoleErrors();
});
