import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  Activity,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  Info,
  Server,
  TriangleAlert,
} from "lucide-react";
import { lazy, Suspense, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import { openAlertsQuery } from "@/api/alerts";
import { channelsQuery, type Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { dayQuery } from "@/api/day";
import { useLive, useLiveStats } from "@/api/live";
import { statusQuery } from "@/api/status";
import { cn } from "@/lib/cn";
import {
  formatBytes,
  formatCount,
  formatMoney,
  formatMs,
  formatPercent,
  formatRelative,
  formatShort,
  formatSpan,
} from "@/lib/format";
import { Badge, Dot, type Tone } from "@/ui/badge";
import { Card, CardHead, PageHead } from "@/ui/card";
import { Bar, Stat, Stats } from "@/ui/stat";
import { Empty, Failure, Skeleton, SkeletonRows } from "@/ui/states";
import { useNow } from "@/ui/time";
import { problemsOf, type Problem } from "./attention";
import { hoursOf } from "./hours";

const TimeChart = lazy(() => import("@/ui/chart"));

/** New sums soon after requests came, at most every second. */
function useFreshSums() {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLive({
    request: () => {
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        void client.invalidateQueries({ queryKey: dayQuery.queryKey });
      }, 1_000);
    },
  });
}

function Figures({ day }: { day: Schemas["UsageSummary"] | undefined }) {
  const { t } = useTranslation("overview");
  const stats = useLiveStats();
  const { data: status } = useQuery(statusQuery);
  const sums = day?.total;
  const part = sums?.requests ? sums.failed_requests / sums.requests : null;
  const input = sums
    ? sums.input_tokens + sums.cache_read_tokens + sums.cache_write_tokens
    : 0;
  const active =
    stats?.active ?? status?.planes.reduce((sum, one) => sum + one.active, 0);
  const loading = !sums;

  return (
    <Stats>
      <Stat
        label={t("requests")}
        value={formatCount(sums?.requests)}
        note={[
          active !== undefined && t("active_now", { count: active }),
          stats && t("per_second", { rate: formatShort(stats.requests_per_s) }),
        ]
          .filter(Boolean)
          .join(" · ")}
        loading={loading}
      />
      <Stat
        label={t("spend")}
        value={formatMoney(sums?.cost_usd)}
        note={
          sums?.unpriced_requests
            ? t("unpriced", { count: sums.unpriced_requests })
            : Number(sums?.cache_saved_usd) > 0
              ? t("cache_saved", { money: formatMoney(sums?.cache_saved_usd) })
              : null
        }
        loading={loading}
      />
      <Stat
        label={t("errors")}
        value={formatPercent(part)}
        note={sums && t("failed", { count: sums.failed_requests })}
        tone={part && part > 0.05 ? "bad" : part && part > 0.01 ? "warn" : undefined}
        loading={loading}
      />
      <Stat
        label={t("latency")}
        value={formatMs(sums?.duration_p50_ms)}
        note={sums && t("p95", { time: formatMs(sums.duration_p95_ms) })}
        loading={loading}
      />
      <Stat
        label={t("ttft")}
        value={formatMs(sums?.ttft_p50_ms)}
        note={sums && t("p95", { time: formatMs(sums.ttft_p95_ms) })}
        loading={loading}
      />
      <Stat
        label={t("tokens")}
        value={formatShort(sums && input + sums.output_tokens)}
        note={
          sums &&
          (sums.cache_read_tokens > 0
            ? t("cached", { part: formatPercent(sums.cache_read_tokens / input, 0) })
            : t("in_out", {
                input: formatShort(input),
                output: formatShort(sums.output_tokens),
              }))
        }
        loading={loading}
      />
    </Stats>
  );
}

function Traffic({ day }: { day: Schemas["UsageSummary"] | undefined }) {
  const { t } = useTranslation("overview");
  const hours = useMemo(() => day && hoursOf(day), [day]);
  const series = useMemo(
    () =>
      hours && [
        { label: t("failed_series"), values: hours.failed, color: "bad" },
        { label: t("answered"), values: hours.answered, color: "series-1" },
      ],
    [hours, t],
  );
  const blank = <Skeleton className="h-55" />;
  return (
    <Card className="lg:col-span-2">
      <CardHead title={t("traffic")} />
      <div className="px-3 py-3">
        {hours && series && day ? (
          day.total.requests === 0 ? (
            <Empty
              icon={Activity}
              title={t("first_request")}
              className="h-55 justify-center py-0"
            >
              {t("first_request_text")}
            </Empty>
          ) : (
            <Suspense fallback={blank}>
              <TimeChart
                kind="bars"
                stacked
                times={hours.times}
                series={series}
                label={t("chart", {
                  total: formatCount(day.total.requests),
                  failed: formatCount(day.total.failed_requests),
                })}
              />
            </Suspense>
          )
        ) : (
          blank
        )}
      </div>
    </Card>
  );
}

const marks = {
  bad: { icon: CircleAlert, color: "text-bad-text" },
  warn: { icon: TriangleAlert, color: "text-warn-text" },
  info: { icon: Info, color: "text-info-text" },
};

