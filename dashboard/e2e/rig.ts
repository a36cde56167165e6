/**
 * A real `routex up` and a real browser, for tests:
 *
 *   const rig = await openRig();      // once per file
 *   const page = await rig.page();    // logged in; no error may reach the console
 *   await rig.close();
 *
 * BUILD is the folder of the programs.  Ports are the kernel's choice, all data
 * is in a folder of its own under /tmp.
 */
import axe from "axe-core";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const BUILD = resolve(process.env.BUILD ?? "../build/dev");
const SHOTS = resolve(process.env.SHOTS ?? "/tmp/routex-shots");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--force-color-profile=srgb",
];

export interface Size {
  width: number;
  height: number;
}
export const wide: Size = { width: 1440, height: 900 };
export const narrow: Size = { width: 390, height: 844 };

export interface Look {
  size?: Size;
  theme?: "light" | "dark";
  language?: "en-US" | "zh-CN";
  /** Somebody who has never been here: the first steps are shown. */
  fresh?: boolean;
}

async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  deadline = 30_000,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await sleep(20);
  }
}
export { until };

/** `routex up`, from its first start to its end. */
export class Routex {
  readonly folder = mkdtempSync(join(tmpdir(), "rtx-dash-"));
  child!: ChildProcess;
  url = ""; // the data plane
  adminUrl = "";
  token = "";
  key = "";
  #said = "";

