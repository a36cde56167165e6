import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const channelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/channels",
  validateSearch: (search: Record<string, unknown>): { channel?: string } =>
    typeof search.channel === "string" ? { channel: search.channel } : {},
  ...page("channels", () => import("./ChannelsPage")),
});
