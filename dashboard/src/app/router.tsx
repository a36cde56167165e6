import type { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";

import { accountsRoute } from "@/pages/accounts/route";
import { analyticsRoute } from "@/pages/analytics/route";
import { alertsRoute } from "@/pages/alerts/route";
import { agentsRoute } from "@/pages/agents/route";
import { channelsRoute } from "@/pages/channels/route";
import { configRoute } from "@/pages/config/route";
import { loginRoute } from "@/pages/login/route";
import { overviewRoute } from "@/pages/overview/route";
import { requestsRoute } from "@/pages/requests/route";
import { planesRoute } from "@/pages/planes/route";
import { settingsRoute } from "@/pages/settings/route";
import { tenantsRoute } from "@/pages/tenants/route";
import { routingRoute } from "@/pages/routing/route";
import { welcomeRoute } from "@/pages/welcome/route";
import { Crash, NotFound } from "./crash";
import { lostRoute, rootRoute, shellRoute } from "./root";

/* One line per page. */
const tree = rootRoute.addChildren([
  loginRoute,
  shellRoute.addChildren([
    overviewRoute,
    requestsRoute,
    analyticsRoute,
    routingRoute,
    agentsRoute,
    channelsRoute,
    accountsRoute,
    alertsRoute,
    configRoute,
    planesRoute,
    tenantsRoute,
    settingsRoute,
    welcomeRoute,
    lostRoute,
  ]),
]);

export const newRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree: tree,
    basepath: "/dashboard",
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: Crash,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}
