import { useQuery } from "@tanstack/react-query";
import { Braces, CircleAlert, ListChecks, Trash2 } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { isApiError } from "@/api/errors";
import { cn } from "@/lib/cn";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Field, Input, Switch } from "@/ui/field";
import { Failure } from "@/ui/states";
import { bodyOf, createRule, replaceRule, useRoutingActions } from "./actions";
import { ConditionEditor, type Wrong } from "./ConditionEditor";
import { conditionOf, incomplete, nodeAt, NotShown, treeOf, type Group } from "./condition";
import { lineOf, lineOfError } from "./place";
import { presetsQuery, type Rule, type RuleInput } from "./queries";
import { blankHop, targetBody, targetOf, type Target } from "./target";
import { TargetEditor } from "./TargetEditor";
import { conditionWords } from "./words";

interface Draft {
  name: string;
  type: string;
  status: "enabled" | "disabled";
  priority: string;
  strict: boolean;
  tree: Group;
  target: Target;
}

const draftOf = (rule: RuleInput): Draft => ({
  name: rule.name,
  type: rule.type ?? "custom",
  status: rule.status ?? (rule.enabled === false ? "disabled" : "enabled"),
  priority: rule.priority === undefined ? "" : String(rule.priority),
  strict: rule.strict ?? false,
  tree: treeOf(rule.condition ?? {}),
  // A new one begins with choosing a channel.
  target: rule.target ? targetOf(rule.target) : { ...targetOf({}), hop: blankHop() },
});

function inputOf(draft: Draft) {
  const { condition, places } = conditionOf(draft.tree);
  const body: RuleInput = {
    name: draft.name.trim(),
    type: draft.type as RuleInput["type"],
    status: draft.status,
    ...(draft.priority.trim() !== "" && { priority: Number(draft.priority) }),
    strict: draft.strict,
    condition: condition as RuleInput["condition"],
    target: targetBody(draft.target),
  };
  return { body, places };
}

const pretty = (body: RuleInput) => JSON.stringify(body, null, 2);

interface Fault {
  /** Path of the API's field; "" when it is about all. */
  field: string;
  message: string;
}

/** The field's name is shown beside it, not in the sentence. */
const sentence = ({ field, message }: Fault) => {
  const rest = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
};

/* ---- JSON -------------------------------------------------------------------- */

function JsonView({
  text,
  onChange,
  fault,
}: {
  text: string;
  onChange: (text: string) => void;
  fault: Fault | null;
}) {
  const { t } = useTranslation("routing");
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split("\n");
  const line = fault ? lineOf(text, fault.field) || Number(fault.field) : 0;
  const jump = () => {
    const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.current?.focus();
    area.current?.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  };
  return (
    <div className="space-y-2">
      {fault && (
        <p id="json-fault" role="alert" className="sticky top-0 z-10 flex items-start gap-2 rounded-md bg-bad-soft px-3 py-2 text-xs text-bad-text">
          <CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
          <span className="min-w-0 flex-1">
            {Number.isNaN(Number(fault.field)) && fault.field !== "" && (
              <span className="font-mono">{fault.field}: </span>
            )}
            {sentence(fault)}
          </span>
          {line > 0 && (
            <button type="button" onClick={jump} className="shrink-0 underline underline-offset-2">
              {t("go_to_line", { line })}
            </button>
          )}
        </p>
      )}
      <div className="flex rounded-md border border-line-strong bg-surface font-mono text-xs leading-5 shadow-card focus-within:border-accent dark:bg-sunken">
        <ol aria-hidden className="shrink-0 py-2 pr-2 pl-3 text-right text-muted tabular select-none">
          {lines.map((_, i) => (
            <li key={i} className={cn(i + 1 === line && "font-semibold text-bad-text")}>
              {i + 1}
            </li>
          ))}
        </ol>
        <textarea
          ref={area}
          aria-label={t("json_label")}
          aria-invalid={fault ? true : undefined}
          aria-describedby={fault ? "json-fault" : undefined}
          spellCheck={false}
          wrap="off"
          rows={Math.max(18, lines.length)}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          className="min-w-0 flex-1 resize-none overflow-x-auto bg-transparent py-2 pr-3 outline-none"
        />
      </div>
    </div>
  );
}

