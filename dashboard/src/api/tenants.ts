import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap, type Schemas } from "./client";

export type Tenant = Schemas["Tenant"];
export type Key = Schemas["Key"];

export const tenantsQuery = queryOptions({
  queryKey: ["tenants"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/tenants", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    ),
  refetchInterval: 10_000,
});

/** Newest first. */
export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: async ({ signal }) => {
    const all = await everyPage((cursor) =>
      unwrap(
        api.GET("/api/keys", { params: { query: { limit: 200, cursor } }, signal }),
      ),
    );
    return all.reverse();
  },
  refetchInterval: 10_000,
});

/** Sums of 30 days, by tenant and by key. */
export const monthQuery = queryOptions({
  queryKey: ["analytics", "month", "people"],
  queryFn: async ({ signal }) =>
    (
      await unwrap(
        api.GET("/api/analytics/summary", {
          params: { query: { range: "30d", by: "tenant,key" } },
          signal,
        }),
      )
    ).data,
  refetchInterval: 60_000,
});
