/** Load it lazily: `const TimeChart = lazy(() => import("@/ui/chart"))`. */
import { useEffect, useMemo, useRef, useState } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { useIsDark } from "@/app/theme";
import { formatClock, formatShort, formatTime, UNKNOWN } from "@/lib/format";

export interface Series {
  label: string;
  /** One per point in time; null: unknown, drawn as a gap. */
  values: (number | null)[];
  /** A colour of styles.css, like "series-1" or "bad". */
  color: string;
}

export interface TimeChartProps {
  /** Unix seconds, rising. */
  times: number[];
  series: Series[];
  kind?: "bars" | "line" | "area";
  /** On top of each other: the upper edge is the sum. */
  stacked?: boolean;
  height?: number;
  format?: (value: number | null) => string;
  /** The vertical axis reaches at least so far. */
  least?: number;
  /** What the chart says, for those who do not see it. */
  label: string;
}

/** Sums from the last series to the first, so that the first is on top. */
export function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];
  return series
    .toReversed()
    .map(({ values }) =>
      values.map((value, i) => (sums[i] = (sums[i] ?? 0) + (value ?? 0))),
    )
    .toReversed();
}

const colorOf = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

/** The same colour, thinner. */
const thin = (color: string, percent: number) =>
  `color-mix(in oklch, ${color} ${percent}%, transparent)`;

function daysApart(times: number[]) {
  return (times.at(-1) ?? 0) - (times[0] ?? 0) > 2 * 86_400;
}

function pathsOf(kind: TimeChartProps["kind"]): UPlot.Series.PathBuilder {
  const { bars, spline, linear } = UPlot.paths;
  if (kind === "bars")
    return bars!({ size: [0.72, 28], radius: 0.18 });
  return kind === "area" ? linear!() : (spline ?? linear)!();
}

function optionsOf(
  props: TimeChartProps,
  width: number,
  onPoint: (index: number | null, left: number) => void,
): UPlot.Options {
  const { kind = "line", height = 220, least = 1, series, times } = props;
  const format = props.format ?? formatShort;
  const font = "11px 'Inter Variable', system-ui, sans-serif";
  const axis = {
    stroke: colorOf("muted"),
    font,
    grid: { stroke: colorOf("line"), width: 1 },
    ticks: { show: false },
  };
  const days = daysApart(times);
  const step = (times[1] ?? 0) - (times[0] ?? 0);

  return {
    width,
    height,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: kind !== "bars", size: 7 },
      drag: { x: false, y: false },
    },
    scales: {
      // A bar stands over its time: the outer ones need half of their width.
      x: {
        range: (_, from, to) =>
          kind === "bars" ? [from - step / 2, to + step / 2] : [from, to],
      },
      y: { range: (_, __, max) => [0, Math.max(max * 1.08, least)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        gap: 6,
        size: 28,
        space: 64,
        values: (_, ticks) =>
          ticks.map((tick) =>
            days
              ? new Date(tick * 1000).toLocaleDateString(
                  document.documentElement.lang,
                  { month: "short", day: "numeric" },
                )
              : formatClock(tick * 1000),
          ),
      },
      {
        ...axis,
        gap: 8,
        space: 36,
        size: (_, values) =>
          16 + 7 * Math.max(3, ...(values ?? []).map((one) => one.length)),
        values: (_, ticks) => ticks.map((tick) => format(tick)),
      },
    ],
    series: [
      {},
      ...series.map(({ label, color }) => {
        const stroke = colorOf(color);
        return {
          label,
          stroke: kind === "bars" ? "transparent" : stroke,
          width: kind === "bars" ? 0 : 1.75,
          fill:
            kind === "line"
              ? undefined
              : kind === "bars"
                ? stroke
                : thin(stroke, 16),
          paths: pathsOf(kind),
          points: { show: false },
        };
      }),
    ],
    hooks: {
      setCursor: [(u) => onPoint(u.cursor.idx ?? null, u.cursor.left ?? 0)],
    },
  };
}

export function Legend({ series }: { series: Pick<Series, "label" | "color">[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {series.map(({ label, color }) => (
        <li key={label} className="flex items-center gap-1.5">
          <Swatch color={color} />
          {label}
        </li>
      ))}
    </ul>
  );
}

const Swatch = ({ color }: { color: string }) => (
  <span
    aria-hidden
    className="size-2 shrink-0 rounded-sm"
    style={{ background: `var(--${color})` }}
  />
);

export default function TimeChart(props: TimeChartProps) {
  const { times, series, stacked, height = 220, label } = props;
  const format = props.format ?? formatShort;
  const box = useRef<HTMLDivElement>(null);
  const [point, setPoint] = useState<{ i: number; left: number } | null>(null);
  const dark = useIsDark();
  const data = useMemo<UPlot.AlignedData>(
    () => [times, ...(stacked ? stack(series) : series.map((s) => s.values))],
    [times, series, stacked],
  );
  const latest = useRef(props);
  latest.current = props;
  /* What needs a new chart rather than new data. */
  const shape = `${props.kind} ${height} ${dark} ${daysApart(times)} ${series
    .map((one) => one.label + one.color)
    .join()}`;
  const plot = useRef<UPlot | null>(null);

  useEffect(() => {
    const at = box.current!;
    const options = optionsOf(latest.current, at.clientWidth, (i, left) =>
      setPoint(i === null || left < 0 ? null : { i, left }),
    );
    const made = new UPlot(options, data, at);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: at.clientWidth, height }),
    );
    observer.observe(at);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // `data` is set below, without drawing all anew.
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <figure className="relative m-0" onMouseLeave={() => setPoint(null)}>
      <div ref={box} role="img" aria-label={label} style={{ height }} />
      {point && times[point.i] !== undefined && (
        <figcaption
          className="pointer-events-none absolute top-1 z-10 min-w-36 rounded-md bg-raised px-2.5 py-2 text-xs shadow-pop"
          style={
            point.left > (box.current?.clientWidth ?? 0) / 2
              ? { right: `calc(100% - ${point.left + 36}px)` }
              : { left: point.left + 64 }
          }
        >
          <p className="mb-1 text-muted">{formatTime(times[point.i]! * 1000)}</p>
          {series.map(({ label, color, values }) => (
            <p key={label} className="flex items-center gap-1.5">
              <Swatch color={color} />
              <span className="flex-1 pr-3">{label}</span>
              <span className="font-medium tabular">
                {values[point.i] == null ? UNKNOWN : format(values[point.i]!)}
              </span>
            </p>
          ))}
        </figcaption>
      )}
    </figure>
  );
}
