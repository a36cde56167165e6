import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const agentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/agents",
  /** `agent`: the one that is open; "new". */
  validateSearch: (search: Record<string, unknown>): { agent?: string } =>
    typeof search.agent === "string" ? { agent: search.agent } : {},
  ...page("agents", () => import("./AgentsPage")),
});
