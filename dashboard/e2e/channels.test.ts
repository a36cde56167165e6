import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";

/** A provider that knows one key. */
function provider(): Promise<Server> {
  const server = createServer((request, response) => {
    const good = request.headers.authorization === "Bearer sk-this-one-is-good-1111";
    request.resume();
    response.writeHead(good ? 200 : 401, { "content-type": "application/json" });
    response.end(
      JSON.stringify(
        good
          ? { object: "list", data: [], choices: [] }
          : { error: { message: "Incorrect API key provided" } },
      ),
    );
  });
  return new Promise((ready) =>
    server.listen(0, "127.0.0.1", () => ready(server)),
  );
}

let rig: Rig;
let server: Server;
let url: string;

interface Channel {
  id: string;
  name: string;
  status: string;
  priority: number;
  keys: { last4: string; status: string }[];
  models: unknown[];
}
const channels = () => rig.routex.admin<Channel[]>("GET", "/api/channels");
const channel = async (name: string) =>
  (await channels()).find((one) => one.name === name);
const lines = (page: Page) =>
  page.locator("#main li > div button.min-w-0 > span:first-child").allTextContents();

before(async () => {
  server = await provider();
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rig = await openRig();
  for (const [name, priority] of [["alpha", 300], ["beta", 200]] as const)
    await rig.routex.admin("POST", "/api/channels", {
      name,
      type: "openai-compatible",
      base_url: url,
      keys: ["sk-this-one-is-good-1111", "sk-some-other-key-0000"],
      models: ["gpt-*"],
      priority,
      tags: ["eu"],
    });
});
after(async () => {
  await rig?.close();
  server?.close();
});

test("a channel is added, its wrong key found out, the right one set to work", async () => {
  const page = await rig.page("/channels");
  await page.getByRole("button", { name: "Add channel" }).click();
  await rig.accessible(page);
  await rig.shot(page, "channels-presets");
  await page.getByLabel("Find a provider").fill("openai-comp");
  await page.getByRole("button", { name: /OpenAI-compatible/ }).click();
  await page.getByLabel("Name").fill("two words");
  await page.getByRole("button", { name: "Add and test" }).click();
  await page.getByText("Letters, digits, . _ and - only").waitFor();

  await page.getByLabel("Name").fill("gamma");
  await page.getByLabel(/^API key/).fill("sk-bad");
  await page.getByLabel(/^Address/).fill(url);
  await rig.accessible(page);
  await rig.shot(page, "channels-add");
  await page.getByRole("button", { name: "Add and test" }).click();
  await page.getByText("Incorrect API key provided").waitFor();
  assert.equal((await channel("gamma"))?.status, "paused");
  await rig.accessible(page);
  await rig.shot(page, "channels-add-failed");

  await page.getByLabel(/^API key/).fill("sk-this-one-is-good-1111");
  await page.getByRole("button", { name: "Test again" }).click();
  await page.getByText("gamma was added and answers").waitFor();
  const made = await channel("gamma");
  assert.equal(made?.status, "enabled");
  assert.deepEqual(made?.keys.map((one) => one.last4), ["1111"]);
  rig.noConsoleErrors();
});

test("pausing is shown, and taken back", async () => {
  const page = await rig.page("/channels");
  await page.getByRole("button", { name: "Pause alpha" }).click();
  await page.getByText("alpha is paused").waitFor();
  assert.equal((await channel("alpha"))?.status, "paused");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Pause alpha" }).waitFor();
  await until(
    async () => (await channel("alpha"))?.status === "enabled",
    "alpha to be used again",
  );
  rig.noConsoleErrors();
});

test("the order is made by keyboard and by pointer, and taken back", async () => {
  const page = await rig.page("/channels");
  const at = async (name: string) => (await lines(page)).indexOf(name);
  assert.equal(await at("alpha"), 0);

  const handle = page.getByRole("button", { name: "Move beta" });
  await handle.focus();
  await page.keyboard.press("Space");
  await page.waitForTimeout(100); // the sensor measures first
  await page.keyboard.press("ArrowUp");
  await page.waitForTimeout(100);
  await page.keyboard.press("Space");
  await page.getByText("beta was moved").waitFor();
  await until(async () => (await at("beta")) === 0, "beta on top");
  const moved = await channel("beta");
  assert.ok(moved!.priority > 300, String(moved!.priority));
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await channel("beta"))!.priority === 200, "undone");
  await until(async () => (await at("alpha")) === 0, "alpha on top");

  const from = await page.getByRole("button", { name: "Move beta" }).boundingBox();
  const to = await page.getByRole("button", { name: "Move alpha" }).boundingBox();
  assert.ok(from && to);
  await page.mouse.move(from.x + 10, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 10, to.y + 20, { steps: 8 });
  await page.mouse.move(from.x + 10, to.y, { steps: 4 });
  await page.mouse.up();
  await until(async () => (await channel("beta"))!.priority > 300, "beta moved");
  rig.noConsoleErrors();
});

test("a channel is changed and the change taken back", async () => {
  const page = await rig.page("/channels");
  await page.getByRole("button", { name: /^alpha/ }).click();
  await page.getByRole("heading", { name: /alpha/ }).waitFor();
  assert.match(page.url(), /channel=chn_/);
  await page.getByLabel(/^Models/).fill("gpt-*\nfast -> gpt-5-mini");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("alpha was changed").waitFor();
  assert.deepEqual((await channel("alpha"))?.models, [
    "gpt-*",
    { name: "fast", upstream: "gpt-5-mini" },
  ]);
  await page.getByRole("button", { name: "Undo" }).click();
  await until(
    async () => (await channel("alpha"))?.models.length === 1,
    "the models as before",
  );
  rig.noConsoleErrors();
});

test("a key is switched off, another removed after a question", async () => {
  const page = await rig.page("/channels");
  await page.getByRole("button", { name: /^beta/ }).click();
  await page.getByRole("switch", { name: "Use key …0000" }).click();
  await until(
    async () => (await channel("beta"))?.keys[1]?.status === "disabled",
    "the key to be off",
  );
  await page.getByRole("button", { name: "Remove key …0000" }).click();
  await page.getByText("The key is erased").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "channels-drop-key");
  await page.getByRole("button", { name: "Delete" }).last().click();
  await until(
    async () => (await channel("beta"))?.keys.length === 1,
    "the key to be gone",
  );
  rig.noConsoleErrors();
});

test("removing asks, says what is lost, and can be called off", async () => {
  const page = await rig.page("/channels");
  await page.getByRole("button", { name: "More for gamma" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Remove gamma?" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.ok(await channel("gamma"));
  await page.getByRole("button", { name: "More for gamma" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("gamma was removed").waitFor();
  assert.equal(await channel("gamma"), undefined);
  rig.noConsoleErrors();
});

test("the page and one channel look well", async () => {
  for (let i = 0; i < 3; i++) await rig.routex.ask(`Hello ${i}`);
  await rig.shots("/channels", "channels");
  await rig.shots("/channels?channel=alpha", "channel", async (page) => {
    await page.getByRole("dialog").getByRole("button", { name: /^(Test|测试)$/ }).click();
    await page.getByRole("dialog").getByRole("status").waitFor();
  });
  rig.noConsoleErrors();
});
