import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap } from "@/api/client";

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/settings", { signal }))).data,
});

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/users", { params: { query: { limit: 200, cursor } }, signal }),
      ),
    ),
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/tokens", { params: { query: { limit: 200, cursor } }, signal }),
      ),
    ),
});

export const pricesQuery = (search: string, overridden: boolean) =>
  queryOptions({
    queryKey: ["prices", search, overridden],
    queryFn: async ({ signal }) =>
      unwrap(
        api.GET("/api/prices", {
          params: {
            query: {
              limit: 100,
              ...(search && { search }),
              ...(overridden && { source: "override" as const }),
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