function ProblemLine({ problem }: { problem: Problem }) {
  const { t } = useTranslation("overview");
  const now = useNow();
  const { icon: Icon, color } = marks[problem.tone];
  const content = (
    <>
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", color)} />
      <span className="min-w-0 flex-1">
        {problem.text}
        {problem.advice && (
          <span className="block text-xs text-muted">{problem.advice}</span>
        )}
        {problem.until && (
          <span className="block text-xs text-muted">
            {t("until", { time: formatRelative(problem.until, now) })}
          </span>
        )}
      </span>
    </>
  );
  const className = "flex items-start gap-2.5 px-4 py-2.5";
  return (
    <li>
      {problem.to ? (
        <Link {...problem.to} className={cn(className, "hover:bg-hover")}>
          {content}
          <ChevronRight aria-hidden className="mt-0.5 size-4 text-muted" />
        </Link>
      ) : (
        <div className={className}>{content}</div>
      )}
    </li>
  );
}

function Attention({
  status,
  channels,
}: {
  status: Schemas["Status"] | undefined;
  channels: Channel[] | undefined;
}) {
  const { t } = useTranslation(["overview", "common"]);
  const { data: alerts } = useQuery(openAlertsQuery);
  const problems =
    status && channels && problemsOf(status, channels, alerts ?? [], t);
  return (
    <Card>
      <CardHead title={t("attention")}>
        {problems && problems.length > 0 && (
          <Badge tone={problems[0]!.tone}>{problems.length}</Badge>
        )}
      </CardHead>
      {!problems ? (
        <SkeletonRows rows={3} />
      ) : problems.length > 0 ? (
        <ul className="divide-y divide-line">
          {problems.map((one) => (
            <ProblemLine key={one.id} problem={one} />
          ))}
        </ul>
      ) : (
        <Empty icon={CircleCheck} title={t("all_well")} className="py-10">
          {t("all_well_text")}
        </Empty>
      )}
    </Card>
  );
}

function Ranking({
  title,
  rows,
  total,
}: {
  title: string;
  rows: Schemas["Sums"][] | undefined;
  total: number;
}) {
  const { t } = useTranslation("overview");
  const top = rows?.toSorted((a, b) => b.requests - a.requests).slice(0, 6);
  return (
    <Card>
      <CardHead title={title} />
      {!top ? (
        <SkeletonRows rows={3} />
      ) : top.length === 0 ? (
        <p className="px-4 py-8 text-center text-muted">{t("nothing_yet")}</p>
      ) : (
        <ul className="space-y-3 px-4 py-3.5">
          {top.map((row) => {
            const name = row.name ?? row.id ?? "—";
            const part = total ? row.requests / total : 0;
            return (
              <li key={row.id ?? name}>
                <div className="mb-1.5 flex items-baseline gap-3">
                  <span className="min-w-0 flex-1 truncate">{name}</span>
                  {row.cost_usd !== null && (
                    <span className="text-xs text-muted tabular">
                      {formatMoney(row.cost_usd)}
                    </span>
                  )}
                  <span className="tabular">{formatShort(row.requests)}</span>
                  <span className="w-10 text-right text-xs text-muted tabular">
                    {formatPercent(part, 0)}
                  </span>
                </div>
                <Bar part={part} label={name} />
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

const planeTone: Record<Schemas["Plane"]["state"], Tone> = {
  in_sync: "ok",
  behind: "warn",
  incompatible: "bad",
  lost: "bad",
  left: "neutral",
};

function Planes({ planes }: { planes: Schemas["Plane"][] | undefined }) {
  const { t } = useTranslation("overview");
  const now = useNow();
  return (
    <Card>
      <CardHead title={t("planes")} />
      {!planes ? (
        <SkeletonRows rows={2} />
      ) : planes.length === 0 ? (
        <Empty icon={Server} title={t("no_planes")} className="py-8" />
      ) : (
        <ul className="divide-y divide-line">
          {planes.map((one) => (
            <li key={one.id} className="flex items-center gap-3 px-4 py-2.5">
              <Dot tone={planeTone[one.state]} />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">{one.id}</p>
                <p className="truncate text-xs text-muted tabular">
                  {t("plane_line", {
                    active: formatCount(one.active),
                    memory: formatBytes(one.rss_bytes),
                    uptime: formatSpan(
                      (now - Date.parse(one.started_at ?? "")) / 1_000,
                    ),
                  })}
                </p>
              </div>
              <Badge tone={planeTone[one.state]}>
                {t(`plane_state.${one.state}`)}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

export default function OverviewPage() {
  const { t } = useTranslation("overview");
  const day = useQuery(dayQuery);
  const status = useQuery(statusQuery);
  const channels = useQuery(channelsQuery);
  useFreshSums();
  const total = day.data?.total.requests ?? 0;

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <div className="space-y-4">
        {day.error && (
          <Failure error={day.error} onRetry={() => void day.refetch()} />
        )}
        <Figures day={day.data} />
        <div className="grid gap-4 lg:grid-cols-3">
          <Traffic day={day.data} />
          <Attention status={status.data} channels={channels.data} />
          <Ranking title={t("models")} rows={day.data?.by_model} total={total} />
          <Ranking
            title={t("channels")}
            rows={day.data?.by_channel}
            total={total}
          />
          <Planes planes={status.data?.planes} />
        </div>
      </div>
    </>
  );
}
