import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  ...page("overview", () => import("./OverviewPage")),
});
