import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery, type Channel } from "@/api/channels";
import { cn } from "@/lib/cn";
import { formatPercent } from "@/lib/format";
import { Button, IconButton } from "@/ui/button";
import { Field, Input, Select } from "@/ui/field";
import { modelText } from "@/pages/channels/form";
import { strategies } from "./queries";
import { blankHop, sharesOf, type Hop, type Target } from "./target";

type WrongAt = (path: string) => string | undefined;

const swap = <T,>(list: T[], i: number, j: number) => {
  const next = [...list];
  [next[i], next[j]] = [next[j]!, next[i]!];
  return next;
};

function ChannelList({
  hop,
  channels,
  onChange,
  wrongAt,
  path,
}: {
  hop: Hop;
  channels: Channel[];
  onChange: (hop: Hop) => void;
  wrongAt: WrongAt;
  path: string;
}) {
  const { t } = useTranslation("routing");
  const shares = sharesOf(hop);
  const set = (list: Hop["channels"]) => onChange({ ...hop, channels: list });
  const free = channels.filter((one) => !hop.channels.some((c) => c.name === one.name));
  const wrong = wrongAt(`${path}.channels`) ?? wrongAt(`${path}.channel`);
  return (
    <div className="space-y-2">
      {hop.channels.length > 0 && (
        <ol className="divide-y divide-line rounded-lg border border-line">
          {hop.channels.map((one, i) => (
            <li key={one.name} className="flex items-center gap-2 py-1 pr-1 pl-3">
              {!hop.shared && (
                <span className="w-4 text-xs text-muted tabular">{i + 1}.</span>
              )}
              <span className="min-w-0 flex-1 truncate font-medium">{one.name}</span>
              {hop.shared ? (
                <>
                  <Input
                    aria-label={t("weight_of", { name: one.name })}
                    inputMode="numeric"
                    className="h-7 w-16 text-right"
                    placeholder="1"
                    value={one.weight}
                    onChange={(event) =>
                      set(hop.channels.map((c, at) => (at === i ? { ...c, weight: event.target.value } : c)))
                    }
                  />
                  <span className="w-10 text-right text-xs text-muted tabular">
                    {formatPercent(shares[i]! / 100, 0)}
                  </span>
                </>
              ) : (
                hop.channels.length > 1 && (
                  <>
                    <IconButton
                      size="sm"
                      icon={ArrowUp}
                      label={t("up", { name: one.name })}
                      disabled={i === 0}
                      onClick={() => set(swap(hop.channels, i, i - 1))}
                    />
                    <IconButton
                      size="sm"
                      icon={ArrowDown}
                      label={t("down", { name: one.name })}
                      disabled={i === hop.channels.length - 1}
                      onClick={() => set(swap(hop.channels, i, i + 1))}
                    />
                  </>
                )
              )}
              <IconButton
                size="sm"
                icon={X}
                label={t("take_out", { name: one.name })}
                onClick={() => set(hop.channels.filter((_, at) => at !== i))}
              />
            </li>
          ))}
        </ol>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {free.length > 0 && (
          <Select
            aria-label={t("add_channel")}
            aria-invalid={wrong ? true : undefined}
            className="w-auto min-w-44 flex-1"
            value=""
            onChange={(event) => set([...hop.channels, { name: event.target.value, weight: "" }])}
          >
            <option value="" disabled>
              {t(hop.channels.length === 0 ? "choose_channel" : "add_channel")}
            </option>
            {free.map((one) => (
              <option key={one.id}>{one.name}</option>
            ))}
          </Select>
        )}
        {hop.channels.length > 1 && (
          <Select
            aria-label={t("spread")}
            className="w-auto flex-1"
            value={hop.shared ? "shared" : "order"}
            onChange={(event) => onChange({ ...hop, shared: event.target.value === "shared" })}
          >
            <option value="order">{t("in_order")}</option>
            <option value="shared">{t("by_weight")}</option>
          </Select>
        )}
      </div>
      {wrong && (
        <p role="alert" className="text-xs text-bad-text">
          {wrong}
        </p>
      )}
    </div>
  );
}

function HopEditor({
  hop,
  onChange,
  wrongAt,
  path,
  first,
}: {
  hop: Hop;
  onChange: (hop: Hop) => void;
  wrongAt: WrongAt;
  path: string;
  first?: boolean;
}) {
  const { t } = useTranslation("routing");
  const { data: channels = [] } = useQuery(channelsQuery);
  const list = useId();
  const tags = [...new Set(channels.flatMap((one) => one.tags))].sort();
  const mine = hop.to === "channels" ? hop.channels.map((one) => one.name) : null;
  const models = [
    ...new Set(
      channels
        .filter((one) => !mine || mine.length === 0 || mine.includes(one.name))
        .flatMap((one) => one.models.map((model) => modelText(model).split(" -> ")[0]!)),
    ),
  ].filter((name) => !name.includes("*"));
  const choices: Hop["to"][] = first ? ["channels", "tag", "same"] : ["channels", "tag"];
  return (
    <div className="space-y-3">
      <div role="group" aria-label={t("where")} className="flex flex-wrap gap-1">
        {choices.map((to) => (
          <button
            key={to}
            type="button"
            aria-pressed={hop.to === to}
            onClick={() => onChange({ ...hop, to })}
            className={cn(
              "h-7 rounded-md border px-2.5 text-xs transition-colors",
              hop.to === to
                ? "border-accent bg-accent-soft font-medium text-accent-text"
                : "border-line-strong bg-surface text-soft hover:bg-hover dark:bg-sunken",
            )}
          >
            {t(`to.${to}`)}
          </button>
        ))}
      </div>
      {hop.to === "channels" && (
        <ChannelList hop={hop} channels={channels} onChange={onChange} wrongAt={wrongAt} path={path} />
      )}
      {hop.to === "tag" && (
        <Field label={t("tag")} error={wrongAt(`${path}.tag`)}>
          {(control) => (
            <>
              <Input
                {...control}
                list={`${list}-tags`}
                spellCheck={false}
                value={hop.tag}
                onChange={(event) => onChange({ ...hop, tag: event.target.value })}
              />
              <datalist id={`${list}-tags`}>
                {tags.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      )}
      <Field
        label={t("model")}
        optional={hop.to !== "same"}
        hint={first ? t("model_hint") : undefined}
        error={wrongAt(`${path}.model`)}
      >
        {(control) => (
          <>
            <Input
              {...control}
              list={`${list}-models`}
              spellCheck={false}
              className="font-mono text-xs"
              value={hop.model}
              onChange={(event) => onChange({ ...hop, model: event.target.value })}
            />
            <datalist id={`${list}-models`}>
              {models.slice(0, 200).map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </div>
  );
}

export function TargetEditor({
  target,
  onChange,
  wrongAt,
}: {
  target: Target;
  onChange: (target: Target) => void;
  wrongAt: WrongAt;
}) {
  const { t } = useTranslation("routing");
  const { fallbacks } = target;
  const setFallbacks = (list: Hop[]) => onChange({ ...target, fallbacks: list });
  return (
    <div className="space-y-4">
      <HopEditor
        first
        hop={target.hop}
        onChange={(hop) => onChange({ ...target, hop })}
        wrongAt={wrongAt}
        path="target"
      />
      {fallbacks.map((hop, i) => (
        <div key={i} className="rounded-lg border border-line bg-sunken/60 p-3">
          <div className="mb-2.5 flex items-center gap-1">
            <span className="flex-1 text-xs font-medium text-soft">{t("fallback", { at: i + 1 })}</span>
            <IconButton
              size="sm"
              icon={ArrowUp}
              label={t("up", { name: t("fallback", { at: i + 1 }) })}
              disabled={i === 0}
              onClick={() => setFallbacks(swap(fallbacks, i, i - 1))}
            />
            <IconButton
              size="sm"
              icon={ArrowDown}
              label={t("down", { name: t("fallback", { at: i + 1 }) })}
              disabled={i === fallbacks.length - 1}
              onClick={() => setFallbacks(swap(fallbacks, i, i + 1))}
            />
            <IconButton
              size="sm"
              icon={X}
              label={t("take_out", { name: t("fallback", { at: i + 1 }) })}
              onClick={() => setFallbacks(fallbacks.filter((_, at) => at !== i))}
            />
          </div>
          <HopEditor
            hop={hop}
            onChange={(next) => setFallbacks(fallbacks.map((one, at) => (at === i ? next : one)))}
            wrongAt={wrongAt}
            path={`target.fallbacks[${i}]`}
          />
        </div>
      ))}
      <Button size="sm" icon={Plus} onClick={() => setFallbacks([...fallbacks, blankHop()])}>
        {t("add_fallback")}
      </Button>
      <Field
        label={t("strategy")}
        hint={target.strategy ? t(`strategy_help.${target.strategy as "priority"}`) : t("strategy_settings")}
        error={wrongAt("target.strategy")}
      >
        {(control) => (
          <Select
            {...control}
            value={target.strategy}
            onChange={(event) => onChange({ ...target, strategy: event.target.value })}
          >
            <option value="">{t("as_settings")}</option>
            {strategies.map((one) => (
              <option key={one} value={one}>
                {t(`strategies.${one}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {target.transformers !== undefined && (
        <p className="text-xs text-muted">{t("has_transformers")}</p>
      )}
    </div>
  );
}
