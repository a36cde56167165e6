/** What somebody should look at, the worst first. */
import type { LinkProps } from "@tanstack/react-router";
import type { TFunction } from "i18next";

import type { Alert } from "@/api/alerts";
import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { troubleWord } from "@/lib/words";

export interface Problem {
  id: string;
  tone: "bad" | "warn" | "info";
  text: string;
  /** When it is over by itself. */
  until?: string | null;
  /** What to do about it, in a few words. */
  advice?: string;
  /** Where that is done. */
  to?: Pick<LinkProps, "to" | "search">;
}

/** These do not go away by themselves. */
const needsSomebody = ["credential_refused", "no_credit", "needs_login"];

type T = TFunction<["overview", "common"]>;
type Plane = Schemas["Plane"];

function ofPlane(plane: Plane, t: T): Problem[] {
  const name = plane.id;
  const problems: Problem[] = plane.rejected.map((item) => ({
    id: `rejected-${name}-${item.kind}-${item.id}`,
    tone: "bad",
    text: t("problem.plane_rejected", {
      plane: name,
      what: `${item.kind ?? ""} ${item.name || item.id || ""}`.trim(),
      reason: item.reason ?? "",
    }),
    to: { to: "/planes" },
  }));
  if (plane.state === "lost")
    problems.push({
      id: `lost-${name}`,
      tone: "bad",
      text: t("problem.plane_lost", { plane: name }),
      to: { to: "/planes" },
    });
  if (plane.state === "incompatible")
    problems.push({
      id: `incompatible-${name}`,
      tone: "bad",
      text: t("problem.plane_incompatible", { plane: name }),
      to: { to: "/planes" },
    });
  if (plane.state === "behind")
    problems.push({
      id: `behind-${name}`,
      tone: "warn",
      text: t("problem.plane_behind", { plane: name }),
      to: { to: "/planes" },
    });
  return problems;
}

/** One line per channel and reason, however many planes and keys say it. */
function ofChannel(channel: Channel, t: T): Problem[] {
  if (channel.status !== "enabled") return [];
  const byReason = new Map<string, Problem>();
  for (const { reason, until } of channel.availability?.troubles ?? []) {
    const known = byReason.get(reason);
    if (known) {
      if (until && (!known.until || until < known.until)) known.until = until;
      continue;
    }
    byReason.set(reason, {
      id: `channel-${channel.id}-${reason}`,
      tone:
        needsSomebody.includes(reason)
          ? "bad"
          : "warn",
      text: `${channel.name}: ${troubleWord(reason)}`,
      until,
      advice: t(`advice.${reason}` as "advice.failing", { defaultValue: "" }),
      to:
        reason === "needs_login"
          ? { to: "/accounts" }
          : { to: "/channels", search: { channel: channel.id } },
    });
  }
  return [...byReason.values()];
}

const rank = { bad: 0, warn: 1, info: 2 };

/** Channels and planes speak for themselves above; all else is an alert. */
const ofAlerts = (alerts: Alert[]): Problem[] =>
  alerts
    .filter((one) => !["channel", "plane", "account"].includes(one.about))
    .filter((one) => !one.acked_at && one.kind !== "publish_failed")
    .map((one) => ({
      id: `alert-${one.id}`,
      tone: one.severity === "critical" ? "bad" : one.severity === "warning" ? "warn" : "info",
      text: one.message,
      to: { to: "/alerts" },
    }));

export function problemsOf(
  status: Schemas["Status"],
  channels: Channel[],
  alerts: Alert[],
  t: T,
): Problem[] {
  const problems = [
    ...channels.flatMap((one) => ofChannel(one, t)),
    ...status.planes.flatMap((one) => ofPlane(one, t)),
    ...ofAlerts(alerts),
  ];
  const { trouble } = status.published;
  if (trouble)
    problems.push({
      id: "publish",
      tone: "bad",
      text: t("problem.publish", { reason: trouble }),
    });
  if (!status.planes.some((one) => one.connected))
    problems.push({ id: "no-planes", tone: "bad", text: t("no_planes"), to: { to: "/planes" } });
  const enabled = channels.filter((one) => one.status === "enabled");
  if (enabled.length === 0)
    problems.push({
      id: "no-channels",
      tone: "bad",
      text: t("problem.no_channels"),
      to: { to: "/channels" },
    });
  else if (enabled.every((one) => one.type === "demo"))
    problems.push({
      id: "only-demo",
      tone: "info",
      text: t("problem.only_demo"),
      to: { to: "/welcome" },
    });
  return problems.sort((a, b) => rank[a.tone] - rank[b.tone]);
}
