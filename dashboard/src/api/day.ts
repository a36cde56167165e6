import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "./client";

/** Sums of the last 24 hours: by hour, model and channel. */
export const dayQuery = queryOptions({
  queryKey: ["analytics", "day"],
  queryFn: async ({ signal }) =>
    (
      await unwrap(
        api.GET("/api/analytics/summary", {
          params: { query: { range: "24h", by: "hour,model,channel" } },
          signal,
        }),
      )
    ).data,
  placeholderData: keepPreviousData,
  refetchInterval: 60_000,
});
