import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const sections = [
  "routing",
  "resilience",
  "records",
  "prices",
  "people",
  "you",
] as const;
export type Section = (typeof sections)[number];

export const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings",
  validateSearch: (search: Record<string, unknown>): { section?: Section } =>
    sections.includes(search.section as Section)
      ? { section: search.section as Section }
      : {},
  ...page("settings", () => import("./SettingsPage")),
});
