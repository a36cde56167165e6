import { createRoute, redirect } from "@tanstack/react-router";

import { isSignedIn, sessionQuery } from "@/api/session";
import { page } from "@/app/page";
import { rootRoute } from "@/app/root";

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    // Only a path of ours: anything else would send people elsewhere.
    typeof search.next === "string" && /^\/(?![/\\])/.test(search.next)
      ? { next: search.next }
      : {},
  beforeLoad: async ({ context, search }) => {
    const who = await context.queryClient.ensureQueryData(sessionQuery);
    if (isSignedIn(who)) throw redirect({ href: search.next ?? "/" });
  },
  ...page("login", () => import("./LoginPage")),
});
