import { useQuery } from "@tanstack/react-query";
import { Waypoints } from "lucide-react";
import { useTranslation } from "react-i18next";

import { channelsQuery, type Channel } from "@/api/channels";
import { formatRelative } from "@/lib/format";
import { Badge, Dot } from "@/ui/badge";
import { Card, PageHead } from "@/ui/card";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { useNow } from "@/ui/time";
import { stateOf } from "./state";

function Line({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const now = useNow();
  const state = stateOf(channel);
  return (
    <li className="flex items-center gap-3 px-4 py-3">
      <Dot tone={state.tone} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{channel.name}</p>
        <p className="truncate text-xs text-muted">{channel.type}</p>
      </div>
      <Badge tone={state.tone}>
        {state.trouble
          ? t(`common:trouble.${state.trouble}`)
          : t(`common:status.${channel.status}`)}
        {state.until && ` · ${formatRelative(state.until, now)}`}
      </Badge>
    </li>
  );
}

export default function ChannelsPage() {
  const { t } = useTranslation("channels");
  const { data, error, refetch } = useQuery(channelsQuery);
  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <Card>
        {error ? (
          <Failure error={error} onRetry={() => void refetch()} />
        ) : !data ? (
          <SkeletonRows />
        ) : data.length === 0 ? (
          <Empty icon={Waypoints} title={t("none")} />
        ) : (
          <ul className="divide-y divide-line">
            {data.map((one) => (
              <Line key={one.id} channel={one} />
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}
