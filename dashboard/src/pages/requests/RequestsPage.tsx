import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowUp, Inbox, LoaderCircle, Pause, Play, SearchX } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useLiveState, useLiveStats } from "@/api/live";
import { formatCount, formatShort } from "@/lib/format";
import { Dot } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, PageHead } from "@/ui/card";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { FilterBar } from "./FilterBar";
import { filterOf, hasText, isNarrowed, type Filter } from "./filter";
import { RequestTable, stamp } from "./RequestTable";
import { useRequests } from "./useRequests";

const RequestSheet = lazy(() => import("./RequestSheet"));

/* So many rows are looked through before somebody is asked to go on. */
const SEARCH_STEP = 2_000;
const ENOUGH = 60;

function Rate() {
  const { t } = useTranslation("requests");
  const live = useLiveState();
  const stats = useLiveStats();
  if (live !== "live" || !stats) return null;
  return (
    <span className="hidden items-center gap-2 text-xs text-muted tabular sm:flex">
      {t("rate", { rate: formatShort(stats.requests_per_s), count: stats.active })}
    </span>
  );
}

export default function RequestsPage() {
  const { t } = useTranslation(["requests", "common"]);
  const search = useSearch({ from: "/shell/requests" });
  const navigate = useNavigate({ from: "/requests" });
  const filter = filterOf(search);
  const { list, view } = useRequests(filter);
  const [paused, setPaused] = useState(false);
  const [top, setTop] = useState(true);
  const [reach, setReach] = useState(SEARCH_STEP);
  const { text } = filter;

  useEffect(() => list.follow(!paused && top), [list, paused, top]);
  useEffect(() => setReach(SEARCH_STEP), [text, list]);

  const rows = useMemo(
    () => (text ? view.rows.filter((one) => hasText(one, text)) : view.rows),
    [view.rows, text],
  );
  const seeking = !!text && rows.length < ENOUGH && view.older && view.rows.length < reach;
  useEffect(() => {
    if (seeking && view.state === "idle") void list.more();
  }, [seeking, view.state, view.rows, list]);
  const onEnd = useCallback(() => {
    if (!text || view.rows.length < reach) void list.more();
  }, [list, text, reach, view.rows.length]);

  const setFilter = (next: Filter) => {
    setTop(true);
    void navigate({
      search: { ...next, ...(search.request && { request: search.request }) },
      replace: true,
    });
  };
  const open = (request: string | undefined, replace = false) =>
    void navigate({
      search: (old) => {
        const { request: was, ...rest } = old;
        void was;
        return request ? { ...rest, request } : rest;
      },
      replace,
      resetScroll: false,
    });

  const at = rows.findIndex(
    (one) => one.request_id === search.request || one.id === search.request,
  );
  const loading = view.state === "loading" && view.rows.length === 0;
  const none = !loading && rows.length === 0 && view.state !== "failed" && !seeking;
  const further = !!text && view.older && !seeking && rows.length < ENOUGH;

  const foot = (
    <div className="flex min-h-11 items-center justify-center gap-3 px-4 py-2 text-xs text-muted">
      {view.state === "more" ? (
        <LoaderCircle aria-label={t("common:loading")} className="size-4 animate-spin" />
      ) : further ? (
        <>
          {t("looked_through", {
            count: view.rows.length,
            n: formatCount(view.rows.length),
            time: stamp(view.rows.at(-1)?.started_at ?? null),
          })}
          <Button size="sm" onClick={() => setReach(view.rows.length + SEARCH_STEP)}>
            {t("look_further")}
          </Button>
        </>
      ) : (
        !view.older && rows.length > 0 && t("all_shown", { count: rows.length, n: formatCount(rows.length) })
      )}
    </div>
  );

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        <Rate />
        <Button
          icon={paused ? Play : Pause}
          aria-pressed={paused}
          onClick={() => setPaused(!paused)}
        >
          {t(paused ? "resume" : "pause")}
        </Button>
      </PageHead>
      {view.state === "failed" && (
        <Failure className="mb-4" error={view.error} onRetry={() => void list.load()} />
      )}
      <Card className="relative">
        <FilterBar filter={filter} onChange={setFilter} />
        {view.waiting > 0 && (
          <div className="pointer-events-none absolute inset-x-0 top-full z-20 -mt-14 flex justify-center">
            <Button
              kind="primary"
              size="sm"
              icon={paused ? Play : ArrowUp}
              className="pointer-events-auto rounded-full shadow-pop"
              onClick={() => {
                setPaused(false);
                setTop(true);
                document.getElementById("requests")?.scrollTo({ top: 0 });
              }}
            >
              {t("waiting", { count: view.waiting, n: formatCount(view.waiting) })}
            </Button>
          </div>
        )}
        {loading ? (
          <SkeletonRows rows={10} />
        ) : none ? (
          isNarrowed(filter) ? (
            <Empty
              icon={SearchX}
              title={t("none_found")}
              action={
                <div className="flex gap-2">
                  {further && (
                    <Button onClick={() => setReach(view.rows.length + SEARCH_STEP)}>
                      {t("look_further")}
                    </Button>
                  )}
                  <Button onClick={() => setFilter({})}>{t("clear")}</Button>
                </div>
              }
            >
              {further
                ? t("looked_through", {
                    count: view.rows.length,
                    n: formatCount(view.rows.length),
                    time: stamp(view.rows.at(-1)?.started_at ?? null),
                  })
                : t("none_found_text")}
            </Empty>
          ) : (
            <Empty icon={Inbox} title={t("none")}>
              <p>{t("none_text")}</p>
              <p className="mt-3 inline-flex items-center gap-2 text-xs">
                <Dot tone="ok" pulse /> {t("listening")}
              </p>
            </Empty>
          )
        ) : (
          <RequestTable
            rows={rows}
            open={search.request}
            onEnd={onEnd}
            onTop={setTop}
            onOpen={(id) => open(id, !!search.request)}
            foot={foot}
          />
        )}
      </Card>
      <Suspense>
        {search.request && (
          <RequestSheet
            id={search.request}
            newer={at > 0 ? rows[at - 1]!.request_id : undefined}
            older={at >= 0 ? rows[at + 1]?.request_id : undefined}
            onGo={(id) => open(id, true)}
            onClose={() => open(undefined)}
          />
        )}
      </Suspense>
    </>
  );
}
