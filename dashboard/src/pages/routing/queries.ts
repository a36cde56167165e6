import { queryOptions } from "@tanstack/react-query";

import { api, everyPage, unwrap, type Schemas } from "@/api/client";

export type Rule = Schemas["Rule"];
export type RuleInput = Schemas["RuleInput"];
export type Preset = Schemas["RulePreset"];
export type LuaFunction = Schemas["Function"];
export type Strategy = NonNullable<Schemas["Settings"]["strategy"]>;

export const strategies = [
  "priority",
  "weighted",
  "round_robin",
  "least_used",
  "latency",
  "cost",
  "headroom",
  "drain",
] as const satisfies Strategy[];

/** In the order they are asked. */
export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/routing/rules", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    ),
});

export const presetsQuery = queryOptions({
  queryKey: ["rules", "presets"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/routing/presets", { signal }))).data,
  staleTime: Infinity,
});

export const functionsQuery = queryOptions({
  queryKey: ["functions"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/routing/functions", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    ),
});

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/settings", { signal }))).data,
});
