import { queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "./client";

/** Everything on one page; also how the shell knows that somebody is there. */
export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/status", { signal }))).data,
  refetchInterval: 5_000,
});
