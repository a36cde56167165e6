import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChartColumn, Download, X } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { keysQuery, tenantsQuery } from "@/api/tenants";
import { cn } from "@/lib/cn";
import {
  formatCount,
  formatMoney,
  formatMs,
  formatPercent,
  formatShort,
  formatTime,
  UNKNOWN,
} from "@/lib/format";
import { Button } from "@/ui/button";
import { Card, CardHead, PageHead } from "@/ui/card";
import { Field, Input, Select } from "@/ui/field";
import { Menu, MenuItem } from "@/ui/menu";
import { Bar, Stat, Stats } from "@/ui/stat";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { DataTable, type Column } from "@/ui/table";
import { Segments } from "@/ui/segments";
import { Anomalies } from "./Anomalies";
import { Charts } from "./Charts";
import { beforeQuery, seriesQuery, tableQuery } from "./queries";
import {
  canSplit,
  csvUrl,
  dims,
  drill,
  filtersOf,
  measures,
  ranges,
  withRange,
  type Dim,
  type Measure,
  type Question,
  type Range,
} from "./question";
import { changeOf, inputOf, measureOf, money, tokensOf } from "./series";

type Sums = Schemas["Sums"];
type Summary = Schemas["UsageSummary"];

/** The browser fetches it as a file. */
function save(url: string) {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}

/** Names of what is known by an id. */
function useNameOf() {
  const { data: channels } = useQuery(channelsQuery);
  const { data: tenants } = useQuery(tenantsQuery);
  const { data: keys } = useQuery(keysQuery);
  const lists: Partial<Record<Dim, { id: string; name: string }[]>> = {
    channel: channels,
    tenant: tenants,
    key: keys,
  };
  return (dim: Dim, value: string) =>
    lists[dim]?.find((one) => one.id === value)?.name ?? value;
}

function Change({
  now,
  before,
  worse,
}: {
  now: number | null | undefined;
  before: number | null | undefined;
  /** Is more of it bad? */
  worse?: boolean;
}) {
  const { t } = useTranslation("analytics");
  const change = changeOf(now, before);
  if (change === null) return <>{t("nothing_before")}</>;
  const flat = Math.abs(change) < 0.005;
  const up = change > 0;
  return (
    <span
      className={cn(
        worse !== undefined && !flat && (up === worse ? "text-bad-text" : "text-ok-text"),
      )}
    >
      {flat
        ? t("as_before")
        : t(up ? "more_than" : "less_than", {
            part: formatPercent(Math.abs(change), Math.abs(change) < 0.1 ? 1 : 0),
          })}
    </span>
  );
}

function Figures({ sums, before }: { sums: Sums | undefined; before: Sums | undefined }) {
  const { t } = useTranslation("analytics");
  const input = sums ? inputOf(sums) : 0;
  const loading = !sums;
  const rate = sums?.error_rate;
  return (
    <Stats>
      <Stat
        label={t("requests")}
        value={formatCount(sums?.requests)}
        note={<Change now={sums?.requests} before={before?.requests} />}
        loading={loading}
      />
      <Stat
        label={t("cost")}
        value={formatMoney(sums?.cost_usd)}
        note={
          sums && sums.unpriced_requests > 0 ? (
            t("unpriced", { count: sums.unpriced_requests })
          ) : (
            <Change
              now={money(sums?.cost_usd ?? null)}
              before={money(before?.cost_usd ?? null)}
              worse
            />
          )
        }
        loading={loading}
      />
      <Stat
        label={t("error_rate")}
        value={formatPercent(rate)}
        note={sums && t("failed_count", { count: sums.failed_requests })}
        tone={rate && rate > 0.05 ? "bad" : rate && rate > 0.01 ? "warn" : undefined}
        loading={loading}
      />
      <Stat
        label={t("p95")}
        value={formatMs(sums?.duration_p95_ms)}
        note={
          <Change now={sums?.duration_p95_ms} before={before?.duration_p95_ms} worse />
        }
        loading={loading}
      />
      <Stat
        label={t("tokens")}
        value={formatShort(sums && tokensOf(sums))}
        note={
          sums &&
          t("in_out", {
            input: formatShort(input),
            output: formatShort(sums.output_tokens),
          })
        }
        loading={loading}
      />
      <Stat
        label={t("saved")}
        value={formatMoney(sums?.cache_saved_usd)}
        note={
          sums &&
          t("hit_rate", {
            part: formatPercent(input > 0 ? sums.cache_read_tokens / input : null, 0),
          })
        }
        loading={loading}
      />
    </Stats>
  );
}

