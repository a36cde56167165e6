import { useQueryClient } from "@tanstack/react-query";
import {
  CircleCheck,
  FileJson,
  FileUp,
  TriangleAlert,
  X,
} from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, unwrap, type Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { cn } from "@/lib/cn";
import { Button, IconButton } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { useConfirm } from "@/ui/confirm";
import { Snippet } from "@/ui/copy";
import { Field, SecretInput, Select, Switch } from "@/ui/field";
import { Failure, SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toast";
import { ChangeList } from "./ChangeList";
import {
  countOf,
  keyOf,
  kinds,
  readDocument,
  selectOf,
  type ConfigDocument,
} from "./document";
import { makeBackup } from "./backups";

type Outcome = Schemas["ConfigImport"];
type Mode = Outcome["mode"];

interface Ask {
  document: ConfigDocument;
  mode: Mode;
  passphrase: string;
  dryRun: boolean;
  select?: string;
}

const ask = ({ document, mode, passphrase, dryRun, select }: Ask) =>
  unwrap(
    api.POST("/api/config/import", {
      params: {
        query: { mode, select, dry_run: dryRun ? "true" : "false" },
        header: passphrase ? { "X-Routex-Passphrase": passphrase } : {},
      },
      body: document,
    }),
  );

const systems = [
  { name: "ccr", title: "claude-code-router", file: "~/.claude-code-router/config.json" },
  { name: "ccflare", title: "ccflare", file: "~/.config/ccflare/ccflare.db" },
  { name: "better-ccflare", title: "better-ccflare", file: "~/.config/better-ccflare/better-ccflare.db" },
  { name: "llmio", title: "llmio", file: "db/llmio.db" },
  { name: "cc-switch", title: "CC Switch", file: "cc-switch-export.sql" },
  { name: "routex", title: "routex (dctx-team)", file: "routex.db" },
];

function Foreign() {
  const { t } = useTranslation("config");
  const [name, setName] = useState(systems[0]!.name);
  const system = systems.find((one) => one.name === name)!;
  return (
    <Card>
      <CardHead title={t("foreign_title")} />
      <div className="space-y-3 p-4">
        <p className="text-soft">{t("foreign_text")}</p>
        <Select
          aria-label={t("foreign_which")}
          value={name}
          onChange={(event) => setName(event.target.value)}
        >
          {systems.map((one) => (
            <option key={one.name} value={one.name}>
              {one.title}
            </option>
          ))}
        </Select>
        <Snippet text={`routex import ${system.name} ${system.file}`} />
        <p className="text-xs text-muted">{t("foreign_hint")}</p>
      </div>
    </Card>
  );
}

/** A file by pointer, by keyboard, or by paste. */
function Drop({ onText }: { onText: (text: string, name: string) => void }) {
  const { t } = useTranslation("config");
  const [over, setOver] = useState(false);
  const take = async (files: FileList | null) => {
    const file = files?.[0];
    if (file) onText(await file.text(), file.name);
  };
  return (
    <label
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer.files);
      }}
      className={cn(
        "flex cursor-pointer flex-col items-center gap-3 rounded-lg border-2 border-dashed border-line-strong bg-surface px-6 py-14 text-center transition-colors hover:border-accent has-focus-visible:border-accent has-focus-visible:outline-2 has-focus-visible:outline-accent/40",
        over && "border-accent bg-accent-soft/40",
      )}
    >
      <span className="grid size-11 place-items-center rounded-xl border border-line bg-sunken text-muted">
        <FileUp aria-hidden className="size-5" />
      </span>
      <span className="max-w-sm">
        <span className="block font-semibold">{t("drop")}</span>
        <span className="mt-1 block text-muted">{t("drop_hint")}</span>
      </span>
      <input
        type="file"
        accept=".json,application/json"
        aria-label={t("drop")}
        className="sr-only"
        onChange={(event) => {
          void take(event.target.files);
          event.target.value = "";
        }}
      />
    </label>
  );
}

