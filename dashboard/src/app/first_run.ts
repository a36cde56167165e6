/** Has anything been set up yet, and was that asked already? */
import type { QueryClient } from "@tanstack/react-query";

import { channelsQuery } from "@/api/channels";

const STORED = "routex.welcome";

/** Asked, or done: never again by itself. */
export const noteWelcomed = () => localStorage.setItem(STORED, "done");

/** Only the demo answers, and this browser has not been through it. */
export async function isFirstRun(client: QueryClient): Promise<boolean> {
  if (localStorage.getItem(STORED)) return false;
  try {
    const channels = await client.fetchQuery(channelsQuery);
    return channels.every((one) => one.type === "demo");
  } catch {
    return false;
  }
}
