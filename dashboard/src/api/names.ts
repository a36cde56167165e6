/** Names to choose from. */
import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap } from "./client";

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

/** Every name clients may ask for. */
export const modelNamesQuery = queryOptions({
  queryKey: ["models", "names"],
  queryFn: async ({ signal }) => {
    const { data } = await unwrap(api.GET("/api/models", { signal }));
    return [...new Set(data.map((one) => one.model))].sort();
  },
  staleTime: LONG,
});
