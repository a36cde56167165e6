/** What to do about a request that was not answered, and where. */
import type { LinkProps } from "@tanstack/react-router";

import type { Row } from "./list";

export interface Advice {
  /** Under `advice` in the texts. */
  word: "key" | "keys" | "channels" | "channel" | "routing" | "settings" | "planes" | "models";
  to: Pick<LinkProps, "to" | "search">;
}

type Way = (row: Pick<Row, "key" | "key_id" | "channel">) => Advice | null;

/** The key itself where it is known whose it was. */
const key: Way = (row) =>
  row.key_id || row.key
    ? { word: "key", to: { to: "/tenants", search: { key: row.key_id ?? row.key! } } }
    : keys(row);
const keys: Way = () => ({ word: "keys", to: { to: "/tenants" } });
const channels: Way = () => ({ word: "channels", to: { to: "/channels" } });
const channel: Way = (row) =>
  row.channel
    ? { word: "channel", to: { to: "/channels", search: { channel: row.channel } } }
    : channels(row);
const settings: Way = () => ({ word: "settings", to: { to: "/settings" } });
const planes: Way = () => ({ word: "planes", to: { to: "/planes" } });
const models: Way = () => ({ word: "models", to: { to: "/channels" } });
const routing: Way = () => ({
  word: "routing",
  to: { to: "/routing", search: { tab: "test" } },
});

const ways: Record<string, Way> = {
  missing_key: keys,
  invalid_key: keys,
  key_disabled: key,
  key_expired: key,
  not_allowed: key,
  address_not_allowed: key,
  limit_reached: key,
  quota_used_up: key,
  model_not_found: models,
  request_too_large: settings,
  rate_limited: channels,
  upstream_failed: channels,
  upstream_timeout: channels,
  upstream_cut: channel,
  upstream_error: channel,
  no_channel: routing,
  not_ready: planes,
  journal_full: planes,
};

export const adviceOf = (
  row: Pick<Row, "reason" | "key" | "key_id" | "channel">,
): Advice | null => (row.reason ? (ways[row.reason]?.(row) ?? null) : null);
