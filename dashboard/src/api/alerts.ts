import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap, type Schemas } from "./client";

export type Alert = Schemas["Alert"];
export type AlertKind = Schemas["AlertKind"];
export type AlertSeverity = Schemas["AlertSeverity"];

/** What people have to know of now, newest first. */
export const openAlertsQuery = queryOptions({
  queryKey: ["alerts", "open"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/alerts", {
          params: { query: { state: "open", limit: 200, cursor } },
          signal,
        }),
      ),
    ),
  refetchInterval: 10_000,
});
