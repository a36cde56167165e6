/** How a channel is, in one word and a colour. */
import type { Channel } from "@/api/channels";
import type { Tone } from "@/ui/badge";

type Trouble = NonNullable<Channel["availability"]>["troubles"][number];

export interface ChannelState {
  tone: Tone;
  /** What keeps it from work; null: nothing. */
  trouble: Trouble["reason"] | null;
  until: string | null;
  /** Of its keys, how many are in trouble; 0: all of it is, or nothing. */
  keysInTrouble: number;
}

const bad: Trouble["reason"][] = [
  "credential_refused",
  "no_credit",
  "needs_login",
];

export function stateOf(channel: Channel): ChannelState {
  const none = { trouble: null, until: null, keysInTrouble: 0 };
  if (channel.status !== "enabled") return { tone: "neutral", ...none };
  const troubles = channel.availability?.troubles ?? [];
  const whole = troubles.filter((one) => !one.key);
  const keys = new Set(
    troubles.flatMap((one) => (one.key && !one.model ? [one.key] : [])),
  );
  const all = channel.keys.filter((one) => one.status === "enabled").length;
  // The one that lasts longest says when it is back.
  const worst = (whole.length > 0 ? whole : troubles).toSorted((a, b) =>
    (b.until ?? "9").localeCompare(a.until ?? "9"),
  )[0];
  if (!worst) return { tone: "ok", ...none };
  const down = whole.length > 0 || (all > 0 && keys.size >= all);
  return {
    tone: bad.includes(worst.reason) && down ? "bad" : "warn",
    trouble: worst.reason,
    until: worst.until,
    keysInTrouble: down ? 0 : keys.size,
  };
}
