import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  ArrowRight,
  BellOff,
  CheckCheck,
  CircleAlert,
  CircleCheck,
  Info,
  TriangleAlert,
} from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { openAlertsQuery, type Alert } from "@/api/alerts";
import { api, unwrap } from "@/api/client";
import { cn } from "@/lib/cn";
import { formatSpan, formatTime } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago, useNow } from "@/ui/time";
import { toastError } from "@/ui/toast";
import { byNeed, lasted, whereOf } from "./alerts";

const marks = {
  critical: { icon: CircleAlert, color: "text-bad-text" },
  warning: { icon: TriangleAlert, color: "text-warn-text" },
  info: { icon: Info, color: "text-info-text" },
};

function Times({ alert }: { alert: Alert }) {
  const { t } = useTranslation("alerts");
  const now = useNow();
  const span = formatSpan(lasted(alert, now));
  return (
    <p
      className="text-xs text-muted tabular"
      title={`${formatTime(alert.opened_at)}${alert.closed_at ? ` – ${formatTime(alert.closed_at)}` : ""}`}
    >
      {alert.closed_at ? (
        <>
          <Ago time={alert.opened_at} /> · {t("lasted", { span })}
        </>
      ) : (
        t("since", { span })
      )}
      {alert.acked_at && ` · ${t("seen_by", { name: alert.acked_by ?? "" })}`}
    </p>
  );
}

function Line({ alert }: { alert: Alert }) {
  const { t } = useTranslation("alerts");
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const open = alert.state === "open";
  const { icon, color } = marks[alert.severity];
  const Icon = open ? icon : CircleCheck;
  const where = whereOf(alert);
  const ack = async () => {
    setBusy(true);
    try {
      await unwrap(
        api.POST("/api/alerts/{id}/ack", { params: { path: { id: alert.id } } }),
      );
    } catch (error) {
      toastError(error);
    }
    await client.invalidateQueries({ queryKey: ["alerts"] });
    setBusy(false);
  };
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 px-4 py-3.5">
      <Icon
        aria-hidden
        className={cn("mt-0.5 size-4 shrink-0", open ? color : "text-muted")}
      />
      <div className="min-w-0 flex-1 basis-60 space-y-1">
        <h2 className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium">
          {t(`kind.${alert.kind}`)}
          <span className="font-normal wrap-anywhere text-soft">{alert.name}</span>
          {open && !alert.acked_at && <Badge tone="bad">{t("new")}</Badge>}
          {alert.flapping && (
            <Badge tone="warn" title={t("flapping_hint")}>
              {t("flapping")}
            </Badge>
          )}
        </h2>
        <p className="wrap-anywhere text-soft">{alert.message}</p>
        {open && <p className="text-soft">{t(`do.${alert.kind}`)}</p>}
        <Times alert={alert} />
      </div>
      {open && (
        <div className="flex shrink-0 items-center gap-2 pl-7 sm:pl-0">
          {!alert.acked_at && (
            <Button
              size="sm"
              icon={CheckCheck}
              busy={busy}
              title={t("ack_hint")}
              aria-label={t("ack_of", {
                what: `${t(`kind.${alert.kind}`)} ${alert.name}`,
              })}
              onClick={() => void ack()}
            >
              {t("ack")}
            </Button>
          )}
          {where && (
            <Button asChild size="sm" kind={alert.acked_at ? "secondary" : "primary"}>
              <Link {...where}>
                {t(`go.${alert.about as "channel"}`)}
                <ArrowRight aria-hidden />
              </Link>
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

export function OpenAlerts() {
  const { t } = useTranslation("alerts");
  const alerts = useQuery(openAlertsQuery);
  const list = alerts.data?.toSorted(byNeed);
  return (
    <>
      {alerts.error && (
        <Failure
          className="mb-4"
          error={alerts.error}
          onRetry={() => void alerts.refetch()}
        />
      )}
      <Card>
        {!list ? (
          !alerts.error && <SkeletonRows rows={3} />
        ) : list.length === 0 ? (
          <Empty icon={CircleCheck} title={t("none_open")}>
            {t("none_open_text")}
          </Empty>
        ) : (
          <ul className="divide-y divide-line">
            {list.map((one) => (
              <Line key={one.id} alert={one} />
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}

export function PastAlerts() {
  const { t } = useTranslation("alerts");
  const past = useInfiniteQuery({
    queryKey: ["alerts", "closed"],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/alerts", {
          params: {
            query: { state: "closed", limit: 50, cursor: pageParam || undefined },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
  const list = past.data?.pages.flatMap((one) => one.data);
  return (
    <>
      {past.error && (
        <Failure
          className="mb-4"
          error={past.error}
          onRetry={() => void past.refetch()}
        />
      )}
      <Card>
        {!list ? (
          !past.error && <SkeletonRows rows={3} />
        ) : list.length === 0 ? (
          <Empty icon={BellOff} title={t("none_past")}>
            {t("none_past_text")}
          </Empty>
        ) : (
          <ul className="divide-y divide-line">
            {list.map((one) => (
              <Line key={one.id} alert={one} />
            ))}
          </ul>
        )}
      </Card>
      {past.hasNextPage && (
        <div className="mt-3 text-center">
          <Button
            busy={past.isFetchingNextPage}
            onClick={() => void past.fetchNextPage()}
          >
            {t("older")}
          </Button>
        </div>
      )}
    </>
  );
}
