import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { useConfirm } from "@/ui/confirm";
import { toast, toastError } from "@/ui/toast";
import { bodyOf, isReadable, valuesOf, type Agent, type AgentInput } from "./agent";

const at = (id: string) => ({ params: { path: { id } } });

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/agents", { signal }))).data,
  // Files change beside us, too.
  refetchInterval: 5_000,
});

export const createAgent = (body: AgentInput) =>
  unwrap(api.POST("/api/agents", { body }));
export const replaceAgent = (id: string, body: AgentInput) =>
  unwrap(api.PUT("/api/agents/{id}", { ...at(id), body }));

export function useAgentActions() {
  const { t } = useTranslation(["agents", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const refresh = () => client.invalidateQueries({ queryKey: agentsQuery.queryKey });
  const undoing = (fn: () => Promise<unknown>) => async () => {
    try {
      await fn();
    } finally {
      await refresh();
    }
  };

  const remove = async (agent: Agent) => {
    const sure = await confirm({
      title: t("remove_title", { name: agent.name || agent.id }),
      changes: [
        t("remove_file", { id: agent.id }),
        ...(agent.routed ? [t("remove_routing")] : []),
        ...(isReadable(agent) ? [] : [t("remove_for_good")]),
      ],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    try {
      await unwrap(api.DELETE("/api/agents/{id}", at(agent.id)));
      toast({
        text: t("removed", { name: agent.name || agent.id }),
        undo: isReadable(agent)
          ? undoing(() => createAgent(bodyOf(valuesOf(agent))))
          : undefined,
      });
    } catch (error) {
      toastError(error);
    }
    await refresh();
    return true;
  };

  const changed = async (before: Agent) => {
    await refresh();
    toast({
      text: t("changed", { name: before.name || before.id }),
      undo: isReadable(before)
        ? undoing(() => replaceAgent(before.id, bodyOf(valuesOf(before))))
        : undefined,
    });
  };
  const added = async (made: Agent) => {
    await refresh();
    toast({
      text: t("added", { name: made.name }),
      undo: undoing(() => unwrap(api.DELETE("/api/agents/{id}", at(made.id)))),
    });
  };
  return { remove, changed, added };
}
