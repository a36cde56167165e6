import { queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "@/api/client";
import type { Detail } from "./story";

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
