import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";

import { api, unwrap } from "@/api/client";
import { useLive, useLiveState } from "@/api/live";
import { fits, queryOf, type Filter } from "./filter";
import { RequestList } from "./list";

const PAGE = 200;
const TICK_MS = 250; // the eye cannot follow more

function newList(filter: Filter) {
  const query = queryOf(filter);
  return new RequestList({
    fetch: (cursor, signal) =>
      unwrap(
        api.GET("/api/requests", {
          params: { query: { ...query, limit: PAGE, cursor } },
          signal,
        }),
      ),
    // What the server narrows; words are looked for in what is shown.
    fits: (row) => fits(row, { ...filter, text: undefined }),
  });
}

/** The rows of a filter, kept up to date while they are looked at. */
export function useRequests(filter: Filter) {
  const { text, ...rest } = filter;
  const same = JSON.stringify(queryOf({ ...rest, text }));
  const latest = useRef(filter);
  latest.current = filter;
  const [list, setList] = useState(() => newList(filter));
  const made = useRef(same);
  useEffect(() => {
    if (made.current === same) return;
    made.current = same;
    setList(newList(latest.current));
  }, [same]);

  useEffect(() => {
    void list.load();
    const timer = setInterval(() => list.tick(), TICK_MS);
    return () => {
      clearInterval(timer);
      list.stop();
    };
  }, [list]);

  useLive({
    request: (row) => list.take(row),
    gap: () => void list.catchUp(),
  });
  const live = useLiveState();
  useEffect(() => {
    if (live === "live") void list.catchUp();
  }, [live, list]);

  const view = useSyncExternalStore(
    list.watch,
    useCallback(() => list.view, [list]),
  );
  return { list, view };
}
