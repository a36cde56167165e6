/** How an account is, and what its channel would be. */
import type { Account } from "@/api/accounts";
import type { Tone } from "@/ui/badge";

export const toneOf: Record<Account["status"], Tone> = {
  active: "ok",
  failing: "warn",
  needs_login: "bad",
};

type Timed = Pick<Account, "expires_at" | "renewable" | "token_valid">;

/** How the token's end is to be taken: only one nobody renews is a worry. */
export function expiryOf(
  account: Timed,
  now: number,
): { state: "endless" | "expired" | "renews" | "ends"; seconds: number } {
  if (!account.expires_at)
    return { state: account.token_valid ? "endless" : "expired", seconds: 0 };
  const seconds = (Date.parse(account.expires_at) - now) / 1_000;
  if (seconds <= 0) return { state: "expired", seconds };
  return { state: account.renewable ? "renews" : "ends", seconds };
}

/** Those that only a person can help come first. */
export const byNeed = (a: Account, b: Account) =>
  rank[a.status] - rank[b.status] || a.name.localeCompare(b.name);
const rank = { needs_login: 0, failing: 1, active: 2 };

/** A free name for a channel, from the account's. */
export function channelNameFor(account: string, taken: Iterable<string>) {
  const names = new Set(taken);
  const plain =
    account
      .replace(/@.*$/, "")
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+|-+$/g, "")
      .slice(0, 56) || "account";
  for (let i = 1; ; i++) {
    const name = i === 1 ? plain : `${plain}-${i}`;
    if (!names.has(name)) return name;
  }
}
