/**
 * What a route of a page needs: its code and its texts, fetched side by side.
 *
 *   export const channelsRoute = createRoute({
 *     getParentRoute: () => shellRoute,
 *     path: "/channels",
 *     ...page("channels", () => import("./ChannelsPage")),
 *   });
 */
import { lazyRouteComponent, type AnyRouter } from "@tanstack/react-router";
import i18next, { type Namespace } from "i18next";
import type { ComponentType } from "react";

export function page(
  texts: Namespace & string,
  load: () => Promise<{ default: ComponentType }>,
) {
  return {
    component: lazyRouteComponent(load),
    loader: () => i18next.loadNamespaces(texts),
  };
}

/** The code and the texts of where one is, while it is asked who that is. */
export function fetchFirst(router: AnyRouter) {
  for (const { routeId } of router.matchRoutes(router.latestLocation)) {
    const { component, loader } = router.routesById[routeId].options;
    void component?.preload?.();
    if (typeof loader === "function") void loader();
  }
}
