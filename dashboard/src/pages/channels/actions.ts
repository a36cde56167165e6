/** Changes of channels, with the way back where there is one. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { channelsQuery, type Channel } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { rulesQuery } from "@/pages/routing/queries";
import { pointsTo } from "@/pages/routing/target";
import { useConfirm } from "@/ui/confirm";
import { toast, toastError } from "@/ui/toast";
import { bodyOf, valuesOf } from "./form";
import { movesFor, type Move } from "./order";

const at = (id: string) => ({ params: { path: { id } } });

export const patchChannel = (id: string, body: Schemas["ChannelPatch"]) =>
  unwrap(api.PATCH("/api/channels/{id}", { ...at(id), body }));

export const createChannel = (body: Schemas["ChannelInput"]) =>
  unwrap(api.POST("/api/channels", { body }));

export const testChannel = (id: string, body: Schemas["TestInput"] = {}) =>
  unwrap(api.POST("/api/channels/{id}/test", { ...at(id), body }));

const stop = (id: string) =>
  unwrap(api.POST("/api/channels/{id}/pause", at(id)));
const go = (id: string) => unwrap(api.POST("/api/channels/{id}/resume", at(id)));

/** Shows the new order at once; the server's word comes right after. */
function showMoves(client: QueryClient, moves: Move[]) {
  client.setQueryData(channelsQuery.queryKey, (old) =>
    old
      ?.map((one) => ({
        ...one,
        priority: moves.find((move) => move.id === one.id)?.to ?? one.priority,
      }))
      .sort((a, b) => b.priority - a.priority || a.name.localeCompare(b.name)),
  );
}

export function useChannelActions() {
  const { t } = useTranslation(["channels", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const navigate = useNavigate();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: channelsQuery.queryKey }),
      client.invalidateQueries({ queryKey: ["status"] }),
    ]);
  const attempt = async (fn: () => Promise<void>) => {
    try {
      await fn();
    } catch (error) {
      toastError(error);
    } finally {
      await refresh();
    }
  };

  const pause = (channel: Channel) =>
    attempt(async () => {
      await stop(channel.id);
      toast({
        text: t("paused", { name: channel.name }),
        undo: () => attempt(async () => void (await go(channel.id))),
      });
    });

  const resume = (channel: Channel) =>
    attempt(async () => {
      await go(channel.id);
      toast({
        text: t("resumed", { name: channel.name }),
        undo: () => attempt(async () => void (await stop(channel.id))),
      });
    });

  const reset = (channel: Channel) =>
    attempt(async () => {
      await unwrap(api.POST("/api/channels/{id}/reset", at(channel.id)));
      toast({ text: t("was_reset", { name: channel.name }) });
    });

  /** The API keeps what a rule points to; so it is said before, and by whom. */
  const isNeeded = async (channel: Channel) => {
    const rules = await client.fetchQuery(rulesQuery).catch(() => []);
    const pointing = rules.filter((rule) => pointsTo(rule.target, channel));
    if (pointing.length === 0) return false;
    const go = await confirm({
      title: t("needed_title", { name: channel.name }),
      body: t("needed_body", { count: pointing.length }),
      changes: pointing.map((rule) => t("needed_rule", { name: rule.name })),
      action: t("go_to_rules"),
    });
    if (go) void navigate({ to: "/routing" });
    return true;
  };

  const remove = async (channel: Channel) => {
    if (await isNeeded(channel)) return false;
    const sure = await confirm({
      title: t("remove_title", { name: channel.name }),
      body: t("remove_body"),
      changes: [
        t("remove_keys", { count: channel.keys.length }),
        t("remove_history"),
      ],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    await attempt(async () => {
      await unwrap(api.DELETE("/api/channels/{id}", at(channel.id)));
      toast({ text: t("removed", { name: channel.name }) });
    });
    return true;
  };

  const save = (moves: Move[]) =>
    Promise.all(moves.map(({ id, to }) => patchChannel(id, { priority: to })));

  const reorder = (list: Channel[], moved: Channel) => {
    const moves = movesFor(list, moved.id);
    if (moves.length === 0) return;
    showMoves(client, moves);
    void attempt(async () => {
      await save(moves);
      toast({
        text: t("moved", { name: moved.name }),
        undo: () =>
          attempt(async () => {
            const back = moves.map(({ id, from, to }) => ({
              id,
              from: to,
              to: from,
            }));
            showMoves(client, back);
            await save(back);
          }),
      });
    });
  };

  /** After a change that went well: says so, and how to take it back. */
  const changed = async (before: Channel) => {
    await refresh();
    toast({
      text: t("changed", { name: before.name }),
      undo: () =>
        attempt(
          async () =>
            void (await patchChannel(before.id, bodyOf(valuesOf(before)))),
        ),
    });
  };

  const setKeys = (channel: Channel, keys: Schemas["ChannelKeyInput"][]) =>
    attempt(async () => {
      await patchChannel(channel.id, { keys });
    });

  return { pause, resume, reset, remove, reorder, changed, setKeys, refresh };
}
