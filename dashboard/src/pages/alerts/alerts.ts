/** Where somebody goes to help, and how long it was. */
import type { LinkProps } from "@tanstack/react-router";

import type { Alert, AlertKind, AlertSeverity } from "@/api/alerts";
import type { Tone } from "@/ui/badge";

export const toneOf: Record<AlertSeverity, Tone> = {
  critical: "bad",
  warning: "warn",
  info: "info",
};

export const kinds = [
  "channel_down",
  "credential_refused",
  "no_credit",
  "login_needed",
  "budget_80",
  "budget_100",
  "plane_lost",
  "plane_rejects",
  "plane_incompatible",
  "journal_filling",
  "usage_dropped",
  "publish_failed",
  "commit_failed",
  "webhook_failing",
  "tee_failing",
] as const satisfies AlertKind[];

type Where = Pick<LinkProps, "to" | "search">;

/** The page about what it is about; null: none. */
export function whereOf({ about, subject }: Pick<Alert, "about" | "subject">): Where | null {
  switch (about) {
    case "channel":
      return { to: "/channels", search: { channel: subject } };
    case "account":
      return { to: "/accounts" };
    case "webhook":
      return { to: "/alerts", search: { part: "webhooks" } };
    case "store":
      return { to: "/config", search: { part: "backups" } };
    default:
      return null;
  }
}

/** Seconds from its first to its last moment, or until now. */
export const lasted = (
  { opened_at, closed_at }: Pick<Alert, "opened_at" | "closed_at">,
  now: number,
) =>
  ((closed_at ? Date.parse(closed_at) : now) - Date.parse(opened_at ?? "")) /
  1_000;

const rank = { critical: 0, warning: 1, info: 2 };

/** What nobody has seen first, then the worst. */
export const byNeed = (a: Alert, b: Alert) =>
  Number(!!a.acked_at) - Number(!!b.acked_at) ||
  rank[a.severity] - rank[b.severity] ||
  (b.opened_at ?? "").localeCompare(a.opened_at ?? "");
