import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openRig, type Rig } from "./rig.ts";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig.close());

test("a stranger is asked to log in, and comes back to where it wanted to be", async () => {
  const page = await rig.visitor();
  await page.goto(`${rig.home}/channels`);
  await page.getByRole("heading", { name: "Log in to Routex" }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "login-light");

  await page.getByLabel("Admin token").fill("rta_wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "login-wrong");

  await page.getByLabel("Admin token").fill(rig.routex.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Channels", level: 1 }).waitFor();
  assert.match(page.url(), /\/dashboard\/channels$/);
});

test("who logs out sees nothing any more", async () => {
  const page = await rig.page();
  await page.getByRole("button", { name: /Admin token|Owner/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in to Routex" }).waitFor();
  await page.goto(`${rig.home}/channels`);
  await page.getByRole("heading", { name: "Log in to Routex" }).waitFor();
});

test("the palette leads everywhere, by keyboard alone", async () => {
  const page = await rig.page();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search or jump to…").fill("chan");
  await rig.accessible(page);
  await rig.shot(page, "palette");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Channels", level: 1 }).waitFor();
  rig.noConsoleErrors();
});

test("theme and language are kept", async () => {
  const page = await rig.page();
  await page.getByRole("button", { name: "Appearance and language" }).click();
  await rig.accessible(page);
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await page.getByRole("button", { name: "Appearance and language" }).click();
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("heading", { name: "概览", level: 1 }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "概览", level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  assert.ok(
    await page.evaluate(() => document.documentElement.classList.contains("dark")),
  );
  rig.noConsoleErrors();
});

test("an address that is none says so", async () => {
  const page = await rig.page("/no/such/page");
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await rig.accessible(page);
});

test("the overview shows a request as it arrives", async () => {
  const page = await rig.page();
  await page.getByText("Live", { exact: true }).waitFor();
  const figure = page.locator("dl > div").first().locator("dd span").first();
  assert.equal(await figure.textContent(), "0");
  assert.equal(await rig.routex.ask("Hello"), 200);
  await page.waitForFunction(
    () => document.querySelector("dl dd span")?.textContent === "1",
  );
  rig.noConsoleErrors();
});

test("the overview looks well", async () => {
  for (let i = 0; i < 5; i++) await rig.routex.ask(`Hello ${i}`);
  await rig.shots("/", "overview");
  rig.noConsoleErrors();
});
