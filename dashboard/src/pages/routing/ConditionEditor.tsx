import { useQuery } from "@tanstack/react-query";
import { FolderPlus, Plus, X } from "lucide-react";
import { createContext, use, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { keyNamesQuery, tenantNamesQuery } from "@/api/names";
import { cn } from "@/lib/cn";
import { Button, IconButton } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { Chips } from "./Chips";
import {
  days,
  groups,
  isGroup,
  kindOf,
  kinds,
  leafNames,
  newGroup,
  newLeaf,
  replace,
  type Group,
  type Header,
  type Leaf,
  type LeafName,
  type Node,
  type Op,
  type Time,
  type Value,
} from "./condition";
import { functionsQuery } from "./queries";

/** What is wrong with one of them. */
export interface Wrong {
  id: string;
  message: string;
}

interface Editing {
  change: (id: string, by: Node | null) => void;
  wrong: Wrong | null;
}
const Context = createContext<Editing | null>(null);
const useEditing = () => use(Context)!;

function Toggles({
  label,
  options,
  values,
  onChange,
}: {
  label: string;
  options: { value: string; label: string }[];
  values: string[];
  onChange: (values: string[]) => void;
}) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap gap-1">
      {options.map(({ value, label: text }) => {
        const on = values.includes(value);
        return (
          <button
            key={value}
            type="button"
            aria-pressed={on}
            onClick={() =>
              onChange(on ? values.filter((one) => one !== value) : [...values, value])
            }
            className={cn(
              "h-7 rounded-md border px-2 text-xs transition-colors",
              on
                ? "border-accent bg-accent-soft font-medium text-accent-text"
                : "border-line-strong bg-surface text-soft hover:bg-hover dark:bg-sunken",
            )}
          >
            {text}
          </button>
        );
      })}
    </div>
  );
}

function useSuggestions(name: LeafName): string[] | undefined {
  const tenants = useQuery({ ...tenantNamesQuery, enabled: name === "tenant" });
  const keys = useQuery({ ...keyNamesQuery, enabled: name === "key" });
  return name === "tenant" ? tenants.data : name === "key" ? keys.data : undefined;
}

