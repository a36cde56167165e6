import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";

import { openRig, until, type Rig } from "./rig.ts";

/**
 * Log-in page, token endpoint and API in one: every code is good, and whoever
 * is in `revoked` gets no new token.
 */
class Provider {
  readonly server: Server;
  readonly revoked = new Set<string>();
  #count = 0;

  constructor() {
    this.server = createServer((request, response) => {
      const at = new URL(request.url!, "http://here");
      let body = "";
      request.on("data", (bytes: Buffer) => (body += bytes.toString()));
      request.on("end", () => {
        const json = (status: number, value: unknown) => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(JSON.stringify(value));
        };
        if (at.pathname === "/authorize") {
          response.writeHead(200, { "content-type": "text/html" });
          response.end(
            `<title>Consent</title><code>jo#${at.searchParams.get("state")}</code>`,
          );
        } else if (at.pathname === "/token") this.#token(body, json);
        else json(200, { data: [] });
      });
    });
  }

  #token(body: string, json: (status: number, value: unknown) => void) {
    const asked = (
      body.startsWith("{")
        ? JSON.parse(body)
        : Object.fromEntries(new URLSearchParams(body))
    ) as Record<string, string>;
    const who = asked.code ?? asked.refresh_token!.split("/")[0]!;
    if (who === "wrong" || this.revoked.has(who))
      return json(400, { error: "invalid_grant" });
    this.#count++;
    json(200, {
      access_token: `at-${this.#count}-${who}`,
      refresh_token: `${who}/${this.#count}`,
      token_type: "Bearer",
      expires_in: 28_800,
      account: { uuid: who, email_address: `${who}@example.com` },
    });
  }

  listen() {
    return new Promise<string>((ready) =>
      this.server.listen(0, "127.0.0.1", () =>
        ready(
          `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`,
        ),
      ),
    );
  }
}

interface Account {
  id: string;
  name: string;
  status: string;
  channels: string[];
  refreshed_at: string;
}

const provider = new Provider();
let rig: Rig;
let url: string;
const account = async (name: string) =>
  (await rig.routex.admin<Account[]>("GET", "/api/oauth/accounts")).find(
    (one) => one.name === name,
  );

/** An account by the API alone. */
async function make(name: string, at = "anthropic") {
  const { state } = await rig.routex.admin<{ state: string }>(
    "POST",
    `/api/oauth/${at}/start`,
    { account: name },
  );
  return rig.routex.admin<Account>("POST", `/api/oauth/${at}/finish`, {
    code: name,
    state,
  });
}

/** The page behind the link, and what it says. */
async function consent(page: Page) {
  const link = page.getByRole("link", { name: "Open the log-in page" });
  const opened = page.context().waitForEvent("page");
  await link.click();
  const theirs = await opened;
  const code = await theirs.locator("code").textContent();
  await theirs.close();
  return code!;
}

before(async () => {
  url = await provider.listen();
  rig = await openRig({
    ROUTEX_OAUTH: ["anthropic", "openai"]
      .flatMap((one) => [
        `${one}.authorize_url=${url}/authorize`,
        `${one}.token_url=${url}/token`,
      ])
      .join(";"),
  });
});
after(async () => {
  await rig?.close();
  provider.server.close();
});

test("nobody is logged in yet, and the page says what that is good for", async () => {
  await rig.shots("/accounts", "accounts-empty");
  rig.noConsoleErrors();
});

test("a person logs in, and a channel is made of it in one click", async () => {
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "Log in to an account" }).click();
  await page.getByLabel("What to call it").fill("jo");
  await rig.accessible(page);
  await rig.shot(page, "accounts-login-1");
  await page.getByRole("button", { name: "Continue" }).click();
  const code = await consent(page);
  await page.getByLabel("Code or address").fill(code);
  await rig.accessible(page);
  await rig.shot(page, "accounts-login-2");
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByText("jo is logged in").waitFor();
  await page.getByText("jo@example.com").first().waitFor();
  await rig.accessible(page);
  await rig.shot(page, "accounts-login-3");
  await page.getByRole("button", { name: "Make channel jo" }).click();
  await until(
    async () => (await account("jo"))?.channels.join() === "jo",
    "the channel",
  );
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("link", { name: "jo", exact: true }).waitFor();
  rig.noConsoleErrors();
});

test("a wrong code and a stale log-in are explained", async () => {
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "Log in to an account" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByLabel("Code or address").fill("wrong");
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByRole("alert").waitFor();
  // Its state was spent by that.
  await page.getByLabel("Code or address").fill("kim");
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByText("Start the log-in again").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "accounts-login-stale");
  await page.getByRole("button", { name: "Start again" }).click();
  await page.getByText("Start the log-in again").waitFor({ state: "detached" });
  const code = (await consent(page)).replace("jo", "kim");
  await page.getByLabel("Code or address").fill(code);
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByText("is logged in").waitFor();
  rig.noConsoleErrors(/oauth\/anthropic\/finish/);
});

test("a log-in that ends elsewhere is noticed", async () => {
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "Log in to an account" }).click();
  await page.getByLabel("What to call it").fill("elsewhere");
  await page.getByRole("button", { name: "Continue" }).click();
  const link = page.getByRole("link", { name: "Open the log-in page" });
  const state = new URL((await link.getAttribute("href"))!).searchParams.get("state");
  await rig.routex.admin("POST", "/api/oauth/anthropic/finish", {
    code: `elsewhere#${state}`,
  });
  await page.getByText("elsewhere is logged in").waitFor();
  rig.noConsoleErrors();
});

test("a token is renewed by hand", async () => {
  const old = await account("jo");
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "Renew the token of jo" }).click();
  await page.getByText("jo has a new token").waitFor();
  assert.notEqual((await account("jo"))?.refreshed_at, old?.refreshed_at);
  rig.noConsoleErrors();
});

test("an account in use is not removed, and it is said by whom", async () => {
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "More for jo" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "jo is still in use" }).waitFor();
  await rig.accessible(page);
  await rig.shot(page, "accounts-refused");
  await page.getByRole("button", { name: "Close" }).last().click();

  await page.getByRole("button", { name: "More for elsewhere" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Forget elsewhere?" }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("elsewhere is forgotten").waitFor();
  assert.equal(await account("elsewhere"), undefined);
  rig.noConsoleErrors();
});

test("an account that needs its person says so, and is helped", async () => {
  const { id } = await make("claude-max");
  await make("chatgpt-team", "openai");
  await rig.routex.admin("POST", "/api/channels", {
    name: "claude-max",
    type: "anthropic",
    base_url: url,
    account: id,
  });
  provider.revoked.add("claude-max");
  const page = await rig.page("/accounts");
  await page.getByRole("button", { name: "Renew the token of claude-max" }).click();
  await page
    .getByRole("heading", { name: "claude-max needs a new log-in" })
    .waitFor();
  await rig.shots("/accounts", "accounts");

  provider.revoked.clear();
  await page.getByRole("button", { name: "Log in again" }).first().click();
  const code = (await consent(page)).replace("jo", "claude-max");
  await page.getByLabel("Code or address").fill(code);
  await page.getByRole("button", { name: "Finish" }).click();
  await page.getByText("claude-max is logged in").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page
    .getByRole("heading", { name: "claude-max needs a new log-in" })
    .waitFor({ state: "detached" });
  rig.noConsoleErrors(/refresh\)/);
});
