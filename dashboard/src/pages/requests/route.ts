import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";
import { searchOf } from "./filter";

export const requestsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/requests",
  validateSearch: searchOf,
  ...page("requests", () => import("./RequestsPage")),
});
