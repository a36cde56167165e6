import { queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "./client";

/** What channels say they serve; names may hold `*`. */
export const servedQuery = queryOptions({
  queryKey: ["models"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/models", { signal }))).data,
  staleTime: 60_000,
});
