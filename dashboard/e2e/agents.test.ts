import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";
import { ask, openAccounts, said } from "./traffic.ts";

const PROMPT = "You are a careful reviewer of changes to C code. You look for what is missing.";

let rig: Rig;
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

interface Agent {
  id: string;
  model: string;
  routing: string;
  fault: { line: number; reason: string } | null;
}
const agents = () => rig.routex.admin<Agent[]>("GET", "/api/agents");
const agent = async (id: string) => (await agents()).find((one) => one.id === id);
const file = (name: string) => join(rig.routex.folder, "d", "agents", name);

test("without agents it says what one is", async () => {
  await rig.shots("/agents", "agents-none");
  await openAccounts(rig);
  rig.noConsoleErrors();
});

test("an agent is written, and its requests go where it says", async () => {
  const page = await rig.page("/agents");
  await page.getByRole("button", { name: "Add agent" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Name").fill("C reviewer");
  await sheet.getByLabel("Prompt").fill("Too short");
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.getByText("31 more bytes are needed").waitFor();
  await sheet.getByLabel("Prompt").fill(PROMPT);
  await sheet.getByLabel(/^Model/).fill("opus");
  await sheet.getByLabel(/^Route/).fill("nowhere");
  await page.keyboard.press("Enter");
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.getByText(/there is no channel "nowhere"|nowhere/).last().waitFor();
  await rig.accessible(page);
  await rig.shot(page, "agents-wrong");
  await sheet.getByRole("button", { name: "Take out: nowhere" }).click();
  await sheet.getByLabel(/^Route/).fill("main,demo");
  await page.keyboard.press("Tab");
  await sheet.getByRole("button", { name: "Save" }).click();
  await page.getByText("C reviewer was added").waitFor();
  assert.match(readFileSync(file("C-reviewer.md"), "utf8"), /routing: "?main, demo"?\n/);

  const row = await until(async () => {
    await ask(rig, { model: "claude-sonnet-4-5", system: `${PROMPT} Be brief.`, messages: said("Look.") });
    const [one] = await rig.routex.admin<{ model: string | null; rule: string | null }[]>(
      "GET",
      "/api/requests?limit=1",
    );
    return one?.rule ? one : undefined;
  }, "a request that is the agent's");
  assert.deepEqual([row.rule, row.model], ["agent C reviewer", "opus"]);
  rig.noConsoleErrors(/status of 400/);
});

test("an agent is changed, and the change taken back", async () => {
  const page = await rig.page("/agents");
  await page.getByRole("button", { name: /^C reviewer/ }).click();
  assert.match(page.url(), /agent=C-reviewer/);
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel(/^Model/).fill("claude-opus-4-5");
  await sheet.getByRole("button", { name: "Save" }).click();
  await page.getByText("C reviewer was changed").waitFor();
  assert.equal((await agent("C-reviewer"))?.model, "claude-opus-4-5");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await agent("C-reviewer"))?.model === "opus", "opus again");
  rig.noConsoleErrors();
});

test("files that appear show, the bad ones with their line", async () => {
  const page = await rig.page("/agents");
  writeFileSync(file("writer.md"), `---\nname: writer\ndescription: Writes what others read\nrouting: tag:eu\n---\n\n${PROMPT} Now as prose.\n`);
  writeFileSync(file("notes.md"), `---\nname: notes\n---\n\n${PROMPT} Only listed, it names nothing.\n`);
  writeFileSync(file("broken.md"), `---\nname: broken\nmodel: "never closed\n---\n\n${PROMPT}\n`);
  const bad = await until(async () => {
    const one = await agent("broken");
    return one?.fault ? one.fault : undefined;
  }, "the fault");
  assert.ok(bad.line > 0, JSON.stringify(bad));
  await page.getByText(`Line ${bad.line}: ${bad.reason}`).waitFor();
  await page.getByText("writer", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^broken/ }).click();
  await page.getByRole("dialog").getByText("Correct the file itself").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "agents-broken");
  rig.noConsoleErrors();
});

test("removing asks, and can be undone", async () => {
  const page = await rig.page("/agents");
  await page.getByRole("button", { name: "More for writer" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("The file agents/writer.md is deleted").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await until(async () => !(await agent("writer")), "it to be gone");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await agent("writer"))?.routing === "tag:eu", "it to be back");
  rig.noConsoleErrors();
});

test("the page and one agent look well", async () => {
  await rig.shots("/agents", "agents");
  await rig.shots("/agents?agent=C-reviewer", "agent", async (page) => {
    await page.getByRole("dialog").locator("textarea").waitFor();
  });
  rmSync(file("broken.md"));
  rig.noConsoleErrors();
});
