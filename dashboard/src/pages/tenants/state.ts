/** How a key is, in one word and a colour. */
import type { Key, Tenant } from "@/api/tenants";
import type { Tone } from "@/ui/badge";
import { usesOf } from "./usage";

export type KeyState = "good" | "used_up" | "disabled" | "tenant_disabled" | "expired" | "expiring";

const SOON = 7 * 86_400_000;

/** A quota or budget is gone until its window ends; rates come back at once. */
const isUsedUp = (one: Partial<Pick<Key, "limits_state">> | undefined) =>
  usesOf(one?.limits_state).some(({ window, part }) => window !== null && part >= 1);

export function keyState(
  key: Pick<Key, "status" | "expires_at"> & Partial<Pick<Key, "limits_state">>,
  tenant: (Pick<Tenant, "status"> & Partial<Pick<Tenant, "limits_state">>) | undefined,
  now: number,
): { state: KeyState; tone: Tone } {
  const left = key.expires_at ? Date.parse(key.expires_at) - now : Infinity;
  if (key.status === "disabled") return { state: "disabled", tone: "neutral" };
  if (left <= 0) return { state: "expired", tone: "bad" };
  if (tenant?.status === "disabled")
    return { state: "tenant_disabled", tone: "neutral" };
  if (isUsedUp(key) || isUsedUp(tenant)) return { state: "used_up", tone: "bad" };
  if (left < SOON) return { state: "expiring", tone: "warn" };
  return { state: "good", tone: "ok" };
}
