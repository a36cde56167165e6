import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";

interface Key {
  id: string;
  name: string;
  status: string;
  tenant: string;
  last4: string;
  previous: unknown;
  limits: { requests_per_min?: number; budget?: { amount_usd: string } };
}
interface Tenant {
  id: string;
  name: string;
  status: string;
  limits: { tokens_per_min?: number; quota?: { tokens: number; window: string } };
}

let rig: Rig;
const keys = () => rig.routex.admin<Key[]>("GET", "/api/keys");
const key = async (name: string) => (await keys()).find((one) => one.name === name);
const tenant = async (name: string) =>
  (await rig.routex.admin<Tenant[]>("GET", "/api/tenants")).find(
    (one) => one.name === name,
  );

before(async () => {
  rig = await openRig();
});
after(() => rig?.close());

async function askWith(secret: string) {
  const answer = await fetch(`${rig.routex.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": secret, "content-type": "application/json" },
    body: JSON.stringify({
      model: "demo",
      max_tokens: 20,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  await answer.text();
  return answer.status;
}

test("a tenant with limits is made; what is wrong is said at its field", async () => {
  const page = await rig.page("/tenants");
  await page.getByRole("button", { name: "New tenant" }).click();
  await page.getByLabel("Name").fill("research");
  await page.getByLabel("Tokens a minute").fill("a lot");
  await page.getByRole("button", { name: "Make tenant" }).click();
  await page.getByText("A whole number, like 60, 200k or 5M").waitFor();
  await rig.accessible(page);
  await page.getByLabel("Tokens a minute").fill("200k");
  await page.getByText("= 200,000").waitFor();
  await page.getByLabel("Token quota", { exact: true }).fill("5M");
  await page.getByLabel("Token quota: for how long").selectOption("week");
  await rig.shot(page, "tenants-add");
  await page.getByRole("button", { name: "Make tenant" }).click();
  await page.getByRole("button", { name: /^research/ }).waitFor();
  const made = await tenant("research");
  assert.equal(made?.limits.tokens_per_min, 200_000);
  assert.deepEqual(made?.limits.quota, { tokens: 5_000_000, window: "week" });
  rig.noConsoleErrors();
});

test("a key is made, shown once, and lets a client in", async () => {
  const page = await rig.page("/tenants");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("laptop");
  await page.getByLabel("Tenant", { exact: true }).selectOption("research");
  await page.getByLabel("Expires").selectOption("30d");
  await page.getByText("rate, quota, budget").click();
  await page.getByLabel("Budget", { exact: true }).fill("$20");
  await page.getByRole("textbox", { name: "Requests a minute" }).fill("600");
  await rig.accessible(page);
  await rig.shot(page, "tenants-add-key");
  await page.getByRole("button", { name: "Make key" }).click();
  await page.getByRole("heading", { name: "laptop is ready" }).waitFor();
  const secret = await page.getByRole("region", { name: "The key" }).locator("code").textContent();
  assert.match(secret ?? "", /^rtx_\w{40}$/);
  await rig.accessible(page);
  await rig.shot(page, "tenants-made");
  for (const client of ["Codex", "Gemini CLI", "opencode", "OpenAI SDK", "Anthropic SDK", "curl"]) {
    await page.getByRole("tab", { name: client }).click();
    await page.locator("pre", { hasText: secret! }).first().waitFor();
    await page.locator("pre", { hasText: rig.routex.url }).first().waitFor();
  }

  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("heading", { name: "Close without having copied it?" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("region", { name: "The key" }).getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: /^laptop/ }).waitFor();
  assert.equal(await page.getByText(secret!).count(), 0);

  await until(async () => (await askWith(secret!)) === 200, "the key to be good");
  const made = await key("laptop");
  assert.equal(made?.tenant, "research");
  assert.equal(made?.limits.budget?.amount_usd, "20");
  assert.equal(made?.limits.requests_per_min, 600);
  rig.noConsoleErrors();
});

test("a key is changed and the change taken back", async () => {
  const page = await rig.page("/tenants");
  await page.getByRole("button", { name: /^laptop/ }).click();
  await page.getByRole("heading", { name: /laptop/ }).waitFor();
  assert.match(page.url(), /key=key_/);
  await page.getByRole("textbox", { name: "Requests a minute" }).fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("laptop was changed").waitFor();
  assert.equal((await key("laptop"))?.limits.requests_per_min, undefined);
  await page.getByRole("button", { name: "Undo" }).click();
  await until(
    async () => (await key("laptop"))?.limits.requests_per_min === 600,
    "the limit as before",
  );
  rig.noConsoleErrors();
});

test("a key is rotated, the old text stays good for a while", async () => {
  const page = await rig.page("/tenants");
  const before = (await key("laptop"))!.last4;
  await page.getByRole("button", { name: "More for laptop" }).click();
  await page.getByRole("menuitem", { name: "Rotate" }).click();
  await page.getByLabel("The old text stays good for").selectOption("604800");
  await page.getByText(`Clients with …${before} are served until`).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "tenants-rotate");
  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("heading", { name: "laptop has a new text" }).waitFor();
  const made = await key("laptop");
  assert.notEqual(made?.last4, before);
  assert.ok(made?.previous);
  rig.noConsoleErrors();
});

test("a key is disabled and back, deleted after a question", async () => {
  const page = await rig.page("/tenants");
  await page.getByRole("button", { name: "More for laptop" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByText("laptop is disabled").waitFor();
  assert.equal((await key("laptop"))?.status, "disabled");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await key("laptop"))?.status === "enabled", "it back");

  await rig.routex.admin("POST", "/api/keys", { name: "gone", tenant: "research" });
  await page.getByRole("button", { name: "More for gone" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("It was never used").waitFor();
  await rig.accessible(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.ok(await key("gone"));
  await page.getByRole("button", { name: "More for gone" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("gone was deleted").waitFor();
  assert.equal(await key("gone"), undefined);
  rig.noConsoleErrors();
});

test("a tenant is changed; keys are found by tenant and by name", async () => {
  const page = await rig.page("/tenants?tenant=research");
  await page.getByRole("textbox", { name: "Requests a minute" }).fill("1,200");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("research was changed").waitFor();
  await page.getByRole("button", { name: "Show its key" }).click();
  assert.match(page.url(), /of=research/);
  await page.getByRole("row", { name: /laptop/ }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("searchbox", { name: "Find a key" }).fill("nobody");
  await page.getByText("No key is like that").waitFor();
  await page.getByRole("button", { name: "Show all keys" }).last().click();
  await until(async () => (await page.locator("tbody tr").count()) > 1, "all keys");
  rig.noConsoleErrors();
});

test("the page, a tenant and a key look well", async () => {
  await rig.routex.admin("PATCH", `/api/tenants/default`, {
    limits: {
      requests_per_min: 30,
      quota: { tokens: 300, window: "day" },
      budget: { amount_usd: "250", window: "month" },
    },
  });
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString();
  await rig.routex.admin("POST", "/api/keys", { name: "nightly batch", expires_at: soon });
  await rig.routex.admin("POST", "/api/keys", { name: "old laptop", status: "disabled" });
  for (let i = 0; i < 4; i++) await rig.routex.ask(`Hello ${i}`);
  await rig.shots("/tenants", "tenants");
  await rig.shots("/tenants?tenant=default", "tenant");
  await rig.shots("/tenants?key=laptop", "key");
  rig.noConsoleErrors();
});
