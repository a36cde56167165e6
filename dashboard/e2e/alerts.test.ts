import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";

/** Refuses every key, and is a webhook at /hook. */
let server: Server;
let url: string;
let hookStatus = 204;
const told: { event: string; signature: string }[] = [];
let rig: Rig;

interface Alert {
  id: string;
  kind: string;
  name: string;
  acked_at: string | null;
}
const alerts = (state: string) =>
  rig.routex.admin<Alert[]>("GET", `/api/alerts?state=${state}`);

before(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      if (request.url!.startsWith("/hook")) {
        told.push({
          event: (JSON.parse(body) as { event: string }).event,
          signature: String(request.headers["x-routex-signature"]),
        });
        response.writeHead(hookStatus).end();
        return;
      }
      response.writeHead(401, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ error: { message: "Incorrect API key provided" } }),
      );
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rig = await openRig();
});
after(async () => {
  await rig?.close();
  server?.close();
});

test("nothing is wrong, and the pages say so", async () => {
  await rig.shots("/alerts", "alerts-none");
  const page = await rig.page("/alerts?part=past");
  await page.getByText("No alert yet").waitFor();
  await rig.accessible(page);
  await page.getByRole("tab", { name: "Webhooks" }).click();
  await page.getByText("No webhook yet").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "alerts-no-webhook");
  rig.noConsoleErrors();
});

test("a webhook is added, its secret shown once, and it is tested", async () => {
  const page = await rig.page("/alerts?part=webhooks");
  await page.getByRole("button", { name: "Add webhook" }).click();
  await page.getByLabel("Name").fill("team chat");
  await page.getByLabel("Address").fill("ftp://no");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("An address with http:// or https://").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "webhook-add");
  await page.getByLabel("Address").fill(`${url}/hook/secret-path`);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/^whs_/).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "webhook-secret");
  await page.getByRole("button", { name: "I have kept it" }).click();
  assert.equal(await page.getByText(/^whs_/).count(), 0);
  assert.equal(await page.getByText("secret-path").count(), 0);

  await page.getByRole("button", { name: "Test team chat" }).click();
  await page.getByRole("status").filter({ hasText: "204" }).waitFor();
  assert.equal(told.at(-1)?.event, "webhook.test");
  assert.match(told.at(-1)!.signature, /^v1=[0-9a-f]{64}$/);
  hookStatus = 500;
  await page.getByRole("button", { name: "Test team chat" }).click();
  await page.getByRole("status").filter({ hasText: "500" }).waitFor();
  hookStatus = 204;
  rig.noConsoleErrors();
});

test("a webhook is changed, switched off and on, and removed after a question", async () => {
  await rig.routex.admin("POST", "/api/webhooks", {
    name: "pager",
    url: `${url}/hook/2`,
    severity: "critical",
    kinds: ["plane_lost"],
  });
  interface Hook {
    name: string;
    status: string;
    kinds: string[];
  }
  const pager = async () =>
    (await rig.routex.admin<Hook[]>("GET", "/api/webhooks")).find(
      (one) => one.name === "pager",
    );
  const page = await rig.page("/alerts?part=webhooks");
  await page.getByRole("switch", { name: "Send to pager" }).click();
  await until(async () => (await pager())?.status === "disabled", "it to be off");
  await page.getByRole("button", { name: "More for pager" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByLabel("Channel down").check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("pager was changed").waitFor();
  assert.deepEqual((await pager())?.kinds.toSorted(), ["channel_down", "plane_lost"]);
  await rig.shots("/alerts?part=webhooks", "alerts-webhooks");
  await page.getByRole("button", { name: "More for pager" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Remove pager?" }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("pager was removed").waitFor();
  assert.equal(await pager(), undefined);
  rig.noConsoleErrors();
});

test("an alert is there, says what to do, and is seen by somebody", async () => {
  await rig.routex.admin("POST", "/api/channels", {
    name: "main-account",
    type: "openai-compatible",
    base_url: url,
    api_key: "sk-not-the-right-one",
    models: ["gpt-*"],
  });
  const page = await rig.page("/alerts");
  await until(async () => {
    await rig.routex.ask("Hello", { model: "gpt-5" });
    return (await alerts("open")).length > 0;
  }, "the alert");
  await page
    .getByRole("heading", { name: /Credential refused main-account/ })
    .waitFor();
  await page.getByText("Enter a new key").waitFor();
  await page.getByRole("link", { name: /nobody has seen 1/ }).waitFor();
  await rig.shots("/alerts", "alerts-open");
  await page.getByRole("button", { name: /^Seen: Credential/ }).click();
  await page.getByText(/seen by/).waitFor();
  assert.ok((await alerts("open"))[0]!.acked_at);
  await page.getByRole("link", { name: "No alerts" }).waitFor();
  await until(
    () => told.some((one) => one.event === "alert.opened"),
    "the webhook to be told",
  );
  await page.getByRole("link", { name: "Open the channel" }).click();
  await page.getByRole("dialog").getByText("main-account").first().waitFor();
  rig.noConsoleErrors();
});

test("what is over is kept", async () => {
  await rig.routex.admin("POST", "/api/channels/main-account/reset");
  await until(async () => (await alerts("open")).length === 0, "it to be over");
  const page = await rig.page("/alerts?part=past");
  await page
    .getByRole("heading", { name: /Credential refused main-account/ })
    .waitFor();
  await rig.accessible(page);
  await rig.shot(page, "alerts-past");
  rig.noConsoleErrors();
});

test("the audit log is narrowed down, and a line shows before and after", async () => {
  await rig.routex.admin("POST", "/api/tenants", { name: "acme" });
  await rig.routex.admin("PATCH", "/api/tenants/acme", {
    limits: { requests_per_min: 60 },
  });
  await rig.routex.admin("PATCH", "/api/settings", { strategy: "latency" });
  await rig.routex.admin("DELETE", "/api/tenants/acme");
  const page = await rig.page("/alerts?part=audit");
  await page.getByLabel("What", { exact: true }).selectOption("tenant");
  const rows = page.locator("tbody tr");
  // The one that came with the first start is among them.
  await until(async () => (await rows.count()) === 4, "four lines");
  assert.match(page.url(), /kind=tenant/);
  await page.getByLabel("Action", { exact: true }).selectOption("update");
  await until(async () => (await rows.count()) === 1, "one line");
  await page.getByRole("button", { name: /acme/ }).click();
  const story = page.getByRole("dialog");
  await story.getByText("limits.requests_per_min").waitFor();
  await story.getByText("60", { exact: true }).first().waitFor();
  assert.match(page.url(), /line=/);
  await rig.accessible(page);
  await rig.shot(page, "audit-line");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByLabel("Name or id").fill("no such thing");
  await page.getByText("No line fits these filters").waitFor();
  await rig.accessible(page);
  rig.noConsoleErrors();
});

test("the audit log looks well, also when it is long", async () => {
  for (let i = 0; i < 130; i++)
    await rig.routex.admin("PATCH", "/api/settings", { max_wait_s: i });
  await rig.shots("/alerts?part=audit", "alerts-audit");
  const page = await rig.page("/alerts?part=audit");
  const region = page.getByRole("region", { name: "Audit log" });
  await until(async () => {
    await region.evaluate((box) => box.scrollBy(0, 1e6));
    return Number(await page.locator("table").getAttribute("aria-rowcount")) > 130;
  }, "the second page");
  rig.noConsoleErrors();
});
