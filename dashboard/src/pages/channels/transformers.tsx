/** What a channel changes about requests and answers: named steps, in order. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import { api, unwrap } from "@/api/client";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { Failure } from "@/ui/states";
import { patchChannel, useChannelActions } from "./actions";

const transformersQuery = queryOptions({
  queryKey: ["transformers"],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET("/api/transformers", { signal }))).data,
  staleTime: Infinity,
});

interface Step {
  name: string;
  options: string; // JSON, or nothing
}

type Use = Channel["effective_transformers"]["use"];

const stepsOf = (use: Use): Step[] =>
  (use ?? []).map((one) => {
    if (typeof one === "string") return { name: one, options: "" };
    const [name, options] = one as [string, unknown?];
    return { name, options: options === undefined ? "" : JSON.stringify(options) };
  });

function useOf(steps: Step[]): Use {
  return steps.map(({ name, options }) =>
    options.trim() === "" ? name : [name, JSON.parse(options) as unknown],
  );
}

function isJson(text: string) {
  if (text.trim() === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function TransformerEditor({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const { data: known = [] } = useQuery(transformersQuery);
  const { changed } = useChannelActions();
  const [draft, setDraft] = useState<Step[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const own = channel.transformers !== null;
  const steps = draft ?? stepsOf(channel.effective_transformers.use);

  const save = async (transformers: { use: Use } | null) => {
    setError(null);
    try {
      // Steps of single models stay as they are.
      await patchChannel(channel.id, {
        transformers: transformers && { ...channel.transformers, ...transformers },
      });
      setDraft(null);
      await changed(channel);
    } catch (failure) {
      setError(failure);
    }
  };
  const swap = (i: number, j: number) => {
    const next = [...steps];
    [next[i], next[j]] = [next[j]!, next[i]!];
    setDraft(next);
  };

  return (
    <section className="space-y-2">
      <h3 className="flex items-center gap-2 font-semibold">
        {t("transformers")}
        {!own && !draft && <Badge>{t("transformers_of_type")}</Badge>}
      </h3>
      <ol className="space-y-1.5">
        {steps.map((step, i) => {
          const about = known.find((one) => one.name === step.name);
          return (
            <li key={i} className="rounded-lg border border-line py-1.5 pr-2 pl-3.5">
              <div className="flex items-center gap-1">
                <span className="w-36 truncate font-mono text-xs">{step.name}</span>
                <Input
                  aria-label={t("options_of", { name: step.name })}
                  aria-invalid={isJson(step.options) ? undefined : true}
                  placeholder={about?.options.length ? "{…}" : ""}
                  className="h-7 min-w-0 flex-1 font-mono text-xs"
                  value={step.options}
                  onChange={(event) =>
                    setDraft(
                      steps.map((one, at) =>
                        at === i ? { ...one, options: event.target.value } : one,
                      ),
                    )
                  }
                />
                <IconButton
                  size="sm"
                  icon={ArrowUp}
                  label={t("step_up", { name: step.name })}
                  disabled={i === 0}
                  onClick={() => swap(i, i - 1)}
                />
                <IconButton
                  size="sm"
                  icon={ArrowDown}
                  label={t("step_down", { name: step.name })}
                  disabled={i === steps.length - 1}
                  onClick={() => swap(i, i + 1)}
                />
                <IconButton
                  size="sm"
                  icon={X}
                  label={t("step_drop", { name: step.name })}
                  onClick={() => setDraft(steps.filter((_, at) => at !== i))}
                />
              </div>
              {about && <p className="text-xs text-muted">{about.help}</p>}
            </li>
          );
        })}
      </ol>
      {steps.length === 0 && <p className="text-xs text-muted">{t("no_steps")}</p>}
      <div className="flex flex-wrap items-center gap-2">
        <Select
          aria-label={t("add_step")}
          className="w-52"
          value=""
          onChange={(event) =>
            setDraft([...steps, { name: event.target.value, options: "" }])
          }
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
              disabled={!draft.every((one) => isJson(one.options))}
              onClick={() => void save({ use: useOf(draft) })}
            >
              {t("common:save")}
            </Button>
          </>
        )}
        {own && !draft && (
          <Button kind="ghost" onClick={() => void save(null)}>
            {t("steps_default")}
          </Button>
        )}
      </div>
      {error !== null && <Failure error={error} />}
    </section>
  );
}