  /** `more`: variables of its environment, like ROUTEX_OAUTH. */
  async start(more: Record<string, string> = {}) {
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: this.folder };
    for (const name of Object.keys(env))
      if (/^(DEFAULT_.*_KEY|ADMIN_API_KEY|ROUTEX_.*|PORT|HOST)$/.test(name))
        Reflect.deleteProperty(env, name);
    Object.assign(env, more);
    this.child = spawn(
      join(BUILD, "routex"),
      ["up", "--data-dir", join(this.folder, "d"), "--port", "0",
        "--admin-port", "0", "--drain-timeout", "1s"],
      { env, stdio: ["ignore", "pipe", "pipe"] },
    );
    const hear = (bytes: Buffer) => (this.#said += bytes.toString());
    this.child.stdout!.on("data", hear);
    this.child.stderr!.on("data", hear);
    const find = (pattern: RegExp) => {
      if (this.child.exitCode !== null)
        throw new Error(`routex up ended:\n${this.#said}`);
      return pattern.exec(this.#said)?.[1];
    };
    this.url = await until(() => find(/clients +(http\S+)/), "routex up");
    this.adminUrl = await until(
      () => find(/admin API +(http:\/\/[^/\s]+)/),
      "the admin API",
    );
    // They are said once, at the first start of all.
    this.token ||= await until(() => find(/admin token +(rta_\w+)/), "a token");
    this.key ||= await until(() => find(/client key +(rtx_\w+)/), "a key");
  }

  /** The admin API, with the token. */
  async admin<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const answer = await fetch(this.adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        "content-type": "application/json",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (JSON.parse(text) as { data: T }).data;
  }

  /** One client's request; resolves with its status. */
  async ask(text: string, more: Record<string, unknown> = {}) {
    const answer = await fetch(`${this.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": this.key, "content-type": "application/json" },
      body: JSON.stringify({
        model: "demo",
        max_tokens: 60,
        messages: [{ role: "user", content: text }],
        ...more,
      }),
    });
    await answer.text();
    return answer.status;
  }

  async end() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await until(() => this.child.exitCode !== null, "routex up to end").catch(
        () => this.child.kill("SIGKILL"),
      );
    }
    this.#said = "";
  }

  async stop() {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Rig {
  readonly routex: Routex;
  readonly browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  readonly #wrong: string[] = [];

  constructor(routex: Routex, browser: Browser) {
    this.routex = routex;
    this.browser = browser;
  }

  get home() {
    return `${this.routex.adminUrl}/dashboard`;
  }

  /** A browser of somebody new, who has not logged in. */
  async visitor(look: Look = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: look.size ?? wide,
      colorScheme: look.theme ?? "light",
      locale: look.language ?? "en-US",
      timezoneId: "UTC",
      reducedMotion: "reduce",
    });
    this.#contexts.push(context);
    if (!look.fresh)
      await context.addInitScript(() =>
        localStorage.setItem("routex.welcome", "done"),
      );
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    this.#watch(page);
    return page;
  }

  /** The same, logged in, at `path` ("/channels"). */
  async page(path = "/", look: Look = {}): Promise<Page> {
    const page = await this.visitor(look);
    await page.goto(`${this.home}/login`);
    await this.logIn(page);
    if (path !== "/") await page.goto(this.home + path);
    await this.settled(page);
    return page;
  }

  async logIn(page: Page) {
    await page.locator("input[name=token]").fill(this.routex.token);
    await page.locator("form button[type=submit]").click();
    await page.locator("#main h1").waitFor();
  }

  /** Nothing is on its way any more (the live stream never ends). */
  async settled(page: Page) {
    await page.locator("h1").first().waitFor();
    await until(
      () =>
        page.evaluate(() => !document.querySelector(".animate-shimmer")),
      "the skeletons to go",
    );
    await page.evaluate(() => document.fonts.ready);
  }

  #watch(page: Page) {
    page.on("pageerror", (error) => this.#wrong.push(String(error)));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      const { url } = message.location();
      // Asking who one is, while one is nobody, is answered with 401.
      if (url.endsWith("/api/session") && message.text().includes("401")) return;
      this.#wrong.push(`${message.text()} (${url})`);
    });
  }

  /**
   * What reached the console since the last call; fails if anything did.  The
   * browser tells of every refusal: `but` those that were asked for.
   */
  noConsoleErrors(but?: RegExp) {
    const wrong = this.#wrong.splice(0).filter((one) => !but?.test(one));
    if (wrong.length > 0) throw new Error(`console:\n${wrong.join("\n")}`);
  }

  /** Says which rule is broken where. */
  async accessible(page: Page) {
    // The CSP lets no script in; the browser's own door does.
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const run = (window as unknown as { axe: typeof axe }).axe;
      const { violations } = await run.run(document, {
        resultTypes: ["violations"],
        // What pops up is a child of the body, as the libraries have it.
        rules: { region: { enabled: !document.querySelector("[role=menu]") } },
      });
      return violations.map(
        ({ id, help, nodes }) =>
          `${id}: ${help}\n  ${nodes
            .map((one) => `${one.target.join(" ")} — ${one.failureSummary ?? ""}`)
            .join("\n  ")}`,
      );
    });
    if (found.length > 0) throw new Error(`axe:\n${found.join("\n")}`);
  }

  async shot(page: Page, name: string, fullPage = false) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage });
  }

  /** A page in light, dark, narrow and Chinese: looked at, and accessible. */
  async shots(path: string, name: string, prepare?: (page: Page) => Promise<void>) {
    const looks: [string, Look][] = [
      ["light", {}],
      ["dark", { theme: "dark" }],
      ["narrow", { size: narrow }],
      ["zh", { language: "zh-CN" }],
    ];
    for (const [word, look] of looks) {
      const page = await this.page(path, look);
      await prepare?.(page);
      await this.accessible(page);
      await this.shot(page, `${name}-${word}`, look.size === narrow);
      await page.context().close();
    }
  }

  async close() {
    await this.browser.close();
    await this.routex.stop();
  }
}

/** Where there is no chromium, tests say so and are skipped. */
export const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => existsSync(path),
);

export async function openRig(
  env: Record<string, string> = {},
  prepare?: (routex: Routex) => Promise<void>,
): Promise<Rig> {
  const routex = new Routex();
  try {
    await routex.start(env);
    await prepare?.(routex);
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: FLAGS,
      headless: true,
    });
    return new Rig(routex, browser);
  } catch (error) {
    await routex.stop();
    throw error;
  }
}

