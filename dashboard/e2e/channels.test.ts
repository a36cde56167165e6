import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";

const inSeconds = (n: number) => String(Math.floor(Date.now() / 1_000) + n);

/** A provider that knows one key, and tells Anthropic's clients of their windows. */
function provider(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url!.startsWith("/v1/messages")) {
      request.resume();
      response.writeHead(200, {
        "content-type": "application/json",
        "anthropic-ratelimit-unified-5h-utilization": "0.86",
        "anthropic-ratelimit-unified-5h-reset": inSeconds(5_400),
        "anthropic-ratelimit-unified-7d-utilization": "0.31",
        "anthropic-ratelimit-unified-7d-reset": inSeconds(300_000),
      });
      response.end(
        JSON.stringify({
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "claude-sonnet-4-5",
          content: [{ type: "text", text: "Hello" }],
          stop_reason: "end_turn",
          stop_sequence: null,
          usage: { input_tokens: 9, output_tokens: 4 },
        }),
      );
      return;
    }
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

test("usage windows are bars that say when they start anew", async () => {
  await rig.routex.admin("POST", "/api/channels", {
    name: "claude-max",
    type: "anthropic",
    base_url: url,
    api_key: "sk-ant-api03-0123456789",
    models: ["claude-*"],
    priority: 400,
  });
  await until(
    async () => (await rig.routex.ask("Hello", { model: "claude-sonnet-4-5" })) === 200,
    "an answer",
  );
  const page = await rig.page("/channels?channel=claude-max");
  const sheet = page.getByRole("dialog");
  const five = sheet.getByRole("meter", { name: "Five hours" });
  await five.waitFor();
  assert.equal(await five.getAttribute("aria-valuenow"), "86");
  await sheet.getByText(/starts anew in 1 hr|starts anew in 2 hr/).waitFor();
  await rig.accessible(page);
  rig.noConsoleErrors();
});

test("health checks are shown, and how often they are made is changed", async () => {
  await rig.routex.admin("PATCH", "/api/channels/beta", {
    health_check: { enabled: true, interval_s: 1 },
  });
  await until(async () => {
    const { checks } = await rig.routex.admin<{ checks: unknown[] }>(
      "GET",
      "/api/channels/beta/health",
    );
    return checks.length > 4;
  }, "some checks");
  const page = await rig.page("/channels?channel=beta");
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("img", { name: /^Latency of the last/ }).waitFor();
  await rig.accessible(page);
  await sheet.getByLabel(/^every/).fill("600");
  await sheet.getByRole("button", { name: "Save", exact: true }).first().click();
  interface Checked {
    health_check: { enabled: boolean; interval_s: number };
  }
  const check = async () =>
    (await rig.routex.admin<Checked>("GET", "/api/channels/beta")).health_check;
  await until(async () => (await check()).interval_s === 600, "the interval");
  await sheet.getByRole("switch", { name: "Check it regularly" }).click();
  await until(async () => !(await check()).enabled, "checks to be off");
  rig.noConsoleErrors();
});

test("a transformer is added, its options filled in by a form", async () => {
  const page = await rig.page("/channels?channel=alpha");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Add a step…").selectOption("maxtoken");
  await sheet.getByText("Still needed: maxtoken.max_tokens").waitFor();
  await sheet.getByLabel("max_tokens").fill("none");
  await sheet.getByText("A number from 1 to").waitFor();
  await rig.accessible(page);
  await sheet.getByLabel("max_tokens").fill("4096");
  await sheet.getByLabel(/^mode/).selectOption("set");
  await sheet.getByRole("button", { name: "Save the steps" }).scrollIntoViewIfNeeded();
  await rig.shot(page, "channel-transformers");
  await sheet.getByRole("button", { name: "Save the steps" }).click();
  await page.getByText("alpha was changed").waitFor();
  const { transformers } = await rig.routex.admin<{ transformers: { use: unknown[] } }>(
    "GET",
    "/api/channels/alpha",
  );
  assert.deepEqual(transformers.use.at(-1), ["maxtoken", { max_tokens: 4096, mode: "set" }]);
  rig.noConsoleErrors();
});

test("addresses are compared, the fastest first", async () => {
  const page = await rig.page("/channels?channel=alpha");
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel(/^Other addresses/).fill(`${url}/v2\nhttp://127.0.0.1:9`);
  await sheet.getByRole("button", { name: "Measure" }).click();
  await sheet.getByText("fastest").waitFor();
  await sheet.getByText("3 of 3 answered").first().waitFor();
  assert.equal(await sheet.getByRole("button", { name: /^Use http/ }).count(), 1);
  await rig.accessible(page);
  await sheet.getByText("3 of 3 answered").first().scrollIntoViewIfNeeded();
  await rig.shot(page, "channel-speed");
  rig.noConsoleErrors();
});

test("the page and one channel look well", async () => {
  for (let i = 0; i < 3; i++) await rig.routex.ask(`Hello ${i}`);
  await rig.shots("/channels", "channels");
  await rig.shots("/channels?channel=claude-max", "channel", async (page) => {
    await page.getByRole("dialog").getByRole("button", { name: /^(Test|测试)$/ }).click();
    await page.getByRole("dialog").getByRole("status").waitFor();
  });
  rig.noConsoleErrors();
});
