/** What the list can be narrowed by, and one request. */
import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap } from "@/api/client";
import type { Detail } from "./story";

const LONG = 5 * 60_000;

export const tenantNamesQuery = queryOptions({
  queryKey: ["tenants", "names"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/tenants", { params: { query: { limit: 200, cursor } }, signal }),
      ),
    ).then((all) => all.map((one) => one.name).sort()),
  staleTime: LONG,
});

export const keyNamesQuery = queryOptions({
  queryKey: ["keys", "names"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/keys", { params: { query: { limit: 200, cursor } }, signal }),
      ),
    ).then((all) => [...new Set(all.map((one) => one.name))].sort()),
  staleTime: LONG,
});

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ["requests", "one", id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/requests/{id}", { params: { path: { id } }, signal }),
        )
      ).data as unknown as Detail,
    staleTime: Infinity,
  });
