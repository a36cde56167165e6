import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { cn } from "@/lib/cn";
import {
  formatCount,
  formatMoney,
  formatMs,
  formatPercent,
  formatShort,
} from "@/lib/format";
import { Card, CardHead } from "@/ui/card";
import type { Series } from "@/ui/chart";
import { Skeleton } from "@/ui/states";
import { Segments } from "@/ui/segments";
import { measureOf, money, restOf, timesOf, valuesOf } from "./series";

const TimeChart = lazy(() => import("@/ui/chart"));
const Legend = lazy(() =>
  import("@/ui/chart").then((one) => ({ default: one.Legend })),
);

type Usage = Schemas["UsageSeries"];
type Sums = Schemas["Sums"];

const HEIGHT = 208;

interface ChartProps {
  title: string;
  figure?: ReactNode;
  times: number[] | undefined;
  series: Series[];
  kind: "bars" | "line" | "area";
  stacked?: boolean;
  format: (value: number | null) => string;
  least?: number;
  empty?: string | null;
  children?: ReactNode;
}

function Chart({
  title,
  figure,
  times,
  series,
  empty,
  children,
  format,
  ...rest
}: ChartProps) {
  const blank = <Skeleton className="h-52" />;
  return (
    <Card>
      <CardHead title={title}>
        {children}
        {figure !== undefined && (
          <span
            className={cn(
              "text-sm font-semibold whitespace-nowrap tabular",
              children && "max-sm:hidden",
            )}
          >
            {figure}
          </span>
        )}
      </CardHead>
      <div className="px-3 pt-3 pb-3.5">
        {!times ? (
          blank
        ) : empty ? (
          <p className="grid h-52 place-items-center px-6 text-center text-muted">
            {empty}
          </p>
        ) : (
          <Suspense fallback={blank}>
            <TimeChart
              times={times}
              series={series}
              height={HEIGHT}
              label={`${title}: ${series.map((one) => one.label).join(", ")}`}
              format={format}
              {...rest}
            />
          </Suspense>
        )}
        {times && !empty && series.length > 1 && (
          <div className="mt-2 pl-2">
            <Suspense>
              <Legend series={series} />
            </Suspense>
          </div>
        )}
      </div>
    </Card>
  );
}

const colors = ["series-1", "series-2", "series-3", "series-4", "series-6"];

/** One colour per name, and what is left of all. */
function useSplit(
  times: number[] | undefined,
  total: Usage | undefined,
  split: Usage | undefined,
  measure: keyof typeof measureOf,
): Series[] | null {
  const { t } = useTranslation("analytics");
  return useMemo(() => {
    if (!times || !total || !split) return null;
    const value = measureOf[measure];
    const parts = split.series.map((one) => valuesOf(times, one.points, value));
    const rest = restOf(
      valuesOf(times, total.series[0]?.points, value),
      parts,
    );
    const named = split.series.map((one, i) => ({
      label: one.name ?? one.id ?? t("nameless"),
      values: parts[i]!,
      color: colors[i % colors.length]!,
    }));
    return rest.some((one) => (one ?? 0) > 0)
      ? [...named, { label: t("others"), values: rest, color: "line-strong" }]
      : named;
  }, [times, total, split, measure, t]);
}

type Speed = "duration" | "ttft" | "rate";

const percentiles: Record<Speed, ((one: Sums) => number | null)[]> = {
  duration: [
    (one) => one.duration_p50_ms,
    (one) => one.duration_p95_ms,
    (one) => one.duration_p99_ms,
  ],
  ttft: [
    (one) => one.ttft_p50_ms,
    (one) => one.ttft_p95_ms,
    (one) => one.ttft_p99_ms,
  ],
  rate: [
    (one) => one.tokens_per_s_p50,
    (one) => one.tokens_per_s_p95,
    (one) => one.tokens_per_s_p99,
  ],
};

