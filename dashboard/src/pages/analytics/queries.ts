import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, unwrap } from "@/api/client";
import { beforeOf, queryOf, type Dim, type Measure, type Question } from "./question";

const fresh = (question: Question) => (question.range === "1h" ? 10_000 : 60_000);

/** One line of all, or one for each of the greatest names. */
export const seriesQuery = (question: Question, by?: Dim) =>
  queryOptions({
    queryKey: ["analytics", "series", queryOf(question), by, by && question.order],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/analytics", {
            params: {
              query: {
                ...queryOf(question),
                ...(by && { by, order: question.order ?? "requests", limit: 5 }),
              },
            },
            signal,
          }),
        )
      ).data,
    placeholderData: keepPreviousData,
    refetchInterval: fresh(question),
  });

export const tableQuery = (question: Question, by: Dim, order: Measure) =>
  queryOptions({
    queryKey: ["analytics", "table", queryOf(question), by, order],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/analytics/summary", {
            params: { query: { ...queryOf(question), by, order, limit: 1_000 } },
            signal,
          }),
        )
      ).data,
    placeholderData: keepPreviousData,
    refetchInterval: fresh(question),
  });

/** The sums of as long a time before. */
export const beforeQuery = (question: Question) =>
  queryOptions({
    queryKey: ["analytics", "before", beforeOf(question)],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/analytics/summary", {
            params: { query: { ...beforeOf(question), by: "model", limit: 1 } },
            signal,
          }),
        )
      ).data,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
