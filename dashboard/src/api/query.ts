import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { isApiError } from "./errors";

const wrongForGood = (error: unknown) =>
  isApiError(error) && error.status >= 400 && error.status < 500;

export function newQueryClient() {
  return new QueryClient({
    queryCache: new QueryCache(),
    mutationCache: new MutationCache(),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        retry: (count, error) => !wrongForGood(error) && count < 2,
        retryDelay: (count) => Math.min(500 * 2 ** count, 5_000),
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
}
