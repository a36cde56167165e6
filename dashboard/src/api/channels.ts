import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap, type Schemas } from "./client";

export type Channel = Schemas["Channel"];

/** All of them, in the order they are asked. */
export const channelsQuery = queryOptions({
  queryKey: ["channels"],
  queryFn: async ({ signal }) => {
    const all = await everyPage((cursor) =>
      unwrap(
        api.GET("/api/channels", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    );
    return all.sort(
      (a, b) => b.priority - a.priority || a.name.localeCompare(b.name),
    );
  },
  refetchInterval: 10_000,
});

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/providers", { signal }))).data,
  staleTime: Infinity,
});
