import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";

interface Settings {
  strategy: string;
  session_ttl_s: number;
  max_body_bytes: number;
  breaker: { open_s: number };
  log_level: string | null;
}
interface Price {
  model: string;
  input: string;
  source: string;
}

let rig: Rig;
const settings = () => rig.routex.admin<Settings>("GET", "/api/settings");
before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

test("settings are written as people do, changed at once and taken back", async () => {
  const page = await rig.page("/settings");
  const ttl = page.getByLabel("A conversation stays for");
  assert.equal(await ttl.inputValue(), "5h");
  assert.equal(await page.getByLabel("Largest request").inputValue(), "32 MiB");
  await ttl.fill("a while");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("A time within bounds").waitFor();
  await rig.accessible(page);
  await ttl.fill("1h 30m");
  await page.getByLabel("Strategy").selectOption("latency");
  await page.getByText("2 changes are not saved").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "settings-unsaved");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Settings were changed").waitFor();
  let now = await settings();
  assert.equal(now.session_ttl_s, 5_400);
  assert.equal(now.strategy, "latency");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await settings()).session_ttl_s === 18_000, "undone");
  now = await settings();
  assert.equal(now.strategy, "priority");
  rig.noConsoleErrors();
});

test("what the API refuses is said at its field", async () => {
  const page = await rig.page("/settings?section=resilience");
  await page.getByLabel("But never longer than").fill("1s");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("must not be less than open_s").waitFor();
  assert.throws(() => rig.noConsoleErrors(), /400/); // the browser says so, too
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await settings()).breaker.open_s, 15);

  await page.getByRole("link", { name: "Records & log" }).click();
  await page.waitForURL(/section=records/);
  await page.getByLabel("Log level").selectOption("debug");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Settings were changed").waitFor();
  assert.equal((await settings()).log_level, "debug");
  rig.noConsoleErrors();
});

test("a price is found, set, shown as our own, and given up", async () => {
  const page = await rig.page("/settings?section=prices");
  const price = () => rig.routex.admin<Price>("GET", "/api/prices/gpt-5");
  const before = await price();
  await page.getByRole("searchbox", { name: "Find a model" }).fill("gpt-5");
  await page.getByRole("button", { name: "Edit the price of gpt-5", exact: true }).click();
  await page.getByLabel("Input").fill("free");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Dollars, like 3 or 0.30").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "settings-price");
  await page.getByLabel("Input").fill("2.75");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("gpt-5 has a price of its own").waitFor();
  assert.equal((await price()).input, "2.75");
  assert.equal((await price()).source, "override");
  await page.getByLabel("Which prices").selectOption("own");
  await page.getByText("$2.75").waitFor();
  await page.getByRole("button", { name: "Back to the file's price of gpt-5" }).click();
  await page.getByText("gpt-5 is back at the price of the file").waitFor();
  assert.equal((await price()).input, before.input);
  rig.noConsoleErrors();
});

test("a token is made for some areas, shown once, and revoked", async () => {
  const page = await rig.page("/settings?section=people");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("dashboards");
  await page.getByLabel("It may").selectOption("areas");
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByText("Choose at least one area").waitFor();
  await page.getByLabel("analytics").selectOption("read");
  await rig.accessible(page);
  await rig.shot(page, "settings-token");
  await page.getByRole("button", { name: "Make token" }).click();
  const secret = await page
    .getByRole("region", { name: "The token" }).locator("code").textContent();
  await rig.accessible(page);
  const ask = (path: string) =>
    fetch(rig.routex.adminUrl + path, {
      headers: { authorization: `Bearer ${secret}` },
    }).then((answer) => answer.status);
  assert.equal(await ask("/api/analytics"), 200);
  assert.equal(await ask("/api/channels"), 403);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("analytics:read").waitFor();
  await page.getByRole("button", { name: "Revoke dashboards" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("dashboards was revoked").waitFor();
  assert.equal(await ask("/api/analytics"), 401);
  rig.noConsoleErrors();
});

for (const section of ["routing", "resilience", "records", "prices", "people", "you"])
  test(`${section} looks well`, async () => {
    await rig.shots(`/settings?section=${section}`, `settings-${section}`);
    rig.noConsoleErrors();
  });

/* The last one: from the first person on, tokens do not log in any more. */
test("the first person is an owner, adds another, and changes the password", async () => {
  const page = await rig.page("/settings?section=people");
  await page.getByRole("button", { name: "Add person" }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("dialog").getByRole("button", { name: "Add person" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("Password").fill("a sentence is good");
  await rig.accessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Add person" }).click();
  await page.getByText("ada can log in now").waitFor();
  await rig.routex.admin("POST", "/api/users", {
    name: "bob", role: "viewer", password: "another sentence",
  });

  const own = await rig.visitor();
  await own.goto(`${rig.home}/login?next=/dashboard/settings`);
  await own.locator("input[name=name]").fill("ada");
  await own.locator("input[name=password]").fill("a sentence is good");
  await own.locator("form button[type=submit]").click();
  await own.locator("#main h1").waitFor();
  await own.goto(`${rig.home}/settings?section=people`);
  await own.getByLabel("Role of bob").selectOption("admin");
  await own.getByText("bob is Admin now").waitFor();
  await own.getByLabel("Role of ada").selectOption("viewer");
  await own.getByText(/last owner/).waitFor();
  await rig.accessible(own);
  await rig.shot(own, "settings-people-two");
  await own.getByRole("link", { name: "You" }).click();
  await own.getByLabel("Current password").fill("a sentence is good");
  await own.getByLabel("New password", { exact: true }).fill("a better sentence");
  await own.getByLabel("New password again").fill("a better sentense");
  await own.getByRole("button", { name: "Change password" }).click();
  await own.getByText("It is not the same as above").waitFor();
  await own.getByLabel("New password again").fill("a better sentence");
  await rig.accessible(own);
  await rig.shot(own, "settings-you-user");
  await own.getByRole("button", { name: "Change password" }).click();
  await own.getByText("Your password is changed").waitFor();
});
