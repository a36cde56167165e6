import { useQuery } from "@tanstack/react-query";
import {
  CircleCheck,
  PackageX,
  Server,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useLiveStats } from "@/api/live";
import { statusQuery } from "@/api/status";
import { cn } from "@/lib/cn";
import {
  formatBytes,
  formatCount,
  formatRelative,
  formatShort,
  formatSpan,
  formatTime,
  UNKNOWN,
} from "@/lib/format";
import { Badge, Dot } from "@/ui/badge";
import { Card, PageHead } from "@/ui/card";
import { CopyButton, Snippet } from "@/ui/copy";
import { Stat, Stats } from "@/ui/stat";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago, useNow } from "@/ui/time";
import {
  behindBy,
  inOrder,
  planeTone,
  rateOf,
  totalsOf,
  type Plane,
  type Published,
} from "./plane";

/** Requests per second of each plane, from one live look to the next. */
function useRates(): Map<string, number> {
  const stats = useLiveStats();
  const before = useRef(new Map<string, { at: number; requests: number }>());
  const [rates, setRates] = useState(new Map<string, number>());
  useEffect(() => {
    if (!stats) return setRates(new Map());
    const at = Date.parse(stats.at ?? "");
    const next = new Map<string, number>();
    for (const { id, requests } of stats.planes) {
      const rate = rateOf(before.current.get(id), { at, requests });
      if (rate !== null) next.set(id, rate);
      before.current.set(id, { at, requests });
    }
    setRates(next);
  }, [stats]);
  return rates;
}

function Figures({
  planes,
  published,
}: {
  planes: Plane[] | undefined;
  published: Published | undefined;
}) {
  const { t } = useTranslation("planes");
  const stats = useLiveStats();
  const totals = planes && totalsOf(planes);
  const loading = !totals;
  return (
    <Stats>
      <Stat
        label={t("connected")}
        value={totals && `${totals.there}/${totals.expected}`}
        tone={totals && totals.there < totals.expected ? "bad" : undefined}
        note={
          totals &&
          (totals.there < totals.expected
            ? t("missing", { count: totals.expected - totals.there })
            : t("all_there"))
        }
        loading={loading}
      />
      <Stat
        label={t("published")}
        value={published && `v${formatCount(published.version)}`}
        note={
          published &&
          t("items", { count: published.items, size: formatBytes(published.bytes) })
        }
        loading={!published}
      />
      <Stat
        label={t("active")}
        value={formatCount(stats?.active ?? totals?.active)}
        note={stats && t("per_second", { rate: formatShort(stats.requests_per_s) })}
        loading={loading}
      />
      <Stat
        label={t("journal")}
        value={formatCount(totals?.waiting)}
        note={
          totals &&
          (totals.dropped > 0
            ? t("dropped", { count: totals.dropped })
            : totals.waiting > 0
              ? t("journal_note", { size: formatBytes(totals.waitingBytes) })
              : t("journal_none"))
        }
        tone={totals && totals.dropped > 0 ? "bad" : undefined}
        loading={loading}
      />
      <Stat
        label={t("rejected")}
        value={formatCount(totals?.rejected)}
        note={totals && t(totals.rejected > 0 ? "rejected_some" : "rejected_none")}
        tone={totals && totals.rejected > 0 ? "bad" : undefined}
        loading={loading}
      />
      <Stat
        label={t("memory")}
        value={formatBytes(totals?.memory)}
        note={t("memory_note")}
        loading={loading}
      />
    </Stats>
  );
}

/** What is wrong, what goes on nevertheless, and what to do. */
function Word({ plane, published }: { plane: Plane; published: Published }) {
  const { t } = useTranslation("planes");
  const now = useNow();
  if (plane.state === "in_sync") return null;
  const lost = plane.state === "lost";
  const bad = lost || plane.state === "incompatible";
  const Icon = lost ? Unplug : bad ? PackageX : TriangleAlert;
  const versions = behindBy(plane, published);
  const values = {
    time: formatRelative(plane.seen_at, now),
    version: formatCount(plane.applied.version),
    software: plane.software,
    count: versions ?? 0,
  };
  if (plane.state === "left")
    return (
      <p className="border-b border-line bg-sunken px-4 py-2.5 text-xs text-muted">
        {t("word.left", values)}
      </p>
    );
  return (
    <div
      role={bad ? "alert" : "status"}
      className={cn(
        "flex gap-3 border-b border-line px-4 py-3",
        bad ? "bg-bad-soft" : "bg-warn-soft",
      )}
    >
      <Icon
        aria-hidden
        className={cn(
          "mt-0.5 size-4 shrink-0",
          bad ? "text-bad-text" : "text-warn-text",
        )}
      />
      <div className="min-w-0">
        <p className={cn("font-medium", bad ? "text-bad-text" : "text-warn-text")}>
          {t(`word.${plane.state}`, values)}
        </p>
        <p className="mt-0.5 text-xs text-soft">
          {t(`word.${plane.state}_do`, values)}
        </p>
      </div>
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-xs text-muted">{label}</dt>
      <dd className="mt-0.5 truncate tabular">{children}</dd>
    </div>
  );
}

function Address({ label, url }: { label: string; url: string }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-w-0 items-center gap-2">
      <dt className="shrink-0 text-xs text-muted">{label}</dt>
      <dd className="flex min-w-0 items-center">
        <span className="truncate font-mono text-xs text-soft">
          {url || UNKNOWN}
        </span>
        {url && <CopyButton text={url} label={`${t("copy")}: ${url}`} />}
      </dd>
    </div>
  );
}

