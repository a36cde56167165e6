import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Bot, Ellipsis, Pencil, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { Badge, Dot, type Tone } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, PageHead } from "@/ui/card";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago } from "@/ui/time";
import { listOf, stateOf, type Agent, type State } from "./agent";
import { agentsQuery, useAgentActions } from "./queries";

const AgentSheet = lazy(() => import("./AgentSheet"));

const tones: Record<State, Tone> = { faulty: "bad", routed: "ok", listed: "neutral" };

export function StateBadge({ agent }: { agent: Agent }) {
  const { t } = useTranslation("agents");
  const state = stateOf(agent);
  return (
    <Badge tone={tones[state]} title={t(`state_help.${state}`)}>
      {t(`state.${state}`)}
    </Badge>
  );
}

function Line({ agent, onOpen }: { agent: Agent; onOpen: () => void }) {
  const { t } = useTranslation(["agents", "common"]);
  const { remove } = useAgentActions();
  const name = agent.name || agent.id;
  const way = [listOf(agent.routing).join(" → "), agent.model].filter(Boolean).join(" · ");
  const { fault } = agent;
  return (
    <li className="flex items-center gap-3 py-2.5 pr-3 pl-4 hover:bg-hover/50">
      <Dot tone={tones[stateOf(agent)]} />
      <button
        onClick={onOpen}
        className="grid min-w-0 flex-1 gap-x-6 gap-y-0.5 rounded-md py-0.5 text-left lg:grid-cols-[minmax(0,1fr)_minmax(0,18rem)]"
      >
        <span className="min-w-0">
          <span className="block truncate font-medium">{name}</span>
          {fault ? (
            <span className="block truncate text-xs text-bad-text">
              {fault.line > 0 && `${t("line", { line: fault.line })}: `}
              {fault.reason}
            </span>
          ) : (
            <span className="block truncate text-xs text-muted">
              {agent.description || agent.prompt}
            </span>
          )}
        </span>
        <span className="min-w-0 truncate max-lg:text-xs lg:self-center">
          {way ? (
            <>
              <span aria-hidden className="text-muted">→ </span>
              {way}
            </>
          ) : (
            <span className="text-muted">{t("as_asked")}</span>
          )}
        </span>
      </button>
      <span className="hidden w-24 text-right text-xs text-muted xl:block">
        <Ago time={agent.updated_at} />
      </span>
      <span className="hidden w-24 justify-end sm:flex">
        <StateBadge agent={agent} />
      </span>
      <Menu trigger={<IconButton size="sm" icon={Ellipsis} label={t("more_name", { name })} />}>
        <MenuItem icon={Pencil} onSelect={onOpen}>
          {t("common:edit")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger icon={Trash2} onSelect={() => void remove(agent)}>
          {t("common:delete")}
        </MenuItem>
      </Menu>
    </li>
  );
}

export default function AgentsPage() {
  const { t } = useTranslation("agents");
  const agents = useQuery(agentsQuery);
  const { agent: opened } = useSearch({ from: "/shell/agents" });
  const navigate = useNavigate({ from: "/agents" });
  const open = (id: string | undefined) =>
    void navigate({ search: id ? { agent: id } : {}, resetScroll: false });
  const list = agents.data;
  const shown = list?.find((one) => one.id === opened || one.name === opened);
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => open("new")}>
      {t("add")}
    </Button>
  );
  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        {list && list.length > 0 && add}
      </PageHead>
      {agents.error && (
        <Failure
          className="mb-4"
          error={agents.error}
          onRetry={() => void agents.refetch()}
        />
      )}
      {(list || !agents.error) && (
        <Card className="overflow-hidden">
          {!list ? (
            <SkeletonRows />
          ) : list.length === 0 ? (
            <Empty icon={Bot} title={t("none")} action={add}>
              {t("none_text")}
            </Empty>
          ) : (
            <ul className="divide-y divide-line">
              {list.map((one) => (
                <Line key={one.id} agent={one} onOpen={() => open(one.id)} />
              ))}
            </ul>
          )}
        </Card>
      )}
      {list && list.length > 0 && <p className="mt-3 text-xs text-muted">{t("files")}</p>}
      <Suspense>
        {(shown || (opened === "new" && list)) && (
          <AgentSheet key={opened} agent={shown ?? null} onClose={() => open(undefined)} />
        )}
      </Suspense>
    </>
  );
}
