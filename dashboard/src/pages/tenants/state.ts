/** How a key is, in one word and a colour. */
import type { Key, Tenant } from "@/api/tenants";
import type { Tone } from "@/ui/badge";

export type KeyState = "good" | "disabled" | "tenant_disabled" | "expired" | "expiring";

const SOON = 7 * 86_400_000;

export function keyState(
  key: Pick<Key, "status" | "expires_at">,
  tenant: Pick<Tenant, "status"> | undefined,
  now: number,
): { state: KeyState; tone: Tone } {
  const left = key.expires_at ? Date.parse(key.expires_at) - now : Infinity;
  if (key.status === "disabled") return { state: "disabled", tone: "neutral" };
  if (left <= 0) return { state: "expired", tone: "bad" };
  if (tenant?.status === "disabled")
    return { state: "tenant_disabled", tone: "neutral" };
  if (left < SOON) return { state: "expiring", tone: "warn" };
  return { state: "good", tone: "ok" };
}
