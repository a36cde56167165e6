/** What the control plane's own checks of a channel found, and how often it looks. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { cn } from "@/lib/cn";
import { formatMs, formatPercent, formatSpan, formatTime } from "@/lib/format";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Input, Switch } from "@/ui/field";
import { Failure, Skeleton } from "@/ui/states";
import { Ago } from "@/ui/time";
import { patchChannel, useChannelActions } from "./actions";

const TimeChart = lazy(() => import("@/ui/chart"));

type Health = Schemas["ChannelHealth"];
const tones: Record<Health["state"], Tone> = {
  up: "ok",
  down: "bad",
  unknown: "neutral",
};
const colors = { good: "bg-ok", refused: "bg-warn", bad: "bg-bad" };

function Figures({ health }: { health: Health }) {
  const { t } = useTranslation("channels");
  const bad = health.checks.filter((one) => one.verdict === "bad").length;
  const figures: [string, string][] = [
    ["p50", formatMs(health.latency.p50_ms)],
    ["p95", formatMs(health.latency.p95_ms)],
    [
      t("health_good"),
      formatPercent(
        health.checks.length ? 1 - bad / health.checks.length : null,
        1,
      ),
    ],
  ];
  return (
    <dl className="flex gap-6">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="font-semibold tabular">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Each check a stroke, the newest on the right. */
function Strokes({ checks }: { checks: Health["checks"] }) {
  const { t } = useTranslation("channels");
  const shown = checks.slice(0, 60).toReversed();
  return (
    <ol aria-label={t("health_checks")} className="flex h-6 items-stretch gap-0.5">
      {shown.map((one, i) => (
        <li
          key={i}
          title={`${formatTime(one.at)} · ${one.message || t(`verdict.${one.verdict}`)} · ${formatMs(one.latency_ms)}`}
          className={cn("min-w-0.5 flex-1 rounded-xs", colors[one.verdict])}
        >
          <span className="sr-only">{t(`verdict.${one.verdict}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function Latency({ checks }: { checks: Health["checks"] }) {
  const { t } = useTranslation("channels");
  const old = useMemo(() => checks.toReversed(), [checks]);
  const times = useMemo(
    () => old.map((one) => Date.parse(one.at ?? "") / 1_000),
    [old],
  );
  const series = useMemo(
    () => [
      {
        label: t("health_latency"),
        color: "series-1",
        values: old.map((one) => (one.verdict === "bad" ? null : one.latency_ms)),
      },
    ],
    [old, t],
  );
  if (old.length < 3) return null;
  return (
    <Suspense fallback={<Skeleton className="h-28" />}>
      <TimeChart
        kind="area"
        height={112}
        times={times}
        series={series}
        format={formatMs}
        label={t("health_chart", { count: old.length })}
      />
    </Suspense>
  );
}

function Editor({ channel, health }: { channel: Channel; health: Health }) {
  const { t } = useTranslation(["channels", "common"]);
  const client = useQueryClient();
  const { changed } = useChannelActions();
  const check = channel.health_check ?? {};
  const said = check.interval_s == null ? "" : String(check.interval_s);
  const [text, setText] = useState(said);
  const [error, setError] = useState<unknown>(null);
  const good = text.trim() === "" || Number(text) >= 1;
  const save = async (health_check: Schemas["HealthCheck"]) => {
    setError(null);
    try {
      await patchChannel(channel.id, { health_check });
      await changed(channel);
      await client.invalidateQueries({ queryKey: ["health", channel.id] });
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <div className="space-y-3 border-t border-line pt-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <label className="flex flex-1 basis-40 items-center gap-2.5">
          <Switch
            label={t("health_on")}
            checked={check.enabled ?? true}
            onCheckedChange={(enabled) => void save({ ...check, enabled })}
          />
          <span aria-hidden>{t("health_on")}</span>
        </label>
        <form
          className="flex items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (good)
              void save({
                ...check,
                interval_s: text.trim() ? Number(text) : null,
              });
          }}
        >
          <label className="flex items-center gap-2 text-xs text-muted">
            {t("health_every")}
            <Input
              inputMode="numeric"
              className="h-7 w-20 text-right"
              aria-invalid={good ? undefined : true}
              placeholder={String(health.interval_s)}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            {t("seconds")}
          </label>
          {text.trim() !== said && (
            <Button size="sm" kind="primary" type="submit" disabled={!good}>
              {t("common:save")}
            </Button>
          )}
        </form>
      </div>
      {error !== null && <Failure error={error} />}
    </div>
  );
}

export function HealthPanel({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  const health = useQuery({
    queryKey: ["health", channel.id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/channels/{id}/health", {
            params: { path: { id: channel.id }, query: { limit: 200 } },
            signal,
          }),
        )
      ).data,
    refetchInterval: 10_000,
  });
  const { data } = health;
  return (
    <section>
      <h3 className="mb-2 flex items-center gap-2 font-semibold">
        {t("health")}
        {data && <Badge tone={tones[data.state]}>{t(`health_state.${data.state}`)}</Badge>}
      </h3>
      {health.error && (
        <Failure error={health.error} onRetry={() => void health.refetch()} />
      )}
      {!data ? (
        !health.error && <Skeleton className="h-32" />
      ) : (
        <div className="space-y-3 rounded-lg border border-line px-3.5 py-3">
          {data.checks.length > 0 ? (
            <>
              <Figures health={data} />
              <Strokes checks={data.checks} />
              <Latency checks={data.checks} />
            </>
          ) : (
            <p className="text-muted">{t("health_none")}</p>
          )}
          <p className="text-xs text-muted tabular">
            {[
              data.failures_in_a_row > 0 &&
                t("health_failures", { count: data.failures_in_a_row }),
              data.checked && t("health_interval", { span: formatSpan(data.interval_s) }),
            ]
              .filter(Boolean)
              .join(" · ")}
            {data.checked && data.next_at && (
              <>
                {" · "}
                {t("health_next")} <Ago time={data.next_at} />
              </>
            )}
          </p>
          <Editor key={channel.updated_at} channel={channel} health={data} />
        </div>
      )}
    </section>
  );
}