function SpeedChart({
  times,
  points,
  total,
}: {
  times: number[] | undefined;
  points: Sums[] | undefined;
  total: Sums | undefined;
}) {
  const { t } = useTranslation("analytics");
  const [speed, setSpeed] = useState<Speed>("duration");
  const series = useMemo(
    () =>
      ["p99", "p95", "p50"].map((label, i) => ({
        label,
        values: times
          ? valuesOf(times, points, percentiles[speed][2 - i]!, null)
          : [],
        color: ["series-4", "series-3", "series-1"][i]!,
      })),
    [times, points, speed],
  );
  const unknown =
    times && series.every((one) => one.values.every((value) => value === null));
  const format = speed === "rate" ? formatShort : formatMs;
  return (
    <Chart
      title={t("speed")}
      figure={total && `p95 ${format(percentiles[speed][1]!(total))}`}
      times={times}
      series={series}
      kind="line"
      format={format}
      empty={
        unknown
          ? t((total?.requests ?? 0) > 0 ? "no_percentiles" : "nothing")
          : null
      }
    >
      <Segments
        label={t("speed")}
        value={speed}
        onChange={setSpeed}
        options={(["duration", "ttft", "rate"] as const).map((value) => ({
          value,
          label: t(`speed_of.${value}`),
        }))}
      />
    </Chart>
  );
}

interface Props {
  total: Usage | undefined;
  split: Usage | undefined;
}

export function Charts({ total, split }: Props) {
  const { t } = useTranslation("analytics");
  const times = useMemo(() => total && timesOf(total), [total]);
  const points = total?.series[0]?.points;
  const sums = total?.series[0]?.total;
  const nothing = total && !sums?.requests ? t("nothing") : null;

  const plain = useMemo(() => {
    const of = (value: (one: Sums) => number | null, empty: number | null = 0) =>
      times ? valuesOf(times, points, value, empty) : [];
    return {
      requests: [
        {
          label: t("failed"),
          values: of((one) => one.failed_requests),
          color: "bad",
        },
        {
          label: t("answered"),
          values: of((one) => one.requests - one.failed_requests),
          color: "series-1",
        },
      ],
      cost: [
        {
          label: t("cost"),
          values: of((one) => money(one.cost_usd) ?? 0),
          color: "series-5",
        },
      ],
      tokens: [
        { label: t("kind.output"), values: of((one) => one.output_tokens), color: "series-4" },
        { label: t("kind.input"), values: of((one) => one.input_tokens), color: "series-1" },
        {
          label: t("kind.cache_write"),
          values: of((one) => one.cache_write_tokens),
          color: "series-3",
        },
        {
          label: t("kind.cache_read"),
          values: of((one) => one.cache_read_tokens),
          color: "series-2",
        },
      ],
      errors: [
        { label: t("error_rate"), values: of((one) => one.error_rate, null), color: "bad" },
      ],
      saved: [
        {
          label: t("saved"),
          values: of((one) => money(one.cache_saved_usd) ?? 0),
          color: "series-2",
        },
      ],
    };
  }, [times, points, t]);
  const requests = useSplit(times, total, split, "requests");
  const cost = useSplit(times, total, split, "cost");
  const tokens = useSplit(times, total, split, "tokens");
  const free = sums?.cost_usd === null || Number(sums?.cost_usd) === 0;

  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Chart
        title={t("requests")}
        figure={sums && formatCount(sums.requests)}
        times={times}
        series={requests ?? plain.requests}
        kind="bars"
        stacked
        format={formatShort}
        empty={nothing}
      />
      <Chart
        title={t("cost")}
        figure={sums && formatMoney(sums.cost_usd)}
        times={times}
        series={cost ?? plain.cost}
        kind="bars"
        stacked
        least={1e-6}
        format={formatMoney}
        empty={nothing ?? (free ? t("no_cost") : null)}
      />
      <Chart
        title={t("tokens")}
        figure={sums && formatShort(measureOf.tokens(sums))}
        times={times}
        series={tokens ?? plain.tokens}
        kind="bars"
        stacked
        format={formatShort}
        empty={nothing}
      />
      <SpeedChart times={times} points={points} total={sums} />
      <Chart
        title={t("error_rate")}
        figure={sums && formatPercent(sums.error_rate)}
        times={times}
        series={plain.errors}
        kind="line"
        least={0.05}
        format={formatPercent}
        empty={nothing}
      />
      <Chart
        title={t("saved")}
        figure={sums && formatMoney(sums.cache_saved_usd)}
        times={times}
        series={plain.saved}
        kind="bars"
        least={1e-6}
        format={formatMoney}
        empty={
          nothing ??
          (Number(sums?.cache_saved_usd ?? 0) === 0 ? t("nothing_saved") : null)
        }
      />
    </div>
  );
}
