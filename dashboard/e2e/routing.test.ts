import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";
import { ask, openAccounts, said } from "./traffic.ts";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

interface Rule {
  id: string;
  name: string;
  type: string;
  status: string;
  priority: number;
  strict: boolean;
  condition: object;
  target: object;
}
const rules = () => rig.routex.admin<Rule[]>("GET", "/api/routing/rules");
const rule = async (name: string) => (await rules()).find((one) => one.name === name);
const save = (page: Page) => page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
const lines = (page: Page) =>
  page.locator("#main li > div button.min-w-0 span.truncate.font-medium").allTextContents();

test("without rules it says what happens, and how to begin", async () => {
  await rig.shots("/routing", "routing-none");
  await openAccounts(rig);
  rig.noConsoleErrors();
});

test("a whole set at once, as claude-code-router has it, and taken back", async () => {
  const page = await rig.page("/routing");
  await page.getByRole("button", { name: "Add rule" }).first().click();
  await page.getByRole("button", { name: /Own condition/ }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "routing-presets");
  await page.getByRole("button", { name: /A set like claude-code-router/ }).click();
  await page.getByLabel("Channel for Default").selectOption("main");
  await page.getByLabel("Channel for Background").selectOption("demo");
  await page.getByLabel("Model for Background").fill("demo");
  await page.getByLabel("Channel for Thinking").selectOption("main");
  await page.getByLabel("Model for Thinking").fill("nobody-has-this");
  await rig.accessible(page);
  await rig.shot(page, "routing-set");
  await page.getByRole("button", { name: "Make 3 rules" }).click();
  await page.getByText(/no channel it points to serves/).waitFor();
  assert.deepEqual((await rules()).map((one) => one.name), ["background", "default"]);
  await page.getByLabel("Model for Thinking").fill("opus");
  await page.getByRole("button", { name: "Make 1 rule" }).click();
  await page.getByText("think was added").waitFor();
  assert.equal((await rules()).length, 3);
  await page.getByRole("button", { name: "Undo" }).last().click();
  await until(async () => (await rules()).length === 2, "the last one gone");
  rig.noConsoleErrors(/status of 400/);
});

