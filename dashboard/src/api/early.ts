/**
 * public/theme.js asks before the scripts are there; each of its answers is
 * taken once, and only soon: later it would be old.
 */
declare global {
  interface Window {
    routexEarly?: Record<string, Promise<Response>>;
  }
}

const FRESH_MS = 5_000; // since the page began

export function earlyOrFetch(request: Request): Promise<Response> {
  const asked = request.method === "GET" ? window.routexEarly : undefined;
  const { pathname, search } = new URL(request.url);
  const answer = asked?.[pathname + search];
  if (!answer) return fetch(request);
  delete asked[pathname + search];
  if (performance.now() > FRESH_MS) return fetch(request);
  return answer.catch(() => fetch(request));
}

const KNOWN = "routex.known"; // public/theme.js reads it, too

/** Whether this browser will be let in, as far as can be told beforehand. */
export function noteKnown(known: boolean) {
  if (known) localStorage.setItem(KNOWN, "1");
  else localStorage.removeItem(KNOWN);
}