/** "2026-01-31T12:00", as the browser's field has it. */
function localTime(at: Date) {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

function CustomRange({
  question,
  onChange,
  onCancel,
}: {
  question: Question;
  onChange: (since: string, until: string) => void;
  onCancel: () => void;
}) {
  const { t } = useTranslation(["analytics", "common"]);
  const [since, setSince] = useState(() =>
    localTime(new Date(question.since ?? Date.now() - 7 * 86_400_000)),
  );
  const [until, setUntil] = useState(() =>
    localTime(question.until ? new Date(question.until) : new Date()),
  );
  const from = Date.parse(since);
  const to = Date.parse(until);
  const wrong = Number.isNaN(from) || Number.isNaN(to) || from >= to;
  return (
    <Card className="mb-4">
      <form
        className="flex flex-wrap items-end gap-3 px-4 py-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) onChange(new Date(from).toISOString(), new Date(to).toISOString());
        }}
      >
        <Field label={t("from")}>
          {(given) => (
            <Input
              {...given}
              type="datetime-local"
              value={since}
              max={until}
              onChange={(event) => setSince(event.target.value)}
            />
          )}
        </Field>
        <Field label={t("to")} error={wrong ? t("wrong_range") : undefined}>
          {(given) => (
            <Input
              {...given}
              type="datetime-local"
              value={until}
              min={since}
              onChange={(event) => setUntil(event.target.value)}
            />
          )}
        </Field>
        <Button kind="primary" type="submit" disabled={wrong}>
          {t("apply")}
        </Button>
        <Button onClick={onCancel}>{t("common:cancel")}</Button>
      </form>
    </Card>
  );
}

