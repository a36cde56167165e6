import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const accountsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/accounts",
  ...page("accounts", () => import("./AccountsPage")),
});