function ValueEditor({ leaf, onChange }: { leaf: Leaf; onChange: (value: Value) => void }) {
  const { t } = useTranslation("routing");
  const { name, value } = leaf;
  const label = t("value_of", { name: t(`cond.${name}`) });
  const suggestions = useSuggestions(name);
  const functions = useQuery({ ...functionsQuery, enabled: name === "custom_function" });
  const kind = kindOf(name);
  switch (kind.shape) {
    case "number":
      return (
        <Input
          aria-label={label}
          inputMode="numeric"
          placeholder={name.startsWith("token") ? "60000" : "100"}
          value={value as string}
          onChange={(event) => onChange(event.target.value.replace(/[\s,_]/g, ""))}
        />
      );
    case "flag":
      return (
        <Select
          aria-label={label}
          value={String(value)}
          onChange={(event) => onChange(event.target.value === "true")}
        >
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </Select>
      );
    case "texts":
      return (
        <Chips
          label={label}
          values={value as string[]}
          onChange={onChange}
          placeholder={t(name === "keywords" ? "chips_words" : "chips_names")}
          suggestions={suggestions}
        />
      );
    case "words":
      return (
        <Toggles
          label={label}
          values={value as string[]}
          onChange={onChange}
          options={kind.words!.map((word) => ({
            value: word,
            label: t(`word.${word as "coding"}`, { defaultValue: word }),
          }))}
        />
      );
    case "pattern":
      return (
        <Input
          aria-label={label}
          spellCheck={false}
          placeholder="refactor|rewrite"
          className="font-mono text-xs"
          value={value as string}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case "function":
      return (
        <Select
          aria-label={label}
          value={value as string}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="" disabled>
            {t("choose_function")}
          </option>
          {functions.data?.map((one) => <option key={one.id}>{one.name}</option>)}
        </Select>
      );
    case "header": {
      const { name: header, value: wanted } = value as Header;
      return (
        <div className="flex gap-2">
          <Input
            aria-label={t("header_name")}
            placeholder="x-team"
            spellCheck={false}
            className="font-mono text-xs"
            value={header}
            onChange={(event) => onChange({ name: event.target.value.trim(), value: wanted })}
          />
          <Input
            aria-label={t("header_value")}
            placeholder="blue*"
            spellCheck={false}
            className="font-mono text-xs"
            value={wanted}
            onChange={(event) => onChange({ name: header, value: event.target.value })}
          />
        </div>
      );
    }
    case "time": {
      const time = value as Time;
      const set = (change: Partial<Time>) => onChange({ ...time, ...change });
      return (
        <div className="space-y-2">
          <div className="flex flex-wrap items-center gap-2">
            <Input
              type="time"
              aria-label={t("from")}
              className="w-28"
              value={time.from}
              onChange={(event) => set({ from: event.target.value })}
            />
            <span aria-hidden className="text-muted">–</span>
            <Input
              type="time"
              aria-label={t("to_time")}
              className="w-28"
              value={time.to === "24:00" ? "00:00" : time.to}
              onChange={(event) =>
                set({ to: event.target.value === "00:00" ? "24:00" : event.target.value })
              }
            />
            <Input
              aria-label={t("utc_offset")}
              title={t("utc_offset")}
              className="w-24 font-mono text-xs"
              value={time.utc_offset}
              onChange={(event) => set({ utc_offset: event.target.value })}
            />
          </div>
          <Toggles
            label={t("on_days")}
            values={time.days}
            onChange={(on) => set({ days: days.filter((one) => on.includes(one)) })}
            options={days.map((day) => ({ value: day, label: t(`days.${day as "mon"}`) }))}
          />
        </div>
      );
    }
  }
}

function Note({ id }: { id: string }) {
  const { wrong } = useEditing();
  if (wrong?.id !== id) return null;
  return (
    <p role="alert" className="text-xs text-bad-text">
      {wrong.message}
    </p>
  );
}

function LeafEditor({ leaf }: { leaf: Leaf }) {
  const { t } = useTranslation("routing");
  const { change, wrong } = useEditing();
  return (
    <li
      className={cn(
        "space-y-1 rounded-md",
        wrong?.id === leaf.id && "outline-2 outline-offset-4 outline-bad/60",
      )}
    >
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[13rem_minmax(0,1fr)_auto]">
        <Select
          aria-label={t("what")}
          value={leaf.name}
          onChange={(event) => {
            const made = newLeaf(event.target.value as LeafName);
            const same = kindOf(made.name).shape === kindOf(leaf.name).shape && kindOf(made.name).shape !== "words";
            change(leaf.id, { ...made, id: leaf.id, ...(same && { value: leaf.value }) });
          }}
        >
          {groups.map((group) => (
            <optgroup key={group} label={t(`groups.${group}`)}>
              {leafNames
                .filter((name) => kinds[name].group === group)
                .map((name) => (
                  <option key={name} value={name}>
                    {t(`cond.${name}`)}
                  </option>
                ))}
            </optgroup>
          ))}
        </Select>
        <div className="max-sm:order-last max-sm:col-span-2">
          <ValueEditor
            leaf={leaf}
            onChange={(value) => change(leaf.id, { ...leaf, value })}
          />
        </div>
        <IconButton
          icon={X}
          label={t("take_out", { name: t(`cond.${leaf.name}`) })}
          onClick={() => change(leaf.id, null)}
        />
      </div>
      <Note id={leaf.id} />
    </li>
  );
}

const ops: Op[] = ["all", "any", "not"];

function GroupEditor({ group, root, empty }: { group: Group; root?: boolean; empty?: ReactNode }) {
  const { t } = useTranslation("routing");
  const { change, wrong } = useEditing();
  const add = (node: Node) => change(group.id, { ...group, items: [...group.items, node] });
  const content = (
    <div
      className={cn(
        "space-y-3",
        !root && "rounded-lg border border-line bg-sunken/60 p-3",
        wrong?.id === group.id && "outline-2 outline-offset-4 outline-bad/60",
      )}
    >
      {(group.items.length > 0 || !root) && (
        <div className="flex items-center gap-2">
          <Select
            aria-label={t("how")}
            className="w-auto"
            value={group.op}
            onChange={(event) => change(group.id, { ...group, op: event.target.value as Op })}
          >
            {ops.map((op) => (
              <option key={op} value={op}>
                {t(`ops.${op}`)}
              </option>
            ))}
          </Select>
          <span className="flex-1" />
          {!root && (
            <IconButton
              icon={X}
              label={t("take_out", { name: t("group") })}
              onClick={() => change(group.id, null)}
            />
          )}
        </div>
      )}
      {group.items.length > 0 ? (
        <ul className="space-y-3">
          {group.items.map((one) =>
            isGroup(one) ? (
              <li key={one.id}>
                <GroupEditor group={one} />
              </li>
            ) : (
              <LeafEditor key={one.id} leaf={one} />
            ),
          )}
        </ul>
      ) : (
        root && empty
      )}
      <Note id={group.id} />
      <div className="flex flex-wrap gap-2">
        <Button size="sm" icon={Plus} onClick={() => add(newLeaf(group.items.length ? "keywords" : "token_threshold"))}>
          {t("add_condition")}
        </Button>
        <Button size="sm" kind="ghost" icon={FolderPlus} onClick={() => add(newGroup("any", [newLeaf("keywords")]))}>
          {t("add_group")}
        </Button>
      </div>
    </div>
  );
  return content;
}

export function ConditionEditor({
  tree,
  onChange,
  wrong,
  empty,
}: {
  tree: Group;
  onChange: (tree: Group) => void;
  wrong: Wrong | null;
  /** Shown while there is none. */
  empty?: ReactNode;
}) {
  const change = (id: string, by: Node | null) =>
    onChange(id === tree.id ? ((by as Group | null) ?? tree) : replace(tree, id, by));
  return (
    <Context value={{ change, wrong }}>
      <GroupEditor group={tree} root empty={empty} />
    </Context>
  );
}
