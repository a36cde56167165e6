import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";
import { searchOf } from "./search";

export const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/alerts",
  validateSearch: searchOf,
  ...page("alerts", () => import("./AlertsPage")),
});