function useColumns(by: Dim, order: Measure, total: Sums | undefined, onDrill: (row: Sums) => void) {
  const { t } = useTranslation("analytics");
  return useMemo<Column<Sums>[]>(() => {
    const whole = total ? measureOf[order](total) : 0;
    const partOf = (row: Sums) => (whole > 0 ? measureOf[order](row) / whole : 0);
    const nameOf = (row: Sums) => row.name ?? row.id ?? t("nameless");
    return [
      {
        id: "name",
        header: t(`dim.${by}`),
        sort: (row) => nameOf(row).toLowerCase(),
        cell: (row) => (
          <button
            onClick={(event) => {
              event.stopPropagation();
              onDrill(row);
            }}
            title={t("drill", { name: nameOf(row) })}
            className="block max-w-full truncate rounded font-medium"
          >
            {nameOf(row)}
          </button>
        ),
      },
      {
        id: "part",
        header: t("share"),
        sort: partOf,
        width: "8.5rem",
        from: "sm",
        cell: (row) => (
          <span className="flex items-center gap-2">
            <span className="flex-1">
              <Bar part={partOf(row)} label={nameOf(row)} />
            </span>
            <span className="w-10 text-right text-xs text-muted tabular">
              {formatPercent(partOf(row), 0)}
            </span>
          </span>
        ),
      },
      {
        id: "requests",
        header: t("requests"),
        align: "right",
        width: "6rem",
        sort: (row) => row.requests,
        cell: (row) => formatShort(row.requests),
      },
      {
        id: "errors",
        header: t("errors"),
        align: "right",
        width: "5rem",
        from: "sm",
        sort: (row) => row.error_rate,
        cell: (row) => (
          <span
            className={cn(
              !row.failed_requests && "text-muted",
              (row.error_rate ?? 0) > 0.05 && "text-bad-text",
            )}
          >
            {formatPercent(row.error_rate)}
          </span>
        ),
      },
      {
        id: "cost",
        header: t("cost"),
        align: "right",
        width: "6rem",
        sort: (row) => money(row.cost_usd),
        cell: (row) => formatMoney(row.cost_usd),
      },
      {
        id: "tokens",
        header: t("tokens"),
        align: "right",
        width: "5.5rem",
        from: "md",
        sort: tokensOf,
        cell: (row) => formatShort(tokensOf(row)),
      },
      {
        id: "saved",
        header: t("saved_short"),
        align: "right",
        width: "6rem",
        from: "xl",
        sort: (row) => money(row.cache_saved_usd),
        cell: (row) => formatMoney(row.cache_saved_usd),
      },
      {
        id: "p50",
        header: "p50",
        align: "right",
        width: "5rem",
        from: "lg",
        sort: (row) => row.duration_p50_ms,
        cell: (row) => formatMs(row.duration_p50_ms),
      },
      {
        id: "p95",
        header: "p95",
        align: "right",
        width: "5rem",
        from: "lg",
        sort: (row) => row.duration_p95_ms,
        cell: (row) => formatMs(row.duration_p95_ms),
      },
      {
        id: "ttft",
        header: t("ttft_short"),
        align: "right",
        width: "6rem",
        from: "xl",
        sort: (row) => row.ttft_p50_ms,
        cell: (row) => formatMs(row.ttft_p50_ms),
      },
      {
        id: "rate",
        header: t("rate_short"),
        align: "right",
        width: "5.5rem",
        from: "xl",
        sort: (row) => row.tokens_per_s_p50,
        cell: (row) =>
          row.tokens_per_s_p50 === null ? UNKNOWN : formatShort(row.tokens_per_s_p50),
      },
    ];
  }, [t, by, order, total, onDrill]);
}

interface BreakdownProps {
  question: Question;
  by: Dim;
  order: Measure;
  summary: Summary | undefined;
  onGo: (question: Question) => void;
}

function Breakdown({ question, by, order, summary, onGo }: BreakdownProps) {
  const { t } = useTranslation("analytics");
  const rows = summary?.[`by_${by}`];
  const onDrill = useMemo(
    () => (row: Sums) => {
      const value = row.id ?? row.name;
      if (value) onGo(drill(question, by, value));
    },
    [question, by, onGo],
  );
  const columns = useColumns(by, order, summary?.total, onDrill);
  return (
    <Card className="overflow-hidden">
      <CardHead
        title={t("break_down")}
        hint={
          summary &&
          t("counted", { since: formatTime(summary.since), until: formatTime(summary.until) })
        }
      >
        <Segments
          label={t("share_of")}
          className="hidden md:inline-flex"
          value={order}
          onChange={(next) => onGo({ ...question, order: next })}
          options={measures.map((value) => ({ value, label: t(value) }))}
        />
        <Select
          aria-label={t("by")}
          className="w-32 shrink-0"
          value={by}
          onChange={(event) => onGo({ ...question, by: event.target.value as Dim })}
        >
          {dims.map((dim) => (
            <option key={dim} value={dim} disabled={!canSplit(question, dim)}>
              {t(`dim.${dim}`)}
            </option>
          ))}
        </Select>
      </CardHead>
      {!rows ? (
        <SkeletonRows />
      ) : rows.length === 0 ? (
        <Empty icon={ChartColumn} title={t("nothing")} className="py-10">
          {t("nothing_text")}
        </Empty>
      ) : (
        <DataTable
          key={`${by} ${order}`}
          label={t("break_down")}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id ?? row.name ?? ""}
          initialSort={[{ id: "part", desc: true }]}
          height={rows.length > 60 ? "36rem" : undefined}
          onOpen={onDrill}
        />
      )}
    </Card>
  );
}