test("a rule out of conditions in groups, with weights and a fallback", async () => {
  const page = await rig.page("/routing");
  await page.getByRole("button", { name: "Add rule" }).click();
  await page.getByRole("button", { name: /Own condition/ }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name").fill("essays");

  await sheet.getByRole("button", { name: "Condition", exact: true }).click();
  await sheet.getByLabel("What is looked at").selectOption({ label: "Tag" });
  await sheet.getByLabel("Value of Tag").fill("essay*");
  await page.keyboard.press("Enter");
  await sheet.getByRole("button", { name: "Group", exact: true }).click();
  await sheet.getByLabel("What is looked at").nth(1).selectOption({ label: "User's text matches" });
  await sheet.getByLabel("Value of User's text matches").fill("write (an");
  await sheet.getByRole("button", { name: "Condition", exact: true }).first().click();
  await sheet.getByLabel("What is looked at").nth(2).selectOption({ label: "Has pictures" });
  await sheet.getByLabel("How they are joined").last().selectOption("any");

  await sheet.getByLabel("Add a channel").selectOption("main");
  await sheet.getByLabel("Add a channel").selectOption("demo");
  await sheet.getByLabel("How requests are spread").selectOption("shared");
  await sheet.getByLabel("Weight of main").fill("3");
  await sheet.getByRole("button", { name: "Fallback" }).click();
  await sheet.getByRole("group", { name: "Where to" }).last().getByRole("button", { name: "Tag" }).click();
  await sheet.getByLabel("Tag of channels").fill("eu");
  await save(page);
  // The API names the field; it is shown at the condition.
  const wrong = sheet.getByRole("alert").filter({ hasText: "missing closing parenthesis" });
  await wrong.waitFor();
  assert.equal(await wrong.locator("xpath=ancestor::li[1]").getByLabel("Value of User's text matches").count(), 1);
  await rig.accessible(page);
  await rig.shot(page, "routing-wrong-pattern");

  await sheet.getByLabel("Value of User's text matches").fill("write an");
  await save(page);
  await page.getByText("essays was added").waitFor();
  const made = await rule("essays");
  assert.deepEqual(made?.condition, {
    tag: ["essay*"],
    any: [{ user_pattern: "write an" }, { has_images: true }],
  });
  assert.deepEqual(made?.target, {
    channels: [
      { channel: "main", weight: 3 },
      { channel: "demo", weight: 1 },
    ],
    fallbacks: [{ tag: "eu" }],
  });
  rig.noConsoleErrors(/status of 400/);
});

test("the same as JSON: a mistake has its line, what is right is saved and taken back", async () => {
  const page = await rig.page("/routing");
  await page.getByRole("button", { name: /^essays/ }).click();
  const sheet = page.getByRole("dialog");
  assert.match(page.url(), /open=rul_/);
  await sheet.getByRole("button", { name: "JSON" }).click();
  const area = sheet.getByLabel("The rule as JSON");
  const text = await area.inputValue();
  await area.fill(text.replace('"has_images": true', '"has_images": "often"'));
  await save(page);
  await sheet.getByText("condition.any[1].has_images:").waitFor();
  const line = text.split("\n").findIndex((one) => one.includes("has_images")) + 1;
  await sheet.getByRole("button", { name: `Go to line ${line}` }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "routing-json");
  await area.fill("{");
  await save(page);
  await sheet.getByRole("alert").waitFor();
  await area.fill(text.replace('"strict": false', '"strict": true'));
  await sheet.getByRole("button", { name: "Form" }).click();
  await sheet.getByRole("switch", { name: "Strict" }).waitFor();
  await save(page);
  await page.getByText("essays was changed").waitFor();
  assert.equal((await rule("essays"))?.strict, true);
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await rule("essays"))?.strict === false, "strict undone");
  rig.noConsoleErrors(/status of 400/);
});

test("the order is made by keyboard and taken back; a rule is switched off", async () => {
  const page = await rig.page("/routing");
  await page.getByText("background", { exact: true }).waitFor();
  assert.deepEqual(await lines(page), ["essays", "background", "default"]);
  const handle = page.getByRole("button", { name: "Move background" });
  await handle.focus();
  await page.keyboard.press("Space");
  await page.waitForTimeout(100); // the sensor measures first
  await page.keyboard.press("ArrowUp");
  await page.waitForTimeout(100);
  await page.keyboard.press("Space");
  await page.getByText("background was moved").waitFor();
  await until(async () => (await rules())[0]?.name === "background", "background on top");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await rules())[0]?.name === "essays", "essays on top");
  await page.getByRole("switch", { name: "Use background" }).click();
  await until(async () => (await rule("background"))?.status === "disabled", "it to be off");
  await page.getByRole("button", { name: "Undo" }).last().click();
  await until(async () => (await rule("background"))?.status === "enabled", "it to be on");
  rig.noConsoleErrors();
});

test("removing asks, and can be undone", async () => {
  const page = await rig.page("/routing");
  const before = await rule("background");
  await page.getByRole("button", { name: "More for background" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("Requests it would have taken go on to the next rule").waitFor();
  await rig.accessible(page);
  await page.getByRole("button", { name: "Delete" }).click();
  await until(async () => !(await rule("background")), "it to be gone");
  await page.getByRole("button", { name: "Undo" }).click();
  const back = await until(() => rule("background"), "it to be back");
  assert.deepEqual({ ...back, id: 0 }, { ...before!, id: 0, created_at: (back as never as { created_at: string }).created_at, updated_at: (back as never as { updated_at: string }).updated_at });
  rig.noConsoleErrors();
});

test("the strategy is chosen with words to it, and taken back", async () => {
  const page = await rig.page("/routing");
  const strategy = () => rig.routex.admin<{ strategy: string }>("GET", "/api/settings");
  await page.getByLabel("Strategy").selectOption("least_used");
  await page.getByText("The fewest requests under way").waitFor();
  assert.equal((await strategy()).strategy, "least_used");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await strategy()).strategy === "priority", "priority again");
  rig.noConsoleErrors();
});

