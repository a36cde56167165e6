/**
 * The admin API: types come from docs/openapi.yaml (`npm run generate`).
 *
 *   const { data } = await unwrap(api.GET("/api/channels", { signal }));
 */
import createClient, { type Middleware } from "openapi-fetch";

import { earlyOrFetch } from "./early";
import { ApiError, errorOf } from "./errors";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What only this page can know, and every change has to show. */
let csrfToken: string | null = null;
export function setCsrfToken(token: string | null) {
  csrfToken = token;
}

const lost = new Set<() => void>();
/** Calls `fn` when the server no longer knows us; returns how to stop. */
export function onSignedOut(fn: () => void): () => void {
  lost.add(fn);
  return () => lost.delete(fn);
}

const isSafe = (method: string) => method === "GET" || method === "HEAD";

const credentials: Middleware = {
  onRequest({ request }) {
    if (csrfToken && !isSafe(request.method))
      request.headers.set("x-csrf-token", csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== "/api/session")
      lost.forEach((fn) => fn());
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError")
      return error;
    return new ApiError(0, "unreachable", "The control plane does not answer.");
  },
};

export const api = createClient<paths>({
  credentials: "same-origin",
  fetch: earlyOrFetch,
});
api.use(credentials);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body, or an ApiError thrown. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}

/** The same, with the revision to send back as If-Match. */
export async function unwrapWithTag<T>(
  answer: Promise<Answer<T>>,
): Promise<{ body: T; etag: string | undefined }> {
  const got = await answer;
  const body = await unwrap(Promise.resolve(got));
  return { body, etag: got.response.headers.get("etag") ?? undefined };
}

/** All pages of a list. */
export async function everyPage<T>(
  page: (cursor?: string) => Promise<{ data: T[]; next: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const { data, next } = await page(cursor);
    all.push(...data);
    cursor = next ?? undefined;
  } while (cursor);
  return all;
}