function Faults({ error }: { error: unknown }) {
  const { t } = useTranslation("config");
  if (!isApiError(error) || error.all.length === 0)
    return <Failure error={error} />;
  return (
    <div role="alert" className="rounded-lg border border-bad/30 bg-bad-soft px-4 py-3">
      <p className="font-medium text-bad-text">
        {t("faults", { count: error.all.length })}
      </p>
      <ul className="mt-2 space-y-1 text-xs">
        {error.all.map((one) => (
          <li key={one.field + one.message} className="flex flex-wrap gap-x-2">
            <code className="font-mono text-soft">{one.field}</code>
            <span>{one.message}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Warnings({ outcome }: { outcome: Outcome }) {
  if (outcome.warnings.length === 0) return null;
  return (
    <ul className="space-y-1.5 rounded-lg bg-warn-soft px-4 py-3 text-xs">
      {outcome.warnings.map((one, i) => (
        <li key={i} className="flex gap-2">
          <TriangleAlert
            aria-hidden
            className="mt-0.5 size-3.5 shrink-0 text-warn-text"
          />
          <span className="min-w-0 wrap-anywhere">
            <span className="font-medium">{one.name}</span> {one.message}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Summary({ outcome }: { outcome: Outcome }) {
  const { t } = useTranslation("config");
  const { added, changed, removed, unchanged } = outcome.summary;
  const parts = [
    { n: added, word: t("count.added", { count: added }), tone: "text-ok-text" },
    { n: changed, word: t("count.changed", { count: changed }), tone: "text-info-text" },
    { n: removed, word: t("count.removed", { count: removed }), tone: "text-bad-text" },
    { n: unchanged, word: t("count.unchanged", { count: unchanged }), tone: "text-muted" },
  ].filter((one) => one.n > 0);
  return (
    <p className="flex flex-wrap gap-x-4 gap-y-1 text-sm font-medium tabular">
      {parts.map((one) => (
        <span key={one.word} className={one.tone}>
          {one.word}
        </span>
      ))}
    </p>
  );
}

function Done({ outcome, onClose }: { outcome: Outcome; onClose: () => void }) {
  const { t } = useTranslation("config");
  return (
    <Card>
      <div className="space-y-4 p-5">
        <div role="status" className="flex gap-3">
          <CircleCheck aria-hidden className="mt-0.5 size-5 shrink-0 text-ok" />
          <div className="space-y-1">
            <p className="font-semibold">{t("taken_in")}</p>
            <Summary outcome={outcome} />
          </div>
        </div>
        <Warnings outcome={outcome} />
        {outcome.made_keys.length > 0 && (
          <div className="space-y-2">
            <p className="font-medium">{t("made_keys")}</p>
            {outcome.made_keys.map((one) => (
              <div key={one.key}>
                <p className="mb-1 text-xs text-muted">
                  {one.name} · {one.tenant}
                </p>
                <Snippet text={one.key} />
              </div>
            ))}
          </div>
        )}
        <Button onClick={onClose}>{t("another")}</Button>
      </div>
    </Card>
  );
}

interface Source {
  document: ConfigDocument;
  name: string;
}

function Review({ source, onClose }: { source: Source; onClose: () => void }) {
  const { t } = useTranslation(["config", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const { document } = source;
  const [mode, setMode] = useState<Mode>("merge");
  const [passphrase, setPassphrase] = useState("");
  const [backUp, setBackUp] = useState(true);
  const [plan, setPlan] = useState<Outcome | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<Outcome | null>(null);
  const turn = useRef(0);

  /* What it would do, anew with each change of the question. */
  useEffect(() => {
    const mine = ++turn.current;
    const timer = setTimeout(
      () => {
        ask({ document, mode, passphrase, dryRun: true }).then(
          ({ data }) => {
            if (mine !== turn.current) return;
            setPlan(data);
            setLeft(new Set());
            setError(null);
          },
          (failure: unknown) => {
            if (mine !== turn.current) return;
            setPlan(null);
            setError(failure);
          },
        );
      },
      passphrase ? 400 : 0,
    );
    return () => clearTimeout(timer);
  }, [document, mode, passphrase]);

  const taken = plan?.changes.filter((one) => !left.has(keyOf(one))) ?? [];
  const removed = taken.filter((one) => one.action === "removed");
  const take = async () => {
    if (removed.length > 0) {
      const sure = await confirm({
        title: t("sure_title", { count: removed.length }),
        body: t(backUp ? "sure_backup" : "sure_no_backup"),
        changes: removed.map((one) => `${t(`kind.${one.kind as "rules"}`)}: ${one.name}`),
        action: t("take_in", { count: taken.length }),
        danger: true,
      });
      if (!sure) return;
    }
    setBusy(true);
    setError(null);
    try {
      if (backUp) await makeBackup(client);
      const { data } = await ask({
        document,
        mode,
        passphrase,
        dryRun: false,
        select: selectOf(plan!.changes, left),
      });
      setDone(data);
      await client.invalidateQueries();
      toast({ text: t("taken_in") });
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };

  if (done) return <Done outcome={done} onClose={onClose} />;
  return (
    <Card className="min-w-0 overflow-hidden">
      <header className="flex items-center gap-3 border-b border-line px-4 py-3">
        <FileJson aria-hidden className="size-5 shrink-0 text-muted" />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold">{source.name}</h2>
          <p className="truncate text-xs text-muted">
            {kinds
              .filter((kind) => countOf(document, kind) > 0)
              .map((kind) => `${t(`kind.${kind}`)} ${countOf(document, kind)}`)
              .join(" · ")}
          </p>
        </div>
        <IconButton icon={X} label={t("other_file")} onClick={onClose} />
      </header>
      <div className="space-y-4 border-b border-line p-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("mode")} hint={t(`mode_hint.${mode}`)}>
            {(control) => (
              <Select
                {...control}
                value={mode}
                onChange={(event) => setMode(event.target.value as Mode)}
              >
                <option value="merge">{t("modes.merge")}</option>
                <option value="replace">{t("modes.replace")}</option>
              </Select>
            )}
          </Field>
          {document.secrets && (
            <Field label={t("passphrase")} optional hint={t("passphrase_open")}>
              {(control) => (
                <SecretInput
                  {...control}
                  value={passphrase}
                  onChange={(event) => setPassphrase(event.target.value)}
                />
              )}
            </Field>
          )}
        </div>
        {error !== null && <Faults error={error} />}
        {plan && <Warnings outcome={plan} />}
        {plan && (
          <div className="flex flex-wrap items-center justify-between gap-3">
            <Summary outcome={plan} />
          </div>
        )}
      </div>
      {!plan && error === null && <SkeletonRows rows={4} />}
      {plan && plan.changes.length === 0 && (
        <p className="px-4 py-10 text-center text-muted">{t("in_force")}</p>
      )}
      {plan && plan.changes.length > 0 && (
        <>
          <ChangeList changes={plan.changes} left={left} onLeft={setLeft} />
          <footer className="sticky bottom-0 flex flex-wrap items-center gap-x-4 gap-y-3 border-t border-line bg-sunken px-4 py-3">
            <label className="flex flex-1 basis-56 items-center gap-2.5">
              <Switch
                label={t("backup_first")}
                checked={backUp}
                onCheckedChange={setBackUp}
              />
              <span aria-hidden className="text-soft">
                {t("backup_first")}
              </span>
            </label>
            <Button onClick={onClose}>{t("common:cancel")}</Button>
            <Button
              kind={removed.length > 0 ? "danger" : "primary"}
              busy={busy}
              disabled={taken.length === 0}
              onClick={() => void take()}
            >
              {t("take_in", { count: taken.length })}
            </Button>
          </footer>
        </>
      )}
    </Card>
  );
}

export function ImportPart() {
  const { t } = useTranslation("config");
  const [source, setSource] = useState<Source | null>(null);
  const [wrong, setWrong] = useState<{ why: "json" | "object" | "foreign"; name: string } | null>(null);
  const onText = (text: string, name: string) => {
    const read = readDocument(text);
    if ("wrong" in read) setWrong({ why: read.wrong, name });
    else {
      setWrong(null);
      setSource({ document: read.document, name });
    }
  };
  if (source) return <Review source={source} onClose={() => setSource(null)} />;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="space-y-3">
        <Drop onText={onText} />
        {wrong && (
          <div
            role="alert"
            className="rounded-lg border border-bad/30 bg-bad-soft px-4 py-3"
          >
            <p className="font-medium text-bad-text">
              {t(`wrong.${wrong.why}`, { name: wrong.name })}
            </p>
            <p className="mt-0.5 text-xs text-soft">{t(`wrong_do.${wrong.why}`)}</p>
          </div>
        )}
      </div>
      <Foreign />
    </div>
  );
}
