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

export const bodyQuery = (id: string) =>
  queryOptions({
    queryKey: ["requests", "body", id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/requests/{id}/body", { params: { path: { id } }, signal }),
        )
      ).data,
    staleTime: Infinity,
    gcTime: 0, // what people said does not stay behind
    retry: false,
  });
