import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap, type Schemas } from "./client";

export type Account = Schemas["OauthAccount"];
export type OauthLogin = Schemas["OauthLogin"];

/** Log-ins at providers, by name. */
export const accountsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/oauth/accounts", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    ),
  refetchInterval: 10_000,
});

/** Where one can log in. */
export const oauthProvidersQuery = queryOptions({
  queryKey: ["accounts", "providers"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/oauth/providers", { signal }))).data,
  staleTime: Infinity,
});
