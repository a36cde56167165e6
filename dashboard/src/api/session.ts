/**
 * Who is logged in.  The cookie is HttpOnly; what a page holds is the CSRF
 * token, which it gets by asking who it is.
 */
import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { api, setCsrfToken, unwrap, type Schemas } from "./client";
import { noteKnown } from "./early";
import { isApiError } from "./errors";

export type Session = Schemas["Session"];
/** Nobody; and whether anybody has been made yet. */
export interface Nobody {
  kind: "nobody";
  noUserYet: boolean;
}

async function ask(signal?: AbortSignal): Promise<Session | Nobody> {
  try {
    const { data } = await unwrap(api.GET("/api/session", { signal }));
    setCsrfToken(data.csrf_token);
    noteKnown(true);
    return data;
  } catch (error) {
    if (!isApiError(error) || error.status !== 401) throw error;
    noteKnown(false);
    return { kind: "nobody", noUserYet: error.code === "no_user_yet" };
  }
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => ask(signal),
  staleTime: Infinity,
});

export const isSignedIn = (who: Session | Nobody): who is Session =>
  who.kind !== "nobody";

export type Credentials = Schemas["LogIn"];

export async function logIn(client: QueryClient, body: Credentials) {
  const { data } = await unwrap(api.POST("/api/session", { body }));
  setCsrfToken(data.csrf_token);
  noteKnown(true);
  client.clear();
  client.setQueryData(sessionQuery.queryKey, data);
}

/** Ends the page, too: nothing of what was seen stays behind. */
export async function logOut() {
  await unwrap(api.DELETE("/api/session"));
  noteKnown(false);
  location.assign(import.meta.env.BASE_URL);
}

/** The server does not know us any more. */
export function forgetSession(client: QueryClient) {
  setCsrfToken(null);
  noteKnown(false);
  const nobody: Nobody = { kind: "nobody", noUserYet: false };
  client.setQueryData(sessionQuery.queryKey, nobody);
}
