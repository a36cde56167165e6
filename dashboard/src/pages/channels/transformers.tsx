/** What a channel changes about requests and answers: named steps, in order. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import { api, unwrap } from "@/api/client";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Field, Input, Select, TextArea } from "@/ui/field";
import { Failure } from "@/ui/states";
import { patchChannel, useChannelActions } from "./actions";
import {
  missing,
  textOf,
  valueOf,
  withOption,
  type Option,
  type Options,
  type Transformer,
} from "./options";

const transformersQuery = queryOptions({
  queryKey: ["transformers"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/transformers", { signal }))).data,
  staleTime: Infinity,
});

interface Step {
  name: string;
  options: Options;
}

type Use = Channel["effective_transformers"]["use"];

const stepsOf = (use: Use): Step[] =>
  (use ?? []).map((one) => {
    if (typeof one === "string") return { name: one, options: {} };
    const [name, options] = one as [string, Options?];
    return { name, options: options ?? {} };
  });

const useOf = (steps: Step[]): Use =>
  steps.map(({ name, options }) =>
    Object.keys(options).length === 0 ? name : [name, options],
  );

/** One option, with the control that fits its type. */
function OptionField({
  option,
  value,
  onChange,
}: {
  option: Option;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const { t } = useTranslation("channels");
  const [text, setText] = useState(textOf(option, value));
  const read = valueOf(option, text);
  const wrong = "wrong" in read;
  const change = (next: string) => {
    setText(next);
    const now = valueOf(option, next);
    if ("value" in now) onChange(now.value);
  };
  const blank =
    option.default === null || option.default === undefined
      ? t("option_unset")
      : t("option_default", { value: textOf(option, option.default) });
  const words =
    option.type === "boolean" ? ["true", "false"] : option.type === "word" ? option.words : null;
  return (
    <Field
      label={<span className="font-mono text-xs">{option.name}</span>}
      optional={!option.required}
      hint={option.help}
      error={
        wrong
          ? option.type === "object"
            ? t("option_object")
            : t("option_range", {
                from: option.minimum ?? "−∞",
                to: option.maximum ?? "∞",
              })
          : undefined
      }
    >
      {(control) =>
        words ? (
          <Select
            {...control}
            value={text}
            onChange={(event) => change(event.target.value)}
          >
            <option value="">{blank}</option>
            {words.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        ) : option.type === "object" ? (
          <TextArea
            {...control}
            rows={3}
            spellCheck={false}
            placeholder="{…}"
            className="font-mono text-xs"
            value={text}
            onChange={(event) => change(event.target.value)}
          />
        ) : (
          <Input
            {...control}
            inputMode={
              option.type === "integer"
                ? "numeric"
                : option.type === "number"
                  ? "decimal"
                  : undefined
            }
            spellCheck={false}
            placeholder={option.type === "strings" ? "a, b" : blank}
            value={text}
            onChange={(event) => change(event.target.value)}
          />
        )
      }
    </Field>
  );
}

/** Options that no form knows: an open transformer takes any. */
function Rest({
  about,
  options,
  onChange,
}: {
  about: Transformer | undefined;
  options: Options;
  onChange: (options: Options) => void;
}) {
  const { t } = useTranslation("channels");
  const known = (about?.options ?? []).map((one) => one.name);
  const own = Object.fromEntries(
    Object.entries(options).filter(([name]) => known.includes(name)),
  );
  const rest = Object.fromEntries(
    Object.entries(options).filter(([name]) => !known.includes(name)),
  );
  const option: Option = {
    name: t("option_more"),
    type: "object",
    required: false,
    default: null,
    help: t("option_more_hint"),
  };
  return (
    <OptionField
      option={option}
      value={Object.keys(rest).length > 0 ? rest : undefined}
      onChange={(value) => onChange({ ...own, ...(value as Options | undefined) })}
    />
  );
}

function StepCard({
  step,
  about,
  first,
  last,
  open,
  onChange,
  onMove,
  onDrop,
}: {
  step: Step;
  about: Transformer | undefined;
  first: boolean;
  last: boolean;
  open: boolean;
  onChange: (options: Options) => void;
  onMove: (by: -1 | 1) => void;
  onDrop: () => void;
}) {
  const { t } = useTranslation("channels");
  const { name, options } = step;
  const set = Object.entries(options);
  const hasForm = !about || about.open || about.options.length > 0;
  return (
    <li className="rounded-lg border border-line py-1.5 pr-2 pl-3.5">
      <div className="flex items-center gap-1">
        <div className="min-w-0 flex-1">
          <p className="truncate font-mono text-xs font-medium">{name}</p>
          {about && <p className="text-xs text-muted">{about.help}</p>}
        </div>
        <IconButton
          size="sm"
          icon={ArrowUp}
          label={t("step_up", { name })}
          disabled={first}
          onClick={() => onMove(-1)}
        />
        <IconButton
          size="sm"
          icon={ArrowDown}
          label={t("step_down", { name })}
          disabled={last}
          onClick={() => onMove(1)}
        />
        <IconButton size="sm" icon={X} label={t("step_drop", { name })} onClick={onDrop} />
      </div>
      {hasForm && (
        <details className="mt-1 pb-1" open={open}>
          <summary className="w-fit rounded text-xs text-accent-text">
            {set.length > 0
              ? set.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")
              : t("options_of", { name })}
          </summary>
          <div className="grid gap-3 py-2 pr-1 sm:grid-cols-2">
            {about?.options.map((one) => (
              <OptionField
                key={one.name}
                option={one}
                value={options[one.name]}
                onChange={(value) => onChange(withOption(options, one.name, value))}
              />
            ))}
            {(!about || about.open) && (
              <Rest about={about} options={options} onChange={onChange} />
            )}
          </div>
        </details>
      )}
    </li>
  );
}

/* What a new step needs a key for: its place is not one. */
interface Draft extends Step {
  key: number;
}
let nextKey = 1;
const keyed = (steps: Step[]): Draft[] =>
  steps.map((one) => ({ ...one, key: nextKey++ }));

export function TransformerEditor({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const { data: known = [] } = useQuery(transformersQuery);
  const { changed } = useChannelActions();
  const [saved, setSaved] = useState(() =>
    keyed(stepsOf(channel.effective_transformers.use)),
  );
  const [draft, setDraft] = useState<Draft[] | null>(null);
  const [added, setAdded] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const own = channel.transformers !== null;
  const steps = draft ?? saved;
  const aboutOf = (name: string) => known.find((one) => one.name === name);
  const lacking = steps.flatMap(({ name, options }) =>
    missing(aboutOf(name), options).map((option) => `${name}.${option}`),
  );

  const save = async (transformers: { use: Use } | null) => {
    setError(null);
    try {
      // Steps of single models stay as they are.
      const { data } = await patchChannel(channel.id, {
        transformers: transformers && { ...channel.transformers, ...transformers },
      });
      setSaved(keyed(stepsOf(data.effective_transformers.use)));
      setDraft(null);
      await changed(channel);
    } catch (failure) {
      setError(failure);
    }
  };
  const move = (i: number, by: -1 | 1) => {
    const next = [...steps];
    [next[i], next[i + by]] = [next[i + by]!, next[i]!];
    setDraft(next);
  };

  return (
    <section className="space-y-2">
      <h3 className="flex items-center gap-2 font-semibold">
        {t("transformers")}
        {!own && !draft && <Badge>{t("transformers_of_type")}</Badge>}
      </h3>
      <ol className="space-y-1.5">
        {steps.map((step, i) => (
          <StepCard
            key={step.key}
            step={step}
            about={aboutOf(step.name)}
            first={i === 0}
            last={i === steps.length - 1}
            open={step.key === added}
            onChange={(options) =>
              setDraft(steps.map((one, at) => (at === i ? { ...one, options } : one)))
            }
            onMove={(by) => move(i, by)}
            onDrop={() => setDraft(steps.filter((_, at) => at !== i))}
          />
        ))}
      </ol>
      {steps.length === 0 && <p className="text-xs text-muted">{t("no_steps")}</p>}
      <div className="flex flex-wrap items-center gap-2">
        <Select
          aria-label={t("add_step")}
          className="w-52"
          value=""
          onChange={(event) => {
            const [made] = keyed([{ name: event.target.value, options: {} }]);
            setAdded(made!.key);
            setDraft([...steps, made!]);
          }}
        >
          <option value="" disabled>
            {t("add_step")}
          </option>
          {known.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
        {draft && (
          <>
            <Button onClick={() => setDraft(null)}>{t("common:cancel")}</Button>
            <Button
              kind="primary"
              disabled={lacking.length > 0}
              onClick={() => void save({ use: useOf(draft) })}
            >
              {t("steps_save")}
            </Button>
          </>
        )}
        {own && !draft && (
          <Button kind="ghost" onClick={() => void save(null)}>
            {t("steps_default")}
          </Button>
        )}
      </div>
      {lacking.length > 0 && (
        <p className="text-xs text-warn-text">
          {t("options_missing", { names: lacking.join(", ") })}
        </p>
      )}
      {error !== null && <Failure error={error} />}
    </section>
  );
}
