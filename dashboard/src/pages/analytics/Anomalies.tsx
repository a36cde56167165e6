import { queryOptions, useQuery } from "@tanstack/react-query";
import { CircleCheck, Repeat, TrendingUp, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api, unwrap, type Schemas } from "@/api/client";
import { formatCount, formatMoney, formatPercent } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Card, CardHead } from "@/ui/card";
import { Failure, SkeletonRows } from "@/ui/states";
import { Ago } from "@/ui/time";
import type { Dim } from "./question";

type Anomaly = Schemas["Anomaly"];

const anomaliesQuery = queryOptions({
  queryKey: ["anomalies"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/anomalies", { signal }))).data,
  refetchInterval: 30_000,
});

const icons = { spend: TrendingUp, loop: Repeat, errors: TriangleAlert };
const formats = {
  spend: (value: string) => formatMoney(value),
  loop: (value: string) => formatCount(Number(value)),
  errors: (value: string) => formatPercent(Number(value), 0),
};

function Line({
  one,
  onOpen,
}: {
  one: Anomaly;
  onOpen: (dim: Dim, id: string) => void;
}) {
  const { t } = useTranslation("analytics");
  const Icon = icons[one.kind];
  const format = formats[one.kind];
  const { about } = one;
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      <Icon
        aria-hidden
        className={`mt-0.5 size-4 shrink-0 ${one.over ? "text-muted" : "text-warn-text"}`}
      />
      <span className="min-w-0 flex-1">
        <span className="font-medium">{t(`unusual.${one.kind}`)}</span>
        {": "}
        {about === "session" ? (
          one.name
        ) : (
          <button
            onClick={() => onOpen(about, one.id)}
            className="rounded text-accent-text underline underline-offset-2"
          >
            {one.name}
          </button>
        )}
        <span className="block text-xs text-muted tabular">
          {t(`unusual_value.${one.kind}`, {
            value: format(one.value),
            usual: format(one.usual),
          })}
          {" · "}
          <Ago time={one.began_at} />
        </span>
      </span>
      <Badge tone={one.over ? "neutral" : "warn"}>
        {t(one.over ? "over" : "going_on")}
      </Badge>
    </li>
  );
}

/** What is unlike before; those that go on come first. */
export function Anomalies({
  onOpen,
}: {
  onOpen: (dim: Dim, id: string) => void;
}) {
  const { t } = useTranslation("analytics");
  const { data, error, refetch } = useQuery(anomaliesQuery);
  const list = data?.toSorted((a, b) => Number(a.over) - Number(b.over));
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("anomalies")} hint={t("anomalies_hint")}>
        {list?.some((one) => !one.over) && (
          <Badge tone="warn">{list.filter((one) => !one.over).length}</Badge>
        )}
      </CardHead>
      {error ? (
        <Failure className="m-4" error={error} onRetry={() => void refetch()} />
      ) : !list ? (
        <SkeletonRows rows={1} />
      ) : list.length === 0 ? (
        <p className="flex items-center gap-2 px-4 py-3.5 text-muted">
          <CircleCheck aria-hidden className="size-4 text-ok-text" />
          {t("nothing_unusual")}
        </p>
      ) : (
        <ul className="max-h-80 divide-y divide-line overflow-y-auto">
          {list.map((one) => (
            <Line key={`${one.kind} ${one.id} ${one.began_at}`} one={one} onOpen={onOpen} />
          ))}
        </ul>
      )}
    </Card>
  );
}
