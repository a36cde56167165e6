import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

test("the first log-in leads through the first steps, to the first request", async () => {
  const page = await rig.visitor({ fresh: true });
  await page.goto(`${rig.home}/login`);
  await rig.logIn(page);
  await page.getByRole("heading", { name: "Welcome to Routex" }).waitFor();
  await page.getByRole("button", { name: /OpenAI-compatible/ }).click();
  await page.getByLabel(/^Address/).fill("http://127.0.0.1:9/v1");
  await page.getByRole("button", { name: "Add and test" }).click();
  await page.getByText("stays paused").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "welcome-provider-failed");
  // The demo provider speaks all dialects: as good as any other.
  const { base_url } = await rig.routex.admin<{ base_url: string }>(
    "GET",
    "/api/channels/demo",
  );
  await page.getByLabel(/^Address/).fill(`${base_url}/v1`);
  await page.getByRole("button", { name: "Test again" }).click();
  await page.getByRole("heading", { name: "Who is asked first?" }).waitFor();
  await page.getByRole("radio", { name: /Fastest/ }).check();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("What it is for").fill("laptop");
  await page.getByRole("button", { name: "Make a key" }).click();
  const key = await page.getByText(/^rtx_/).textContent();
  await rig.accessible(page);
  await rig.shot(page, "welcome-key");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("Waiting for the first request").waitFor();
  await page.getByText(`ANTHROPIC_AUTH_TOKEN=${key}`).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "welcome-client");
  await page.getByText("Live", { exact: true }).waitFor();
  rig.routex.key = key!;
  await until(async () => (await rig.routex.ask("Hello")) === 200, "an answer");
  await page.getByText("Your first request was answered").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "welcome-arrived");
  const settings = await rig.routex.admin<{ strategy: string }>("GET", "/api/settings");
  assert.equal(settings.strategy, "latency");
  await page.getByRole("button", { name: "Go to the overview" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  rig.noConsoleErrors();
});

test("it does not come again by itself, but can be opened again", async () => {
  const page = await rig.page("/", { fresh: true });
  await page.getByRole("button", { name: /Owner/ }).click();
  await page.getByRole("menuitem", { name: "Set up, step by step" }).click();
  await page.getByRole("heading", { name: "Welcome to Routex" }).waitFor();
  await page.getByRole("button", { name: "Skip all" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  rig.noConsoleErrors();
});

test("the steps look well", async () => {
  await rig.shots("/welcome", "welcome");
  await rig.shots("/welcome?step=strategy", "welcome-strategy");
  rig.noConsoleErrors();
});
