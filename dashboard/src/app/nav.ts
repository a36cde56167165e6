import {
  Bot,
  ChartColumn,
  BellRing,
  CircleUserRound,
  FileJson,
  Gauge,
  KeyRound,
  Route,
  ScrollText,
  Server,
  Settings,
  Waypoints,
  type LucideIcon,
} from "lucide-react";
import type { LinkProps } from "@tanstack/react-router";
import type { ParseKeys } from "i18next";

export interface NavItem {
  to: LinkProps["to"];
  label: ParseKeys;
  icon: LucideIcon;
}

/* The side navigation and the command palette; one line per page. */
export const nav: { label: ParseKeys; items: NavItem[] }[] = [
  {
    label: "nav.traffic",
    items: [
      { to: "/", label: "nav.overview", icon: Gauge },
      { to: "/requests", label: "nav.requests", icon: ScrollText },
      { to: "/analytics", label: "nav.analytics", icon: ChartColumn },
    ],
  },
  {
    label: "nav.routing_group",
    items: [
      { to: "/channels", label: "nav.channels", icon: Waypoints },
      { to: "/routing", label: "nav.rules", icon: Route },
      { to: "/agents", label: "nav.agents", icon: Bot },
      { to: "/accounts", label: "nav.accounts", icon: CircleUserRound },
    ],
  },
  {
    label: "nav.team",
    items: [{ to: "/tenants", label: "nav.tenants", icon: KeyRound }],
  },
  {
    label: "nav.system",
    items: [
      { to: "/planes", label: "nav.planes", icon: Server },
      { to: "/alerts", label: "nav.alerts", icon: BellRing },
      { to: "/config", label: "nav.config", icon: FileJson },
      { to: "/settings", label: "nav.settings", icon: Settings },
    ],
  },
];