function Rejected({ plane }: { plane: Plane }) {
  const { t } = useTranslation("planes");
  if (plane.rejected.length === 0) return null;
  return (
    <section className="border-t border-line px-4 py-3">
      <h3 className="font-medium text-bad-text">
        {t("rejected_title", { count: plane.rejected.length })}
      </h3>
      <p className="text-xs text-muted">{t("rejected_hint")}</p>
      <ul className="mt-2 divide-y divide-line rounded-md border border-line">
        {plane.rejected.map((one, i) => (
          <li
            key={i}
            className="flex flex-col gap-x-3 gap-y-0.5 px-3 py-2 sm:flex-row sm:items-baseline"
          >
            <span className="flex shrink-0 items-baseline gap-2 sm:w-52">
              <Badge>{one.kind}</Badge>
              <span className="truncate font-medium">{one.name || one.id}</span>
            </span>
            <span className="min-w-0 flex-1 text-soft">{one.reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface LineProps {
  plane: Plane;
  published: Published;
  rate: number | undefined;
  active: number | undefined;
}

function PlaneCard({ plane, published, rate, active }: LineProps) {
  const { t } = useTranslation("planes");
  const now = useNow();
  const { journal, connected } = plane;
  const versions = behindBy(plane, published);
  const current = versions === 0;
  return (
    <Card className="overflow-hidden" aria-label={plane.id}>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2.5">
        <Dot tone={planeTone[plane.state]} pulse={connected && (active ?? 0) > 0} />
        <h2 className="min-w-0 truncate font-semibold">{plane.id}</h2>
        <span className="font-mono text-xs text-muted">{plane.software}</span>
        <span className="flex-1" />
        <span className="text-xs text-muted">
          {t("heard")} <Ago time={plane.seen_at} />
        </span>
        <Badge tone={planeTone[plane.state]}>{t(`state.${plane.state}`)}</Badge>
      </header>
      <Word plane={plane} published={published} />
      <dl
        className="grid grid-cols-2 gap-x-6 gap-y-4 px-4 py-3.5 sm:grid-cols-3 xl:grid-cols-6"
      >
        <Fact label={t("applied")}>
          <span
            title={t("versions", {
              applied: `${plane.applied.epoch}/${plane.applied.version}`,
              published: `${published.epoch}/${published.version}`,
            })}
            className="inline-flex items-center gap-1.5"
          >
            v{formatCount(plane.applied.version)}
            {current ? (
              <CircleCheck aria-hidden className="size-3.5 text-ok-text" />
            ) : (
              <span className="text-xs text-warn-text">
                {t("of_version", { version: formatCount(published.version) })}
              </span>
            )}
          </span>
        </Fact>
        <Fact label={t("active")}>
          {connected ? formatCount(active ?? plane.active) : UNKNOWN}
        </Fact>
        <Fact label={t("load")}>
          {connected && rate !== undefined
            ? t("per_second", { rate: formatShort(rate) })
            : UNKNOWN}
          <span className="ml-2 text-xs text-muted">
            {t("in_all", { count: plane.requests, total: formatShort(plane.requests) })}
          </span>
        </Fact>
        <Fact label={t("journal")}>
          {t("records", {
            count: journal.records ?? 0,
            total: formatCount(journal.records),
          })}
          <span className="ml-2 text-xs text-muted">{formatBytes(journal.bytes)}</span>
          {(journal.dropped ?? 0) > 0 && (
            <span className="ml-2 text-xs font-medium text-bad-text">
              {t("dropped", { count: journal.dropped })}
            </span>
          )}
        </Fact>
        <Fact label={t("memory")}>{formatBytes(plane.rss_bytes)}</Fact>
        <Fact label={connected ? t("uptime") : t("started")}>
          <span title={formatTime(plane.started_at)}>
            {connected ? (
              formatSpan((now - Date.parse(plane.started_at ?? "")) / 1_000)
            ) : (
              <Ago time={plane.started_at} />
            )}
          </span>
        </Fact>
      </dl>
      <dl className="flex flex-wrap gap-x-8 border-t border-line bg-sunken px-4 py-1.5">
        <Address label={t("clients")} url={plane.client_url} />
        <Address label={t("ops")} url={plane.ops_url} />
      </dl>
      <Rejected plane={plane} />
    </Card>
  );
}

export default function PlanesPage() {
  const { t } = useTranslation("planes");
  const status = useQuery(statusQuery);
  const stats = useLiveStats();
  const rates = useRates();
  const planes = status.data && inOrder(status.data.planes);
  const published = status.data?.published;

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <div className="space-y-4">
        {status.error && (
          <Failure error={status.error} onRetry={() => void status.refetch()} />
        )}
        {published?.trouble && (
          <div role="alert" className="flex gap-3 rounded-lg bg-bad-soft px-4 py-3">
            <TriangleAlert aria-hidden className="mt-0.5 size-4 text-bad-text" />
            <div>
              <p className="font-medium text-bad-text">{t("trouble")}</p>
              <p className="mt-0.5 text-xs text-soft">{published.trouble}</p>
            </div>
          </div>
        )}
        <Figures planes={planes} published={published} />
        {!planes || !published ? (
          !status.error && (
            <Card>
              <SkeletonRows rows={3} />
            </Card>
          )
        ) : planes.length === 0 ? (
          <Card>
            <Empty icon={Server} title={t("none")}>
              <p>{t("none_text")}</p>
              <Snippet
                className="mt-4 text-left"
                text="routex-data --data-dir DIR --plane data-1"
              />
            </Empty>
          </Card>
        ) : (
          planes.map((one) => (
            <PlaneCard
              key={one.id}
              plane={one}
              published={published}
              rate={rates.get(one.id)}
              active={stats?.planes.find(({ id }) => id === one.id)?.active}
            />
          ))
        )}
      </div>
    </>
  );
}
