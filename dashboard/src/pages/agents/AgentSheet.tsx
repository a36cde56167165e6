import { useQuery } from "@tanstack/react-query";
import { FileWarning } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import { isApiError } from "@/api/errors";
import { modelNamesQuery } from "@/api/names";
import { Chips } from "@/pages/routing/Chips";
import { useConfirm } from "@/ui/confirm";
import { Sheet } from "@/ui/dialog";
import { DeleteButton, EditActions } from "@/ui/edit";
import { Field, Input, TextArea } from "@/ui/field";
import { Failure } from "@/ui/states";
import { blank, bodyOf, isReadable, missing, valuesOf, type Agent, type Values } from "./agent";
import { StateBadge } from "./AgentsPage";
import { createAgent, replaceAgent, useAgentActions } from "./queries";

type Wrong = Partial<Record<keyof Values, string>>;

export default function AgentSheet({
  agent,
  onClose,
}: {
  agent: Agent | null;
  onClose: () => void;
}) {
  const { t } = useTranslation(["agents", "common", "routing"]);
  const actions = useAgentActions();
  const confirm = useConfirm();
  const channels = useQuery(channelsQuery);
  const models = useQuery(modelNamesQuery);
  const [values, setValues] = useState<Values>(agent ? valuesOf(agent) : blank);
  const [wrong, setWrong] = useState<Wrong>({});
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const before = agent ? valuesOf(agent) : blank;
  const dirty = JSON.stringify(values) !== JSON.stringify(before);
  const lacking = missing(values.prompt);
  const tags = [...new Set(channels.data?.flatMap((one) => one.tags))];
  const ways = [
    ...(channels.data?.map((one) => one.name) ?? []),
    ...tags.map((tag) => `tag:${tag}`),
  ];

  const set = (change: Partial<Values>) => {
    setValues({ ...values, ...change });
    setWrong({});
    setError(null);
  };
  const save = async () => {
    if (!values.name.trim()) return setWrong({ name: t("name_needed") });
    if (lacking > 0) return setWrong({ prompt: t("prompt_short", { count: lacking }) });
    if (agent && !isReadable(agent)) {
      const sure = await confirm({
        title: t("overwrite_title", { id: agent.id }),
        changes: [t("overwrite_change")],
        action: t("overwrite"),
        danger: true,
      });
      if (!sure) return;
    }
    setBusy(true);
    try {
      if (agent) {
        await replaceAgent(agent.id, bodyOf(values));
        await actions.changed(agent);
      } else {
        const { data } = await createAgent(bodyOf(values));
        await actions.added(data);
      }
      onClose();
    } catch (failure) {
      setBusy(false);
      const field = isApiError(failure)
        ? failure.code === "conflict"
          ? "name"
          : failure.field
        : undefined;
      if (isApiError(failure) && field && field in blank)
        setWrong({ [field]: failure.message.replace(`${field}: `, "") });
      else setError(failure);
    }
  };

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      className="max-w-2xl"
      title={
        <span className="flex items-center gap-2.5">
          {agent ? agent.name || agent.id : t("add")}
          {agent && <StateBadge agent={agent} />}
        </span>
      }
      description={
        agent ? <span className="font-mono text-xs">agents/{agent.id}.md</span> : t("add_hint")
      }
      footer={
        <EditActions save={() => void save()} busy={busy} dirty={dirty} onCancel={onClose}>
          {agent && (
            <DeleteButton
              onClick={() => void actions.remove(agent).then((gone) => gone && onClose())}
            />
          )}
        </EditActions>
      }
    >
      <div className="space-y-4">
        {agent?.fault && (
          <div className="flex gap-3 rounded-lg bg-bad-soft px-3.5 py-3">
            <FileWarning aria-hidden className="mt-0.5 size-4 shrink-0 text-bad-text" />
            <div className="min-w-0 flex-1">
              <p className="font-medium break-words text-bad-text">
                {agent.fault.line > 0 && `${t("line", { line: agent.fault.line })}: `}
                {agent.fault.reason}
              </p>
              <p className="text-xs text-soft">
                {t(isReadable(agent) ? "fault_here" : "fault_in_file")}
              </p>
            </div>
          </div>
        )}
        <Field label={t("name")} error={wrong.name}>
          {(control) => (
            <Input
              {...control}
              maxLength={64}
              autoComplete="off"
              value={values.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("description")} optional error={wrong.description}>
          {(control) => (
            <Input
              {...control}
              value={values.description}
              onChange={(event) => set({ description: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("model")} optional hint={t("model_hint")} error={wrong.model}>
          {(control) => (
            <>
              <Input
                {...control}
                list="agent-models"
                spellCheck={false}
                className="font-mono text-xs"
                value={values.model}
                onChange={(event) => set({ model: event.target.value })}
              />
              <datalist id="agent-models">
                {models.data
                  ?.filter((one) => !one.includes("*"))
                  .slice(0, 200)
                  .map((one) => <option key={one} value={one} />)}
              </datalist>
            </>
          )}
        </Field>
        <Field label={t("routing")} optional hint={t("routing_hint")} error={wrong.routing}>
          {(control) => (
            <Chips
              id={control.id}
              aria-describedby={control["aria-describedby"]}
              invalid={!!wrong.routing}
              values={values.routing}
              onChange={(routing) => set({ routing })}
              suggestions={ways}
              placeholder={ways.slice(0, 2).join(", ")}
            />
          )}
        </Field>
        <Field
          label={t("prompt")}
          hint={lacking > 0 ? t("prompt_short", { count: lacking }) : t("prompt_hint")}
          error={wrong.prompt}
        >
          {(control) => (
            <TextArea
              {...control}
              rows={Math.min(28, Math.max(12, values.prompt.split("\n").length + 1))}
              className="font-mono text-xs leading-5"
              value={values.prompt}
              onChange={(event) => set({ prompt: event.target.value })}
            />
          )}
        </Field>
        {error !== null && <Failure error={error} />}
      </div>
    </Sheet>
  );
}
