import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const planesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/planes",
  ...page("planes", () => import("./PlanesPage")),
});
