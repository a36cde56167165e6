/** Accounts that answer, dally and fail, and requests that tell them apart. */
import type { Rig } from "./rig.ts";

interface Channel {
  id: string;
  name: string;
  base_url: string | null;
  effective_endpoints: { base_url: string }[];
}

/** Beside `demo`: `main`, and `flaky` before it, which fails every time. */
export async function openAccounts(rig: Rig) {
  const { routex } = rig;
  const all = await routex.admin<Channel[]>("GET", "/api/channels");
  const demo = all.find((one) => one.name === "demo")!;
  const origin = new URL(demo.base_url ?? demo.effective_endpoints[0]!.base_url).origin;
  const add = (name: string, recipe: string, more: object) =>
    routex.admin("POST", "/api/channels", {
      name,
      type: "anthropic",
      base_url: `${origin}/with/${recipe}`,
      keys: ["sk-ant-this-is-not-one"],
      ...more,
    });
  await add("flaky", "status=500+delay-ms=60", { models: ["claude-*"], priority: 300, tags: ["eu"] });
  await add("main", "delay-ms=120+first-delay-ms=80+input=5200+events=12+event-delay-ms=15+cache-read=4200", {
    models: ["claude-*", "opus"],
    priority: 200,
    tags: ["eu"],
  });
  await routex.admin("POST", "/api/channels/demo/resume");
  return { origin };
}

/** One request, with headers of a client. */
export async function ask(rig: Rig, body: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`${rig.routex.url}/v1/messages`, {
    method: "POST",
    headers: {
      "x-api-key": rig.routex.key,
      "content-type": "application/json",
      "user-agent": "claude-cli/2.0.31 (external, cli)",
      ...headers,
    },
    body: JSON.stringify({ max_tokens: 4000, ...body }),
  });
  await answer.text();
  return answer.status;
}

export const said = (text: string) => [{ role: "user", content: text }];
