import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  Archive,
  CircleCheck,
  CircleDashed,
  LoaderCircle,
  Plus,
  RotateCcw,
} from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { formatBytes, formatCount, formatTime } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { DataTable, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { toast, toastError } from "@/ui/toast";
import { backAgain, backupsQuery, makeBackup, restoreBackup, type Backup } from "./backups";

const WORD = "restore";
const steps = ["in_place", "anew", "back"] as const;

function Progress({ at }: { at: number }) {
  const { t } = useTranslation("config");
  return (
    <ol aria-live="polite" className="space-y-2.5">
      {steps.map((step, i) => {
        const Icon = i < at ? CircleCheck : i === at ? LoaderCircle : CircleDashed;
        return (
          <li key={step} className="flex items-center gap-2.5">
            <Icon
              aria-hidden
              className={
                i < at
                  ? "size-4 text-ok"
                  : i === at
                    ? "size-4 animate-spin text-accent-text"
                    : "size-4 text-muted"
              }
            />
            <span className={i > at ? "text-muted" : undefined}>
              {t(`step.${step}`)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Restore({ backup, onClose }: { backup: Backup; onClose: () => void }) {
  const { t } = useTranslation(["config", "common"]);
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [at, setAt] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState<Schemas["Restored"] | null>(null);
  const [known, setKnown] = useState(true);
  const running = at !== null && !done;

  const run = async () => {
    setError(null);
    setAt(0);
    try {
      const { data } = await restoreBackup(backup.name);
      setAt(1);
      const still = await backAgain(Date.now());
      setAt(2);
      setKnown(still);
      if (still) await client.invalidateQueries();
      setAt(3);
      setDone(data);
    } catch (failure) {
      setAt(null);
      setError(failure);
    }
  };
  const finish = () => {
    if (known) onClose();
    else location.assign(import.meta.env.BASE_URL);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !running && (done ? finish() : onClose())}
      title={t("restore_title", { time: formatTime(backup.created_at) })}
      description={backup.name}
      className="top-[14vh]"
      footer={
        done ? (
          <Button kind="primary" onClick={finish}>
            {t(known ? "common:close" : "login_again")}
          </Button>
        ) : at === null ? (
          <>
            <Button onClick={onClose}>{t("common:cancel")}</Button>
            <Button
              kind="danger"
              icon={RotateCcw}
              disabled={text.trim().toLowerCase() !== WORD}
              onClick={() => void run()}
            >
              {t("restore")}
            </Button>
          </>
        ) : undefined
      }
    >
      {at === null ? (
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim().toLowerCase() === WORD) void run();
          }}
        >
          <ul className="space-y-1.5 rounded-md border border-line bg-sunken px-3 py-2.5 text-xs text-soft">
            {(["config", "history", "short", "sessions", "aside"] as const).map(
              (one) => (
                <li key={one} className="flex gap-2">
                  <span aria-hidden className="text-muted">
                    →
                  </span>
                  {t(`restore_change.${one}`)}
                </li>
              ),
            )}
          </ul>
          <Field label={t("type_it", { word: WORD })}>
            {(control) => (
              <Input
                {...control}
                autoFocus
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
          {error !== null && <Failure error={error} />}
        </form>
      ) : (
        <div className="space-y-4">
          <Progress at={at} />
          {done && (
            <div className="space-y-1 rounded-lg bg-ok-soft px-3.5 py-3">
              <p className="font-medium text-ok-text">{t("restored")}</p>
              <p className="text-xs text-soft">
                {t("restored_kept", {
                  count: done.requests_kept,
                  requests: formatCount(done.requests_kept),
                })}
                {done.requests_lost > 0 &&
                  ` ${t("restored_lost", { count: done.requests_lost })}`}
              </p>
              <p className="text-xs break-all text-soft">
                {t("restored_aside", { path: done.aside })}
              </p>
              {!known && <p className="text-xs text-soft">{t("restored_login")}</p>}
            </div>
          )}
        </div>
      )}
    </Dialog>
  );
}

export function BackupsPart() {
  const { t } = useTranslation("config");
  const client = useQueryClient();
  const backups = useQuery(backupsQuery);
  const [busy, setBusy] = useState(false);
  const [restoring, setRestoring] = useState<Backup | null>(null);
  const columns = useMemo<Column<Backup>[]>(
    () => [
      {
        id: "at",
        header: t("backup"),
        sort: (one) => one.created_at,
        cell: (one) => (
          <span className="block">
            <span className="block truncate font-medium">
              {formatTime(one.created_at)}
            </span>
            <span className="block truncate text-xs text-muted">
              <Ago time={one.created_at} />
            </span>
          </span>
        ),
      },
      {
        id: "bytes",
        header: t("size"),
        align: "right",
        width: "6.5rem",
        from: "sm",
        sort: (one) => one.bytes,
        cell: (one) => formatBytes(one.bytes),
      },
      {
        id: "channels",
        header: t("kind.channels"),
        align: "right",
        width: "7rem",
        from: "md",
        cell: (one) => formatCount(one.channels),
      },
      {
        id: "requests",
        header: t("requests"),
        align: "right",
        width: "7rem",
        from: "md",
        sort: (one) => one.requests,
        cell: (one) => formatCount(one.requests),
      },
      {
        id: "digest",
        header: t("digest"),
        width: "9rem",
        from: "lg",
        cell: (one) => (
          <code title={one.digest ?? undefined} className="font-mono text-xs text-muted">
            {one.digest ? one.digest.slice(0, 12) : t("unchecked")}
          </code>
        ),
      },
      {
        id: "do",
        header: t("restore"),
        quiet: true,
        align: "right",
        width: "8rem",
        cell: (one) => (
          <Button
            size="sm"
            icon={RotateCcw}
            aria-label={t("restore_of", { time: formatTime(one.created_at) })}
            onClick={() => setRestoring(one)}
          >
            {t("restore")}
          </Button>
        ),
      },
    ],
    [t],
  );

  const make = async () => {
    setBusy(true);
    try {
      const made = await makeBackup(client);
      toast({ text: t("backup_made", { size: formatBytes(made.bytes) }) });
    } catch (error) {
      toastError(error);
    }
    setBusy(false);
  };
  const button = (
    <Button kind="primary" icon={Plus} busy={busy} onClick={() => void make()}>
      {t("backup_now")}
    </Button>
  );
  const list = backups.data;
  return (
    <>
      {backups.error && (
        <Failure
          className="mb-4"
          error={backups.error}
          onRetry={() => void backups.refetch()}
        />
      )}
      <Card className="overflow-hidden">
        <CardHead title={t("backups_title")} hint={t("backups_hint")}>
          {list && list.length > 0 && button}
        </CardHead>
        {!list ? (
          !backups.error && <SkeletonRows rows={3} />
        ) : list.length === 0 ? (
          <Empty icon={Archive} title={t("no_backup")} action={button}>
            {t("no_backup_text")}
          </Empty>
        ) : (
          <DataTable
            label={t("backups_title")}
            columns={columns}
            rows={list}
            rowKey={(one) => one.name}
            rowHeight={53}
          />
        )}
      </Card>
      {restoring && (
        <Restore
          key={restoring.name}
          backup={restoring}
          onClose={() => setRestoring(null)}
        />
      )}
    </>
  );
}
