import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "@/api/client";

export type Backup = Schemas["Backup"];

export const backupsQuery = queryOptions({
  queryKey: ["backups"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/config/backups", { signal }))).data,
});

export async function makeBackup(client: QueryClient): Promise<Backup> {
  const { data } = await unwrap(api.POST("/api/config/backup"));
  await client.invalidateQueries({ queryKey: backupsQuery.queryKey });
  return data;
}

export const restoreBackup = (name: string) =>
  unwrap(
    api.POST("/api/config/backups/{name}/restore", {
      params: { path: { name } },
    }),
  );

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/**
 * Resolves once a control plane answers that began after `since`; false: who
 * we are is not known to it.  Asks past the client: that would show the log-in
 * as soon as nobody is known.
 */
export async function backAgain(since: number, deadline = 60_000): Promise<boolean> {
  for (;;) {
    try {
      const answer = await fetch("/health");
      const { uptime } = (await answer.json()) as Schemas["Health"];
      if (uptime * 1_000 <= Date.now() - since + 1_000) {
        const who = await fetch("/api/session");
        if (who.status === 401) return false;
        if (who.ok) return true;
      }
    } catch {
      // It is away for a moment.
    }
    if (Date.now() - since > deadline)
      throw new Error("The control plane did not come back within a minute.");
    await sleep(250);
  }
}
