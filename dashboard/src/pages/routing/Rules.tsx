import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy, CornerDownRight, Ellipsis, FlaskConical, Pencil, Plus, Route, Trash2 } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card } from "@/ui/card";
import { Select, Switch } from "@/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Sortable } from "@/ui/sortable";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { ordered, useRoutingActions } from "./actions";
import { iconOf } from "./icons";
import {
  presetsQuery,
  rulesQuery,
  settingsQuery,
  strategies,
  type Rule,
  type RuleInput,
  type Strategy,
} from "./queries";
import { conditionWords, targetWords } from "./words";

const RuleSheet = lazy(() => import("./RuleSheet"));
const Presets = lazy(() => import("./Presets"));

function useWhen(rule: Rule): string {
  const { t } = useTranslation("routing");
  const { data: presets } = useQuery(presetsQuery);
  const preset = presets?.find((one) => one.type === rule.type);
  const own = conditionWords(rule.condition, t);
  if (rule.type === "default") return own || t("always");
  const given = "token_threshold" in (rule.condition ?? {}) && rule.type === "longContext";
  const built = given || !preset ? "" : conditionWords(preset.condition, t);
  return [built, built && own ? own.charAt(0).toLowerCase() + own.slice(1) : own]
    .filter(Boolean)
    .join(t("say.and"));
}

function Line({
  rule,
  rules,
  handle,
  position,
  onOpen,
}: {
  rule: Rule;
  rules: Rule[];
  handle: ReactNode;
  position: number;
  onOpen: () => void;
}) {
  const { t } = useTranslation(["routing", "common"]);
  const actions = useRoutingActions();
  const navigate = useNavigate({ from: "/routing" });
  const when = useWhen(rule);
  const { first, then } = targetWords(rule, t);
  const on = rule.status === "enabled";
  const Icon = iconOf(rule.type);
  return (
    <div className="group flex items-center gap-2 py-2.5 pr-3 pl-2 hover:bg-hover/50 sm:gap-3">
      {handle}
      <span className="hidden w-5 text-right text-xs text-muted tabular sm:block">{position}</span>
      <button
        onClick={onOpen}
        className={cn(
          "grid min-w-0 flex-1 gap-x-6 gap-y-0.5 rounded-md py-0.5 text-left lg:grid-cols-[minmax(0,1fr)_minmax(0,20rem)]",
          !on && "text-muted [&_.text-soft]:text-muted",
        )}
      >
        <span className="min-w-0">
          <span className="flex min-w-0 items-center gap-2">
            <Icon aria-hidden className="size-4 shrink-0 text-muted" />
            <span className="truncate font-medium">{rule.name}</span>
            {rule.strict && <Badge tone="warn">{t("strict")}</Badge>}
          </span>
          <span className="block truncate pl-6 text-xs text-soft" title={when}>
            {when}
          </span>
        </span>
        <span className="min-w-0 max-lg:pl-6 lg:self-center">
          <span className="block truncate max-lg:text-xs" title={first}>
            <span aria-hidden className="text-muted">→ </span>
            {first}
          </span>
          {then.length > 0 && (
            <span className="flex min-w-0 items-center gap-1 text-xs text-muted">
              <CornerDownRight aria-hidden className="size-3 shrink-0" />
              <span className="truncate">{then.join(t("say.then"))}</span>
            </span>
          )}
        </span>
      </button>
      <Switch
        label={t("use_name", { name: rule.name })}
        checked={on}
        onCheckedChange={(next) => void actions.setEnabled(rule, next)}
      />
      <Menu
        trigger={<IconButton size="sm" icon={Ellipsis} label={t("more_name", { name: rule.name })} />}
      >
        <MenuItem icon={Pencil} onSelect={onOpen}>
          {t("common:edit")}
        </MenuItem>
        <MenuItem icon={Copy} onSelect={() => void actions.duplicate(rule, rules)}>
          {t("duplicate")}
        </MenuItem>
        <MenuItem icon={FlaskConical} onSelect={() => void navigate({ search: { tab: "test" } })}>
          {t("tabs.test")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger icon={Trash2} onSelect={() => void actions.remove(rule)}>
          {t("common:delete")}
        </MenuItem>
      </Menu>
    </div>
  );
}

/** What happens when no rule decides. */
function Otherwise({ bare }: { bare?: boolean }) {
  const { t } = useTranslation("routing");
  const settings = useQuery(settingsQuery);
  const { setStrategy } = useRoutingActions();
  const strategy = settings.data?.strategy ?? "priority";
  return (
    <div
      className={cn(
        "flex flex-wrap items-center gap-x-6 gap-y-3 bg-sunken px-4 py-3.5",
        !bare && "border-t border-line",
      )}
    >
      <div className="min-w-0 flex-1 basis-72">
        <p className="font-medium">{t("otherwise")}</p>
        <p className="text-xs text-muted">{t(`strategy_help.${strategy}`)}</p>
      </div>
      <label className="flex items-center gap-2.5 text-soft">
        {t("strategy")}
        <Select
          className="w-auto"
          value={strategy}
          disabled={!settings.data}
          onChange={(event) => void setStrategy(event.target.value as Strategy, strategy)}
        >
          {strategies.map((one) => (
            <option key={one} value={one}>
              {t(`strategies.${one}`)}
            </option>
          ))}
        </Select>
      </label>
    </div>
  );
}

export default function Rules({
  open,
  onOpen,
}: {
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
}) {
  const { t } = useTranslation(["routing", "common"]);
  const rules = useQuery(rulesQuery);
  const { reorder } = useRoutingActions();
  const [adding, setAdding] = useState(false);
  const [start, setStart] = useState<RuleInput>({ name: "" });
  const list = rules.data && ordered(rules.data);
  const shown = list?.find((one) => one.id === open || one.name === open);
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => setAdding(true)}>
      {t("add")}
    </Button>
  );
  return (
    <>
      {rules.error && (
        <Failure className="mb-4" error={rules.error} onRetry={() => void rules.refetch()} />
      )}
      {list && list.length > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-3">
          <p className="flex-1 basis-60 text-muted">{t("rules_hint")}</p>
          {add}
        </div>
      )}
      <Card className="overflow-hidden">
        {!list ? (
          <SkeletonRows />
        ) : list.length === 0 ? (
          <Empty icon={Route} title={t("none")} action={add}>
            {t("none_text")}
          </Empty>
        ) : (
          <Sortable
            items={list}
            idOf={(one) => one.id}
            nameOf={(one) => one.name}
            onMove={reorder}
            disabled={list.length < 2}
          >
            {(one, handle) => (
              <Line
                rule={one}
                rules={list}
                handle={handle}
                position={list.indexOf(one) + 1}
                onOpen={() => onOpen(one.id)}
              />
            )}
          </Sortable>
        )}
        {list && <Otherwise />}
      </Card>
      <Suspense>
        {adding && list && (
          <Presets
            rules={list}
            onClose={() => setAdding(false)}
            onChoose={(input) => {
              setAdding(false);
              setStart(input);
              onOpen("new");
            }}
          />
        )}
        {(shown || (open === "new" && list)) && (
          <RuleSheet
            key={open}
            rule={shown ?? null}
            start={start}
            onClose={() => onOpen(undefined)}
          />
        )}
      </Suspense>
    </>
  );
}