export default function AnalyticsPage() {
  const { t } = useTranslation("analytics");
  const question: Question = useSearch({ from: "/shell/analytics" });
  const navigate = useNavigate({ from: "/analytics" });
  const [choosing, setChoosing] = useState(false);
  const nameOf = useNameOf();

  const wanted = question.by ?? "model";
  const by = canSplit(question, wanted)
    ? wanted
    : (dims.find((dim) => canSplit(question, dim)) ?? wanted);
  const order = question.order ?? "requests";
  const range = question.range ?? "24h";
  const filters = filtersOf(question);

  const series = useQuery(seriesQuery(question));
  const split = useQuery({
    ...seriesQuery(question, by),
    enabled: question.split === true,
  });
  const summary = useQuery(tableQuery(question, by, order));
  const before = useQuery(beforeQuery(question));
  const error = series.error ?? summary.error;

  const go = useMemo(
    () => (next: Question) => void navigate({ search: next, resetScroll: false }),
    [navigate],
  );
  const choose = (next: Range) => {
    setChoosing(next === "custom");
    if (next !== "custom") go(withRange(question, next));
  };

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        <Segments
          label={t("range")}
          value={choosing ? "custom" : range}
          onChange={choose}
          options={[
            ...ranges.map((value) => ({ value: value as Range, label: value })),
            { value: "custom" as Range, label: t("custom") },
          ]}
        />
        <Menu
          trigger={
            <Button icon={Download} disabled={!summary.data} aria-label={t("export")}>
              <span className="hidden sm:inline">{t("export")}</span>
            </Button>
          }
        >
          <MenuItem onSelect={() => save(csvUrl(question, by))}>
            {t("export_table", { by: t(`dim.${by}`) })}
          </MenuItem>
          <MenuItem
            onSelect={() =>
              save(csvUrl(question, series.data?.bucket === "day" ? "day" : "hour"))
            }
          >
            {t("export_series")}
          </MenuItem>
          <MenuItem onSelect={() => save(csvUrl(question))}>
            {t("export_rows")}
          </MenuItem>
        </Menu>
      </PageHead>
      {choosing && (
        <CustomRange
          question={question}
          onCancel={() => setChoosing(false)}
          onChange={(since, until) => {
            setChoosing(false);
            go({ ...question, range: "custom", since, until });
          }}
        />
      )}
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Segments
          label={t("charts_show")}
          value={question.split ? "split" : "all"}
          onChange={(value) =>
            go({ ...question, by, split: value === "split" ? true : undefined })
          }
          options={[
            { value: "all", label: t("all") },
            { value: "split", label: t("split_by", { by: t(`dim.${by}`) }) },
          ]}
        />
        {filters.map(([dim, value]) => (
          <Button
            key={dim}
            size="sm"
            onClick={() => go({ ...question, [dim]: undefined })}
          >
            <span className="sr-only">{t("drop_filter")}</span>
            <span className="text-muted">{t(`dim.${dim}`)}</span>
            <span className="max-w-40 truncate">{nameOf(dim, value)}</span>
            <X aria-hidden />
          </Button>
        ))}
        {range === "custom" && question.since && question.until && (
          <span className="text-xs text-muted">
            {formatTime(question.since)} – {formatTime(question.until)}
          </span>
        )}
      </div>
      <div className="space-y-4">
        {error && (
          <Failure
            error={error}
            onRetry={() => {
              void series.refetch();
              void summary.refetch();
            }}
          />
        )}
        {summary.data && !summary.data.complete && (
          <p role="status" className="rounded-lg bg-info-soft px-4 py-2.5 text-info-text">
            {t("incomplete")}
          </p>
        )}
        <Figures sums={summary.data?.total} before={before.data?.total} />
        <Charts total={series.data} split={question.split ? split.data : undefined} />
        <Breakdown
          question={question}
          by={by}
          order={order}
          summary={summary.data}
          onGo={go}
        />
        <Anomalies onOpen={(dim, id) => go(drill(question, dim, id))} />
      </div>
    </>
  );
}