/* ---- the sheet ------------------------------------------------------------------- */

interface Props {
  /** The rule, or what a new one begins with. */
  rule: Rule | null;
  start: RuleInput;
  onClose: () => void;
}

export default function RuleSheet({ rule, start, onClose }: Props) {
  const { t } = useTranslation(["routing", "common"]);
  const presets = useQuery(presetsQuery);
  const actions = useRoutingActions();
  const initial = useMemo(() => (rule ? bodyOf(rule) : start), [rule, start]);
  const [draft, setDraft] = useState<Draft | null>(() => {
    try {
      return draftOf(initial);
    } catch {
      return null; // only JSON can show it
    }
  });
  const [text, setText] = useState<string | null>(() => (draft ? null : pretty(initial)));
  const [fault, setFault] = useState<Fault | null>(null);
  const [missing, setMissing] = useState<Wrong | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const json = text !== null;
  const before = useMemo(() => pretty(draft ? inputOf(draftOf(initial)).body : initial), [initial]);
  const now = json ? text : draft ? pretty(inputOf(draft).body) : "";
  const dirty = !rule || now !== before;

  const set = (change: Partial<Draft>) => {
    setFault(null);
    setMissing(null);
    setError(null);
    setDraft((old) => old && { ...old, ...change });
  };
  const parse = (): RuleInput | null => {
    try {
      return JSON.parse(text!) as RuleInput;
    } catch (wrong) {
      setFault({
        field: String(lineOfError(text!, wrong)),
        message: wrong instanceof Error ? wrong.message : t("no_json"),
      });
      return null;
    }
  };
  const toForm = () => {
    const body = parse();
    if (!body) return;
    try {
      setDraft(draftOf(body));
      setText(null);
      setFault(null);
    } catch (wrong) {
      if (!(wrong instanceof NotShown)) throw wrong;
      setFault({ field: "condition", message: t("not_shown", { name: wrong.message }) });
    }
  };

  const save = async () => {
    setFault(null);
    setMissing(null);
    setError(null);
    let body: RuleInput | null;
    if (json) {
      body = parse();
    } else {
      const hole = incomplete(draft!.tree);
      if (hole) {
        setMissing({ id: hole.id, message: t(hole.why === "empty" ? "empty_group" : "value_needed") });
        return;
      }
      body = inputOf(draft!).body;
    }
    if (!body) return;
    setBusy(true);
    try {
      if (rule) {
        await replaceRule(rule.id, body);
        await actions.changed(rule);
      } else {
        const { data } = await createRule(body);
        await actions.added([data]);
      }
      onClose();
    } catch (failure) {
      if (isApiError(failure) && (failure.field || failure.code === "conflict")) {
        const field = failure.field ?? "name";
        setFault({ field, message: failure.message });
      } else {
        setError(failure);
      }
      setBusy(false);
    }
  };

  useEffect(() => {
    if (!fault && !missing && error === null) return;
    document
      .querySelector("[role=dialog] [role=alert]")
      ?.scrollIntoView({ block: "center" });
  }, [fault, missing, error]);

  const wrongAt = (path: string) =>
    fault &&
    (fault.field === path ||
      fault.field.startsWith(`${path}.`) ||
      fault.field.startsWith(`${path}[`))
      ? sentence(fault)
      : undefined;
  const wrongNode: Wrong | null = (() => {
    if (missing) return missing;
    if (!fault || !draft || json || !fault.field.startsWith("condition")) return null;
    const id = nodeAt(inputOf(draft).places, fault.field);
    return id ? { id, message: sentence(fault) } : null;
  })();
  const shownElsewhere =
    fault && !json && !wrongNode && !/^(name|priority|target\.|target_)/.test(fault.field);
  const preset = presets.data?.find((one) => one.type === draft?.type);
  const builtIn = preset && conditionWords(preset.condition, t);

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      className="max-w-2xl"
      title={
        <span className="flex items-center gap-2.5">
          {rule ? rule.name : t("new_rule")}
          <Badge>{t(`types.${(draft?.type ?? rule?.type ?? "custom") as "custom"}.title`)}</Badge>
        </span>
      }
      description={rule ? undefined : t("new_rule_hint")}
      footer={
        <>
          {rule && (
            <Button
              kind="ghost"
              icon={Trash2}
              className="text-bad-text"
              onClick={() => void actions.remove(rule).then((gone) => gone && onClose())}
            >
              {t("common:delete")}
            </Button>
          )}
          <Button
            kind="ghost"
            className="mr-auto"
            icon={json ? ListChecks : Braces}
            onClick={() => {
              if (json) toForm();
              else setText(pretty(inputOf(draft!).body));
              setMissing(null);
            }}
          >
            {t(json ? "as_form" : "as_json")}
          </Button>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button kind="primary" busy={busy} disabled={!dirty} onClick={() => void save()}>
            {t("common:save")}
          </Button>
        </>
      }
    >
      {json ? (
        <JsonView
          text={text}
          fault={fault}
          onChange={(next) => {
            setText(next);
            setFault(null);
          }}
        />
      ) : (
        draft && (
          <div className="space-y-6">
            <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_9rem]">
              <Field label={t("name")} error={wrongAt("name")}>
                {(control) => (
                  <Input
                    {...control}
                    autoFocus={!rule}
                    autoComplete="off"
                    value={draft.name}
                    onChange={(event) => set({ name: event.target.value })}
                  />
                )}
              </Field>
              <Field
                label={t("priority")}
                error={
                  /^-?\d*$/.test(draft.priority.trim()) ? wrongAt("priority") : t("priority_number")
                }
              >
                {(control) => (
                  <Input
                    {...control}
                    inputMode="numeric"
                    placeholder={preset ? String(preset.priority) : ""}
                    title={t("priority_hint")}
                    value={draft.priority}
                    onChange={(event) => set({ priority: event.target.value })}
                  />
                )}
              </Field>
            </div>
            <section className="space-y-3">
              <h3 className="font-semibold">{t("when")}</h3>
              {draft.type !== "custom" && preset && (
                <p className="flex items-baseline gap-2 rounded-lg bg-sunken px-3 py-2 text-soft">
                  <Badge tone="accent">{t("built_in")}</Badge>
                  <span>
                    {t(`types.${draft.type as "custom"}.help`, { defaultValue: preset.help })}
                    {builtIn && <span className="block text-xs text-muted">{builtIn}</span>}
                  </span>
                </p>
              )}
              <ConditionEditor
                tree={draft.tree}
                onChange={(tree) => set({ tree })}
                wrong={wrongNode}
                empty={
                  <p className="text-muted">
                    {t(draft.type === "custom" ? "no_condition" : "no_more_condition")}
                  </p>
                }
              />
            </section>
            <section className="space-y-3">
              <h3 className="font-semibold">{t("then_go")}</h3>
              <TargetEditor
                target={draft.target}
                onChange={(target) => set({ target })}
                wrongAt={wrongAt}
              />
              {fault?.field === "target" && (
                <p role="alert" className="text-xs text-bad-text">
                  {sentence(fault)}
                </p>
              )}
            </section>
            <div className="divide-y divide-line rounded-lg border border-line">
              <Toggle
                title={t("use_it")}
                hint={t("use_it_hint")}
                on={draft.status === "enabled"}
                onChange={(on) => set({ status: on ? "enabled" : "disabled" })}
              />
              <Toggle
                title={t("strict")}
                hint={t("strict_hint")}
                on={draft.strict}
                onChange={(strict) => set({ strict })}
              />
            </div>
          </div>
        )
      )}
      {(error !== null || shownElsewhere) && (
        <Failure className="mt-4" error={error ?? new Error(fault!.message)} />
      )}
    </Sheet>
  );
}

function Toggle({
  title,
  hint,
  on,
  onChange,
}: {
  title: string;
  hint: string;
  on: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <div className="flex items-center gap-3 px-3.5 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="text-xs text-muted">{hint}</p>
      </div>
      <Switch label={title} checked={on} onCheckedChange={onChange} />
    </div>
  );
}

