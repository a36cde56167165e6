import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { openRig, until, type Rig } from "./rig.ts";

const BUILD = resolve(process.env.BUILD ?? "../build/dev");

interface Plane {
  id: string;
  state: string;
  rejected: unknown[];
}

let rig: Rig;
let second: ChildProcess;
const planes = () => rig.routex.admin<Plane[]>("GET", "/api/planes");
const stateIs = (id: string, state: string) =>
  until(
    async () => (await planes()).some((one) => one.id === id && one.state === state),
    `${id} to be ${state}`,
    60_000,
  );

before(async () => {
  rig = await openRig();
  const folder = join(rig.routex.folder, "d");
  const socket = (name: string) => `ipc://${folder}/run/${name}.sock`;
  second = spawn(
    join(BUILD, "routex-data"),
    ["--data-dir", folder, "--plane", "second", "--port", "0",
      "--control", `${socket("pub")},${socket("pull")}`,
      "--join-token-file", join(folder, "join.token"), "--log-level", "error"],
    { stdio: "ignore", env: { PATH: process.env.PATH, HOME: rig.routex.folder } },
  );
  await stateIs("second", "in_sync");
});
after(async () => {
  second?.kill("SIGKILL");
  await rig?.close();
});

test("planes show what they serve with, and their load as it comes", async () => {
  const page = await rig.page("/planes");
  await page.getByRole("heading", { name: "second" }).waitFor();
  await page.getByText("2/2").waitFor();
  assert.equal(await page.getByText("In sync").count(), 2);
  for (let i = 0; i < 3; i++) assert.equal(await rig.routex.ask(`Hello ${i}`), 200);
  await page.getByText("3 in all").waitFor();
  rig.noConsoleErrors();
});

test("an item that a plane cannot use is named, with the reason", async () => {
  const page = await rig.page("/");
  // Planes and control plane check the same: here it takes an answer of ours.
  await page.route("**/api/status", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body.data.planes[0].state = "behind";
    body.data.planes[0].applied.version -= 1;
    body.data.planes[0].rejected = [
      { kind: "channel", id: "chn_1", name: "east", reason: "unknown dialect" },
    ];
    await route.fulfill({ response, json: body });
  });
  await page.getByRole("link", { name: "Planes" }).click();
  await page.getByRole("heading", { name: "1 item it could not use" }).waitFor();
  await page.getByText("unknown dialect").waitFor();
  await page.getByText("Catching up with").waitFor();
  await rig.accessible(page);
  await rig.shot(page, "planes-rejected");
  rig.noConsoleErrors();
});

test("a lost plane is told apart from one that stopped", async () => {
  second.kill("SIGKILL");
  await stateIs("second", "lost");
  const page = await rig.page("/planes");
  await page.getByRole("alert").getByText("Lost: last heard from").waitFor();
  await page.getByText("1/2").waitFor();
  await rig.shots("/planes", "planes");
  rig.noConsoleErrors();
});