test("a function: its mistake has a line, a rule calls it, and it is kept while one does", async () => {
  const page = await rig.page("/routing?tab=functions");
  await page.getByRole("button", { name: "New function" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name").fill("cheap_at_night");
  await sheet.getByLabel("Lua 5.4").fill("local t = request.time\nif t then then\n");
  await save(page);
  await sheet.getByText(/Line 2: /).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "routing-function-wrong");
  await sheet.getByLabel("Lua 5.4").fill('if find(request.text, "cheap") then\n  return "demo", "demo"\nend\nreturn false\n');
  await save(page);
  await page.getByText("no rule calls it").waitFor();
  await rig.routex.admin("POST", "/api/routing/rules", {
    name: "night",
    condition: { custom_function: "cheap_at_night" },
    priority: 500,
  });
  await page.reload();
  await page.getByText("called by night").waitFor();
  await page.getByRole("button", { name: "Remove cheap_at_night" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText(/calls this function/).waitFor();
  rig.noConsoleErrors(/status of 4(00|09)/);
});

test("the bench explains as the data plane decides", async () => {
  const page = await rig.page("/routing?tab=test");
  await page.getByLabel("Sample").selectOption({ label: "Background: a small model" });
  await page.getByText("because of rule “background”").waitFor();
  await page.getByText("demo · demo").waitFor();
  await rig.accessible(page);

  await page.getByLabel("Headers").fill("x-routex-tag: essay-7");
  await page.getByLabel("Body").fill(
    JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 9, messages: said("Please write an essay.") }),
  );
  await page.getByLabel("Body").press("Control+Enter");
  await page.getByText("because of rule “essays”").waitFor();
  assert.equal(
    await ask(rig, { model: "claude-sonnet-4-5", messages: said("Please write an essay.") }, { "x-routex-tag": "essay-7" }),
    200,
  );
  const row = await until(async () => {
    const [one] = await rig.routex.admin<{ rule: string | null }[]>("GET", "/api/requests?limit=1");
    return one?.rule ? one : undefined;
  }, "the request's row");
  assert.equal(row.rule, "essays");

  await page.getByLabel("Body").fill("{ nonsense");
  await page.getByLabel("Body").press("Control+Enter");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Body").fill('{"model":"nobody","messages":[]}');
  await page.getByLabel("Headers").fill("x-routex-channel: main");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("It would be refused").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "routing-bench-refused");
  await page.getByLabel("Sample").selectOption({ label: "Long context" });
  await page.getByText(/about 8\d,\d{3} tokens|about \d{2},\d{3} tokens/).waitFor();
  rig.noConsoleErrors();
});

test("every page of it looks well", async () => {
  await rig.routex.admin("POST", "/api/routing/rules", {
    name: "plan with the big one",
    type: "think",
    condition: { model: ["claude-*"], not: { keywords: ["quick", "short"] } },
    target: { channels: ["main", "demo"], model: "opus", fallbacks: [{ channel: "demo", model: "demo" }] },
    strict: true,
  });
  await rig.routex.admin("POST", "/api/routing/rules", {
    name: "night shift",
    condition: { time: { from: "22:00", to: "06:00", days: ["mon", "tue"] }, token_threshold: 20000 },
    target: { tag: "eu", strategy: "least_used" },
    status: "disabled",
  });
  await rig.shots("/routing", "routing");
  await rig.shots("/routing?open=essays", "routing-rule", async (page) => {
    await page.getByRole("dialog").locator("select").first().waitFor();
  });
  await rig.shots("/routing?tab=functions&open=cheap_at_night", "routing-function", async (page) => {
    await page.getByRole("dialog").locator("textarea").waitFor();
  });
  await rig.shots("/routing?tab=test", "routing-bench", async (page) => {
    await page.locator("#main select").first().selectOption("think");
    await page.getByRole("main").getByRole("status").waitFor();
  });
  rig.noConsoleErrors();
});
