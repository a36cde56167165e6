/** Rules out of the library: one to be filled in, or a whole set at once. */
import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, ChevronRight, Layers } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import { isApiError } from "@/api/errors";
import { modelText } from "@/pages/channels/form";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Input, Select } from "@/ui/field";
import { Failure, SkeletonRows } from "@/ui/states";
import { createRule, freeName, useRoutingActions } from "./actions";
import { iconOf } from "./icons";
import { presetsQuery, type Rule, type RuleInput } from "./queries";

type Type = NonNullable<RuleInput["type"]>;
/* As claude-code-router has them. */
const set: Type[] = ["default", "background", "think", "longContext", "webSearch", "image"];

interface Way {
  channel: string;
  model: string;
}

function RouterSet({
  taken,
  onBack,
  onDone,
}: {
  taken: Rule[];
  onBack: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation(["routing", "common"]);
  const { data: channels = [] } = useQuery(channelsQuery);
  const { added, refresh } = useRoutingActions();
  const [ways, setWays] = useState<Partial<Record<Type, Way>>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ type: Type; failure: unknown } | null>(null);
  const chosen = set.filter((type) => ways[type]?.channel || ways[type]?.model.trim());

  const save = async () => {
    setBusy(true);
    setError(null);
    const made: Rule[] = [];
    for (const type of chosen) {
      const { channel, model } = ways[type]!;
      try {
        const { data } = await createRule({
          name: freeName(type, [...taken, ...made]),
          type,
          target: {
            ...(channel && { channel }),
            ...(model.trim() && { model: model.trim() }),
          },
        });
        made.push(data);
        setWays((old) => ({ ...old, [type]: undefined }));
      } catch (failure) {
        setError({ type, failure });
        break;
      }
    }
    setBusy(false);
    if (made.length > 0) await added(made);
    else await refresh();
    if (made.length === chosen.length) onDone();
  };

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onDone()}
      title={t("set_title")}
      description={t("set_hint")}
      className="max-w-2xl"
      footer={
        <>
          <Button kind="ghost" icon={ArrowLeft} className="mr-auto" onClick={onBack}>
            {t("library")}
          </Button>
          <Button
            kind="primary"
            busy={busy}
            disabled={chosen.length === 0}
            onClick={() => void save()}
          >
            {t("make_rules", { count: chosen.length })}
          </Button>
        </>
      }
    >
      <ul className="space-y-4">
        {set.map((type) => {
          const Icon = iconOf(type);
          const way = ways[type] ?? { channel: "", model: "" };
          const change = (next: Partial<Way>) => {
            setError(null);
            setWays({ ...ways, [type]: { ...way, ...next } });
          };
          const models = (channels.find((one) => one.name === way.channel)?.models ?? [])
            .map((model) => modelText(model).split(" -> ")[0]!)
            .filter((name) => !name.includes("*"));
          const title = t(`types.${type}.title`);
          const wrong = error?.type === type ? error.failure : null;
          return (
            <li key={type} className="grid gap-x-3 gap-y-1.5 sm:grid-cols-[minmax(0,1fr)_10rem_12rem] sm:items-center">
              <div className="flex min-w-0 items-start gap-2.5">
                <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
                <span className="min-w-0">
                  <span className="block font-medium">{title}</span>
                  <span className="block text-xs text-muted">{t(`types.${type}.help`)}</span>
                </span>
              </div>
              <Select
                aria-label={t("channel_for", { name: title })}
                value={way.channel}
                onChange={(event) => change({ channel: event.target.value })}
              >
                <option value="">{t("no_channel")}</option>
                {channels.map((one) => (
                  <option key={one.id}>{one.name}</option>
                ))}
              </Select>
              <Input
                aria-label={t("model_for", { name: title })}
                aria-invalid={wrong ? true : undefined}
                placeholder={t("same_model")}
                spellCheck={false}
                list={`set-${type}`}
                className="font-mono text-xs"
                value={way.model}
                onChange={(event) => change({ model: event.target.value })}
              />
              <datalist id={`set-${type}`}>
                {models.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
              {wrong !== null && isApiError(wrong) && (
                <p role="alert" className="text-xs text-bad-text sm:col-span-3">
                  {wrong.message}
                </p>
              )}
            </li>
          );
        })}
      </ul>
      {error && !isApiError(error.failure) && <Failure className="mt-4" error={error.failure} />}
    </Dialog>
  );
}

interface Props {
  rules: Rule[];
  onChoose: (start: RuleInput) => void;
  onClose: () => void;
}

export default function Presets({ rules, onChoose, onClose }: Props) {
  const { t } = useTranslation(["routing", "common"]);
  const presets = useQuery(presetsQuery);
  const [whole, setWhole] = useState(false);

  if (whole)
    return <RouterSet taken={rules} onBack={() => setWhole(false)} onDone={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("add")}
      description={t("add_hint")}
      className="max-w-2xl"
    >
      <button
        onClick={() => setWhole(true)}
        className="mb-3 flex w-full items-center gap-3 rounded-lg border border-accent/40 bg-accent-soft/50 px-3.5 py-3 text-left transition-colors hover:border-accent hover:bg-accent-soft"
      >
        <Layers aria-hidden className="size-5 shrink-0 text-accent-text" />
        <span className="min-w-0 flex-1">
          <span className="block font-medium">{t("set_title")}</span>
          <span className="block text-xs text-soft">{t("set_about")}</span>
        </span>
        <ChevronRight aria-hidden className="size-4 text-muted" />
      </button>
      {presets.error ? (
        <Failure error={presets.error} onRetry={() => void presets.refetch()} />
      ) : !presets.data ? (
        <SkeletonRows rows={4} />
      ) : (
        <ul className="grid gap-2 sm:grid-cols-2">
          {presets.data.map((one) => {
            const Icon = iconOf(one.type);
            return (
              <li key={one.type}>
                <button
                  onClick={() =>
                    onChoose({
                      name: freeName(one.type === "custom" ? t("new_name") : one.type, rules),
                      type: one.type as Type,
                    })
                  }
                  className="flex h-full w-full items-start gap-3 rounded-lg border border-line px-3.5 py-2.5 text-left transition-colors hover:border-accent hover:bg-accent-soft/40"
                >
                  <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
                  <span className="min-w-0 flex-1">
                    <span className="block font-medium">
                      {t(`types.${one.type as Type}.title`, { defaultValue: one.type })}
                    </span>
                    <span className="block text-xs text-muted">
                      {t(`types.${one.type as Type}.help`, { defaultValue: one.help })}
                    </span>
                  </span>
                  <span className="text-2xs text-muted tabular" title={t("priority")}>
                    {one.priority}
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </Dialog>
  );
}
