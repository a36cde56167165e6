import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const parts = ["export", "import", "backups"] as const;
export type Part = (typeof parts)[number];

export const configRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/config",
  validateSearch: (search: Record<string, unknown>): { part?: Part } =>
    parts.includes(search.part as Part) ? { part: search.part as Part } : {},
  ...page("config", () => import("./ConfigPage")),
});
