/** Changes of rules and functions, with the way back where there is one. */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { movesFor, type Move } from "@/pages/channels/order";
import { useConfirm } from "@/ui/confirm";
import { toast, toastError } from "@/ui/toast";
import {
  functionsQuery,
  rulesQuery,
  settingsQuery,
  type LuaFunction,
  type Rule,
  type RuleInput,
  type Strategy,
} from "./queries";

const at = (id: string) => ({ params: { path: { id } } });

export const createRule = (body: RuleInput) =>
  unwrap(api.POST("/api/routing/rules", { body }));
export const replaceRule = (id: string, body: RuleInput) =>
  unwrap(api.PUT("/api/routing/rules/{id}", { ...at(id), body }));
const deleteRule = (id: string) =>
  unwrap(api.DELETE("/api/routing/rules/{id}", at(id)));
const enable = (id: string) =>
  unwrap(api.POST("/api/routing/rules/{id}/enable", at(id)));
const disable = (id: string) =>
  unwrap(api.POST("/api/routing/rules/{id}/disable", at(id)));

export const createFunction = (body: { name: string; source: string }) =>
  unwrap(api.POST("/api/routing/functions", { body }));
export const replaceFunction = (id: string, body: { name: string; source: string }) =>
  unwrap(api.PUT("/api/routing/functions/{id}", { ...at(id), body }));

/** As it would be made anew. */
export function bodyOf(rule: Rule): RuleInput {
  const { name, type, status, priority, strict, condition, target } = rule;
  return {
    name,
    type: type as RuleInput["type"],
    status,
    priority,
    strict,
    condition,
    target,
  };
}

/** Highest priority first, older ones first among equals: as the server does. */
export const ordered = (rules: Rule[]) =>
  rules.toSorted(
    (a, b) =>
      b.priority - a.priority ||
      (a.created_at ?? "").localeCompare(b.created_at ?? "") ||
      a.id.localeCompare(b.id),
  );

export function freeName(wanted: string, taken: { name: string }[]): string {
  const names = new Set(taken.map((one) => one.name));
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : `${wanted}-${i}`;
    if (!names.has(name)) return name;
  }
}

export function useRoutingActions() {
  const { t } = useTranslation(["routing", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: rulesQuery.queryKey }),
      client.invalidateQueries({ queryKey: functionsQuery.queryKey }),
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

  const show = (moves: Move[]) =>
    client.setQueryData(rulesQuery.queryKey, (old) =>
      old &&
      ordered(
        old.map((one) => ({
          ...one,
          priority: moves.find((move) => move.id === one.id)?.to ?? one.priority,
        })),
      ),
    );
  const save = async (moves: Move[], rules: Rule[]) => {
    for (const { id, to } of moves) {
      const rule = rules.find((one) => one.id === id);
      if (rule) await replaceRule(id, { ...bodyOf(rule), priority: to });
    }
  };
  const reorder = (list: Rule[], moved: Rule) => {
    const moves = movesFor(list, moved.id);
    if (moves.length === 0) return;
    show(moves);
    void attempt(async () => {
      await save(moves, list);
      toast({
        text: t("moved", { name: moved.name }),
        undo: () =>
          attempt(async () => {
            const back = moves.map(({ id, from, to }) => ({ id, from: to, to: from }));
            show(back);
            await save(back, list);
          }),
      });
    });
  };

  const setEnabled = (rule: Rule, on: boolean) =>
    attempt(async () => {
      client.setQueryData(rulesQuery.queryKey, (old) =>
        old?.map((one) =>
          one.id === rule.id
            ? { ...one, status: on ? ("enabled" as const) : ("disabled" as const) }
            : one,
        ),
      );
      await (on ? enable : disable)(rule.id);
      toast({
        text: t(on ? "enabled" : "disabled", { name: rule.name }),
        undo: () => attempt(async () => void (await (on ? disable : enable)(rule.id))),
      });
    });

  const duplicate = (rule: Rule, rules: Rule[]) =>
    attempt(async () => {
      const { data } = await createRule({
        ...bodyOf(rule),
        name: freeName(rule.name, rules),
        status: "disabled",
      });
      toast({
        text: t("duplicated", { name: data.name }),
        undo: () => attempt(async () => void (await deleteRule(data.id))),
      });
    });

  const remove = async (rule: Rule) => {
    const sure = await confirm({
      title: t("remove_title", { name: rule.name }),
      changes: [t("remove_next"), t("remove_history")],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    await attempt(async () => {
      await deleteRule(rule.id);
      toast({
        text: t("removed", { name: rule.name }),
        undo: () => attempt(async () => void (await createRule(bodyOf(rule)))),
      });
    });
    return true;
  };

  /** After a change that went well. */
  const changed = async (before: Rule) => {
    await refresh();
    toast({
      text: t("changed", { name: before.name }),
      undo: () => attempt(async () => void (await replaceRule(before.id, bodyOf(before)))),
    });
  };
  const added = async (rules: Rule[]) => {
    await refresh();
    toast({
      text: t("added", { count: rules.length, name: rules[0]?.name ?? "" }),
      undo: () =>
        attempt(async () => {
          for (const one of rules) await deleteRule(one.id);
        }),
    });
  };

  const removeFunction = async (one: LuaFunction) => {
    const sure = await confirm({
      title: t("remove_title", { name: one.name }),
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    await attempt(async () => {
      await unwrap(api.DELETE("/api/routing/functions/{id}", at(one.id)));
      toast({
        text: t("removed", { name: one.name }),
        undo: () =>
          attempt(
            async () =>
              void (await createFunction({ name: one.name, source: one.source })),
          ),
      });
    });
    return true;
  };

  const setStrategy = async (to: Strategy, from: Strategy) => {
    const patch = async (strategy: Strategy) => {
      await unwrap(api.PATCH("/api/settings", { body: { strategy } }));
      await client.invalidateQueries({ queryKey: settingsQuery.queryKey });
    };
    await attempt(async () => {
      await patch(to);
      toast({
        text: t("strategy_changed", { strategy: t(`strategies.${to}`) }),
        undo: () => attempt(() => patch(from)),
      });
    });
  };

  return {
    reorder,
    setEnabled,
    duplicate,
    remove,
    changed,
    added,
    removeFunction,
    setStrategy,
    refresh,
  };
}
