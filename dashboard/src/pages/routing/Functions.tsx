import { useQuery } from "@tanstack/react-query";
import { Plus, SquareFunction, Trash2 } from "lucide-react";
import { useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { isApiError } from "@/api/errors";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card } from "@/ui/card";
import { Sheet } from "@/ui/dialog";
import { DeleteButton, EditActions } from "@/ui/edit";
import { Field, Input, TextArea } from "@/ui/field";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";
import { createFunction, freeName, replaceFunction, useRoutingActions } from "./actions";
import { functionsQuery, rulesQuery, type LuaFunction } from "./queries";

const EXAMPLE = `if request.tokens > 50000 and find(request.text, "summar") then
  return "cheap", "gpt-5-mini"
end
return false
`;

const FIELDS =
  "model dialect stream tokens messages max_tokens thinking web_search subagent images documents audio text system tools tenant key session tag user_agent time".split(
    " ",
  );

function FunctionSheet({
  one,
  taken,
  usedBy,
  onClose,
}: {
  one: LuaFunction | null;
  taken: LuaFunction[];
  usedBy: string[];
  onClose: () => void;
}) {
  const { t } = useTranslation(["routing", "common"]);
  const actions = useRoutingActions();
  const [name, setName] = useState(one?.name ?? freeName("pick", taken));
  const [source, setSource] = useState(one?.source ?? EXAMPLE);
  const [fault, setFault] = useState<{ field: string; message: string } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement | null>(null);
  const dirty = !one || name !== one.name || source !== one.source;
  const wrong = (field: string) =>
    fault?.field === field
      ? fault.message.replace(`${field}: `, "").replace(/^line:(\d+):/, (_, line: string) => `${t("line", { line })}:`)
      : undefined;

  const save = async () => {
    setBusy(true);
    setFault(null);
    setError(null);
    try {
      const body = { name: name.trim(), source };
      if (one) await replaceFunction(one.id, body);
      else await createFunction(body);
      await actions.refresh();
      toast({
        text: t(one ? "changed" : "function_added", { name: body.name }),
        undo: one
          ? async () => {
              await replaceFunction(one.id, { name: one.name, source: one.source });
              await actions.refresh();
            }
          : undefined,
      });
      onClose();
    } catch (failure) {
      setBusy(false);
      if (isApiError(failure) && (failure.field || failure.code === "conflict")) {
        setFault({ field: failure.field ?? "name", message: failure.message });
        const line = Number(/line:(\d+)/.exec(failure.message)?.[1]);
        if (failure.field === "source" && line > 0) {
          const lines = source.split("\n");
          const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
          area.current?.focus();
          area.current?.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
        }
      } else setError(failure);
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save();
  };

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      className="max-w-2xl"
      title={one ? one.name : t("new_function")}
      description={t("function_hint")}
      footer={
        <EditActions save={() => void save()} busy={busy} dirty={dirty} onCancel={onClose}>
          {one && (
            <DeleteButton
              onClick={() => void actions.removeFunction(one).then((gone) => gone && onClose())}
            />
          )}
        </EditActions>
      }
    >
      <div className="space-y-4">
        <Field label={t("name")} hint={t("function_name_hint")} error={wrong("name")}>
          {(control) => (
            <Input
              {...control}
              spellCheck={false}
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Lua 5.4" error={wrong("source")}>
          {(control) => (
            <TextArea
              {...control}
              ref={area}
              rows={Math.max(14, source.split("\n").length + 1)}
              spellCheck={false}
              wrap="off"
              className="font-mono text-xs leading-5"
              value={source}
              onChange={(event) => setSource(event.target.value)}
              onKeyDown={onKeyDown}
            />
          )}
        </Field>
        {error !== null && <Failure error={error} />}
        {usedBy.length > 0 && (
          <p className="flex flex-wrap items-center gap-1.5 text-xs text-muted">
            {t("used_by")}
            {usedBy.map((rule) => (
              <Badge key={rule}>{rule}</Badge>
            ))}
          </p>
        )}
        <section className="rounded-lg border border-line bg-sunken px-3.5 py-3 text-xs text-soft">
          <h3 className="mb-1.5 font-semibold text-text">{t("reference")}</h3>
          <dl className="space-y-2">
            <div>
              <dt className="font-mono text-text">request</dt>
              <dd className="break-words">{FIELDS.join(", ")}</dd>
            </div>
            <div>
              <dt className="font-mono text-text">candidates</dt>
              <dd>channel, type, model, priority, weight</dd>
            </div>
            <div>
              <dt className="font-mono text-text">find(text, words) · matches(text, pattern)</dt>
              <dd>{t("reference_find")}</dd>
            </div>
            <div>
              <dt className="font-mono text-text">return false | true | channel, model</dt>
              <dd>{t("reference_return")}</dd>
            </div>
          </dl>
          <p className="mt-2 text-muted">{t("reference_limits")}</p>
        </section>
      </div>
    </Sheet>
  );
}

export default function Functions({
  open,
  onOpen,
}: {
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
}) {
  const { t } = useTranslation(["routing", "common"]);
  const functions = useQuery(functionsQuery);
  const { data: rules = [] } = useQuery(rulesQuery);
  const { removeFunction } = useRoutingActions();
  const list = functions.data;
  const shown = list?.find((one) => one.id === open || one.name === open);
  const usedBy = (name: string) =>
    rules
      .filter((rule) => JSON.stringify(rule.condition).includes(`"custom_function":${JSON.stringify(name)}`))
      .map((rule) => rule.name);
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => onOpen("new")}>
      {t("new_function")}
    </Button>
  );
  return (
    <>
      {functions.error && (
        <Failure className="mb-4" error={functions.error} onRetry={() => void functions.refetch()} />
      )}
      {list && list.length > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-3">
          <p className="flex-1 basis-60 text-muted">{t("functions_hint")}</p>
          {add}
        </div>
      )}
      <Card className="overflow-hidden">
        {!list ? (
          <SkeletonRows rows={3} />
        ) : list.length === 0 ? (
          <Empty icon={SquareFunction} title={t("no_functions")} action={add}>
            {t("functions_hint")}
          </Empty>
        ) : (
          <ul className="divide-y divide-line">
            {list.map((one) => {
              const users = usedBy(one.name);
              return (
                <li key={one.id} className="flex items-center gap-3 py-2 pr-3 pl-4 hover:bg-hover/50">
                  <button onClick={() => onOpen(one.id)} className="min-w-0 flex-1 rounded-md py-0.5 text-left">
                    <span className="block truncate font-mono font-medium">{one.name}</span>
                    <span className="block truncate text-xs text-muted">
                      {users.length > 0 ? t("called_by", { rules: users.join(", ") }) : t("called_by_none")}
                    </span>
                  </button>
                  <span className="hidden text-xs text-muted sm:block">
                    <Ago time={one.updated_at} />
                  </span>
                  <IconButton
                    size="sm"
                    icon={Trash2}
                    label={t("remove_name", { name: one.name })}
                    onClick={() => void removeFunction(one)}
                  />
                </li>
              );
            })}
          </ul>
        )}
      </Card>
      {(shown || (open === "new" && list)) && (
        <FunctionSheet
          key={open}
          one={shown ?? null}
          taken={list ?? []}
          usedBy={shown ? usedBy(shown.name) : []}
          onClose={() => onOpen(undefined)}
        />
      )}
    </>
  );
}
