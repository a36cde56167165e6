import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";
import { readQuestion } from "./question";

export const analyticsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/analytics",
  validateSearch: readQuestion,
  ...page("analytics", () => import("./AnalyticsPage")),
});
