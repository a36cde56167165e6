import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import {
  Ellipsis,
  FlaskConical,
  Pause,
  Play,
  Plus,
  RotateCcw,
  Trash2,
  Waypoints,
} from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery, providersQuery, type Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { dayQuery } from "@/api/day";
import { cn } from "@/lib/cn";
import {
  formatMoney,
  formatPercent,
  formatRelative,
  formatShort,
} from "@/lib/format";
import { troubleWord } from "@/lib/words";
import { Badge, Dot } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, PageHead } from "@/ui/card";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Sortable } from "@/ui/sortable";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { useNow } from "@/ui/time";
import { useChannelActions } from "./actions";
import { stateOf } from "./state";
import { FullestWindow } from "./windows";

const ChannelSheet = lazy(() => import("./ChannelSheet"));
const AddChannel = lazy(() => import("./AddChannel"));

export function StateBadge({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const now = useNow();
  const state = stateOf(channel);
  const word = state.trouble
    ? troubleWord(state.trouble)
    : channel.status === "enabled"
      ? t("available")
      : t(`common:status.${channel.status}`);
  return (
    <Badge tone={state.tone}>
      {word}
      {state.keysInTrouble > 0 &&
        ` · ${t("keys_in_trouble", { count: state.keysInTrouble, all: channel.keys.length })}`}
      {state.until && ` · ${formatRelative(state.until, now)}`}
    </Badge>
  );
}

function Figures({ sums }: { sums: Schemas["Sums"] | undefined }) {
  const { t } = useTranslation("channels");
  const part = sums?.requests ? sums.failed_requests / sums.requests : null;
  return (
    <div className="hidden w-64 shrink-0 grid-cols-[4rem_4rem_minmax(0,1fr)] gap-x-4 text-right tabular xl:grid">
      <span
        title={t("requests_24h")}
        className={cn(!sums?.requests && "text-muted")}
      >
        {formatShort(sums?.requests ?? 0)}
      </span>
      <span
        title={t("errors_24h")}
        className={cn(
          part ? (part > 0.05 ? "text-bad-text" : "") : "text-muted",
        )}
      >
        {formatPercent(part)}
      </span>
      <span title={t("cost_24h")} className="text-muted">
        {formatMoney(sums?.cost_usd)}
      </span>
    </div>
  );
}

interface LineProps {
  channel: Channel;
  provider: string;
  sums: Schemas["Sums"] | undefined;
  handle: ReactNode;
  position: number;
  onOpen: (test?: boolean) => void;
}

function Line({ channel, provider, sums, handle, position, onOpen }: LineProps) {
  const { t } = useTranslation(["channels", "common"]);
  const actions = useChannelActions();
  const { name, status, models, keys } = channel;
  const running = status === "enabled";
  const state = stateOf(channel);

  return (
    <div className="group flex items-center gap-2 py-2 pr-3 pl-2 hover:bg-hover/50 sm:gap-3">
      {handle}
      <span className="hidden w-5 text-right text-xs text-muted tabular sm:block">
        {position}
      </span>
      <Dot tone={state.tone} />
      <button
        onClick={() => onOpen()}
        className="min-w-0 flex-1 rounded-md py-0.5 text-left"
      >
        <span className={cn("block truncate font-medium", !running && "text-muted")}>
          {name}
        </span>
        <span className="block truncate text-xs text-muted">
          {provider} ·{" "}
          {models.length === 0
            ? t("any_model")
            : t("models_count", { count: models.length })}
          {" · "}
          {t("keys_count", { count: keys.length })}
        </span>
      </button>
      <FullestWindow channel={channel} />
      <Figures sums={sums} />
      <div className="flex shrink-0 justify-end sm:w-52">
        <StateBadge channel={channel} />
      </div>
      <div className="flex shrink-0">
        <IconButton
          size="sm"
          className="hidden sm:inline-flex"
          icon={running ? Pause : Play}
          label={t(running ? "pause_name" : "resume_name", { name })}
          onClick={() => void (running ? actions.pause : actions.resume)(channel)}
        />
        <Menu
          trigger={
            <IconButton
              size="sm"
              icon={Ellipsis}
              label={t("more_name", { name })}
            />
          }
        >
          <MenuItem icon={FlaskConical} onSelect={() => onOpen(true)}>
            {t("test")}
          </MenuItem>
          <MenuItem
            icon={running ? Pause : Play}
            onSelect={() =>
              void (running ? actions.pause : actions.resume)(channel)
            }
          >
            {t(running ? "pause" : "resume")}
          </MenuItem>
          <MenuItem icon={RotateCcw} onSelect={() => void actions.reset(channel)}>
            {t("reset")}
          </MenuItem>
          <MenuSeparator />
          <MenuItem
            danger
            icon={Trash2}
            onSelect={() => void actions.remove(channel)}
          >
            {t("common:delete")}
          </MenuItem>
        </Menu>
      </div>
    </div>
  );
}

function Heads() {
  const { t } = useTranslation("channels");
  return (
    <div
      aria-hidden
      className="hidden items-center gap-3 border-b border-line py-2 pr-3 pl-2 text-xs text-muted xl:flex"
    >
      <span className="w-6" />
      <span className="w-5" />
      <span className="w-2" />
      <span className="flex-1">{t("channel")}</span>
      <span className="grid w-64 shrink-0 grid-cols-[4rem_4rem_minmax(0,1fr)] gap-x-4 text-right">
        <span>{t("requests")}</span>
        <span>{t("errors")}</span>
        <span>{t("cost")}</span>
      </span>
      <span className="w-52 text-right">{t("state")}</span>
      <span className="w-14" />
    </div>
  );
}

export default function ChannelsPage() {
  const { t } = useTranslation("channels");
  const channels = useQuery(channelsQuery);
  const providers = useQuery(providersQuery);
  const day = useQuery(dayQuery);
  const { channel: opened } = useSearch({ from: "/shell/channels" });
  const navigate = useNavigate({ from: "/channels" });
  const { reorder } = useChannelActions();
  const [adding, setAdding] = useState(false);
  const [testing, setTesting] = useState(false);

  const open = (id: string | undefined, test = false) => {
    setTesting(test);
    void navigate({ search: id ? { channel: id } : {} });
  };
  const titleOf = (type: string) =>
    providers.data?.find((one) => one.type === type)?.title ?? type;
  const sums = new Map(day.data?.by_channel?.map((one) => [one.id, one]));
  const list = channels.data;
  const shown = list?.find((one) => one.id === opened || one.name === opened);
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => setAdding(true)}>
      {t("add")}
    </Button>
  );

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        {list && list.length > 0 && add}
      </PageHead>
      {channels.error && (
        <Failure
          className="mb-4"
          error={channels.error}
          onRetry={() => void channels.refetch()}
        />
      )}
      <Card className="overflow-hidden">
        {!list ? (
          <SkeletonRows />
        ) : list.length === 0 ? (
          <Empty icon={Waypoints} title={t("none")} action={add}>
            {t("none_text")}
          </Empty>
        ) : (
          <>
            <Heads />
            <Sortable
              items={list}
              idOf={(one) => one.id}
              nameOf={(one) => one.name}
              onMove={reorder}
              disabled={list.length < 2}
            >
              {(one, handle) => (
                <Line
                  channel={one}
                  provider={titleOf(one.type)}
                  sums={sums.get(one.id)}
                  handle={handle}
                  position={list.indexOf(one) + 1}
                  onOpen={(test) => open(one.id, test)}
                />
              )}
            </Sortable>
          </>
        )}
      </Card>
      <Suspense>
        {shown && (
          <ChannelSheet
            key={shown.id}
            channel={shown}
            provider={providers.data?.find((one) => one.type === shown.type)}
            testAtOnce={testing}
            onClose={() => open(undefined)}
          />
        )}
        {adding && providers.data && (
          <AddChannel
            providers={providers.data}
            taken={list ?? []}
            onClose={() => setAdding(false)}
          />
        )}
      </Suspense>
    </>
  );
}
