import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

const tabs = ["test", "functions"] as const;

export interface RoutingSearch {
  tab?: (typeof tabs)[number];
  /** A rule's or function's id; "new". */
  open?: string;
}

export const routingRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/routing",
  validateSearch: (search: Record<string, unknown>): RoutingSearch => {
    const tab = tabs.find((one) => one === search.tab);
    return {
      ...(tab && { tab }),
      ...(typeof search.open === "string" && { open: search.open }),
    };
  },
  ...page("routing", () => import("./RoutingPage")),
});
