import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { isSignedIn, sessionQuery } from "@/api/session";
import { ConfirmProvider } from "@/ui/confirm";
import { Toasts } from "@/ui/toast";
import { Crash, NotFound } from "./crash";
import { Shell } from "./shell";

export const rootRoute = createRootRouteWithContext<{
  queryClient: QueryClient;
}>()({
  component: () => (
    <ConfirmProvider>
      <Outlet />
      <Toasts />
    </ConfirmProvider>
  ),
  errorComponent: Crash,
  notFoundComponent: NotFound,
});

/** Parent of every page that needs somebody to be logged in. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    const who = await context.queryClient.ensureQueryData(sessionQuery);
    if (!isSignedIn(who))
      throw redirect({ to: "/login", search: { next: location.href } });
  },
});

/** Inside the shell, so that the way back is in sight. */
export const lostRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "$",
  component: NotFound,
});
