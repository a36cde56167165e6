import { createRoute } from "@tanstack/react-router";

import { shellRoute } from "@/app/root";
import OverviewPage from "./OverviewPage";

export const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  component: OverviewPage, // most come here first: no fetch of its own
});
