import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { History, SearchX, X } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, unwrap, type Schemas } from "@/api/client";
import { fieldsOf } from "@/lib/diff";
import { formatTime } from "@/lib/format";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { FieldDiff } from "@/ui/diff";
import { Sheet } from "@/ui/dialog";
import { Input, Select } from "@/ui/field";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { DataTable, type Column } from "@/ui/table";
import { Ago } from "@/ui/time";
import { filterOf, isNarrowed, spans, type Search } from "./search";

type AuditLine = Schemas["AuditLine"];

const actions = [
  "create",
  "update",
  "delete",
  "login",
  "logout",
  "begin_login",
  "restore",
  "import",
  "reset",
  "load",
  "ack",
] as const;
const kinds = [
  "channel",
  "key",
  "rule",
  "function",
  "agent",
  "tenant",
  "settings",
  "user",
  "token",
  "oauth_account",
  "webhook",
  "alert",
  "price",
  "backup",
  "config",
  "tee",
] as const;

const tones: Record<string, Tone> = {
  create: "ok",
  delete: "bad",
  update: "info",
  restore: "warn",
};

function useWord() {
  const { t } = useTranslation("alerts");
  return {
    action: (word: string) =>
      t(`action.${word as "create"}`, { defaultValue: word.replaceAll("_", " ") }),
    kind: (word: string) =>
      t(`thing.${word as "channel"}`, { defaultValue: word.replaceAll("_", " ") }),
  };
}

/** Typed text goes into the address when typing has stopped. */
function TextFilter({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const [text, setText] = useState(value ?? "");
  useEffect(() => setText(value ?? ""), [value]);
  useEffect(() => {
    if (text.trim() === (value ?? "")) return;
    const timer = setTimeout(() => onChange(text.trim() || undefined), 350);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Input
      type="search"
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      spellCheck={false}
      className="w-full sm:w-40"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

function Filters({
  search,
  onChange,
}: {
  search: Search;
  onChange: (change: Partial<Search>) => void;
}) {
  const { t } = useTranslation("alerts");
  const word = useWord();
  return (
    <div className="mb-3 grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
      <TextFilter
        label={t("actor")}
        value={search.actor}
        onChange={(actor) => onChange({ actor })}
      />
      <TextFilter
        label={t("object")}
        value={search.object}
        onChange={(object) => onChange({ object })}
      />
      <Select
        aria-label={t("what")}
        className="w-full sm:w-40"
        value={search.kind ?? ""}
        onChange={(event) => onChange({ kind: event.target.value || undefined })}
      >
        <option value="">{t("any_kind")}</option>
        {kinds.map((one) => (
          <option key={one} value={one}>
            {word.kind(one)}
          </option>
        ))}
      </Select>
      <Select
        aria-label={t("did")}
        className="w-full sm:w-40"
        value={search.action ?? ""}
        onChange={(event) => onChange({ action: event.target.value || undefined })}
      >
        <option value="">{t("any_action")}</option>
        {actions.map((one) => (
          <option key={one} value={one}>
            {word.action(one)}
          </option>
        ))}
      </Select>
      <Select
        aria-label={t("when")}
        className="w-full sm:w-36"
        value={search.since ?? ""}
        onChange={(event) => onChange({ since: event.target.value || undefined })}
      >
        <option value="">{t("any_time")}</option>
        {spans.map((one) => (
          <option key={one} value={one}>
            {t(`span.${one}`)}
          </option>
        ))}
      </Select>
      {isNarrowed(search) && (
        <Button
          kind="ghost"
          icon={X}
          onClick={() =>
            onChange({
              actor: undefined,
              object: undefined,
              kind: undefined,
              action: undefined,
              since: undefined,
            })
          }
        >
          {t("clear")}
        </Button>
      )}
    </div>
  );
}

/* They differ each time, and say nothing. */
const dull = ["updated_at", "availability", "limits_state", "effective_transformers"];

function Story({ line, onClose }: { line: AuditLine; onClose: () => void }) {
  const { t } = useTranslation("alerts");
  const word = useWord();
  const fields = fieldsOf(line.before, line.after, dull);
  const asked = Object.entries(line.detail ?? {});
  const facts: [string, string | null][] = [
    [t("when"), formatTime(line.at)],
    [t("actor"), `${line.actor} (${t(`who.${line.actor_kind as "user"}`, { defaultValue: line.actor_kind })})`],
    [t("address"), line.address],
    [t("id"), line.item_id],
  ];
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      className="max-w-2xl"
      title={
        <span className="flex flex-wrap items-center gap-2">
          <Badge tone={tones[line.action] ?? "neutral"}>{word.action(line.action)}</Badge>
          {word.kind(line.kind)} {line.name !== line.kind && line.name}
        </span>
      }
      description={t("story_hint")}
    >
      <div className="space-y-5">
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5">
          {facts
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="wrap-anywhere">{value}</dd>
              </div>
            ))}
        </dl>
        <section>
          <h3 className="mb-2 font-semibold">{t("changes")}</h3>
          {line.before || line.after ? (
            <FieldDiff fields={fields} />
          ) : (
            <p className="text-muted">{t("no_changes")}</p>
          )}
        </section>
        {asked.length > 0 && (
          <section>
            <h3 className="mb-2 font-semibold">{t("asked")}</h3>
            <pre
              tabIndex={0}
              className="max-h-80 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-xs"
            >
              {JSON.stringify(line.detail, null, 2)}
            </pre>
          </section>
        )}
      </div>
    </Sheet>
  );
}

export function Audit() {
  const { t } = useTranslation("alerts");
  const word = useWord();
  const search = useSearch({ from: "/shell/alerts" });
  const navigate = useNavigate({ from: "/alerts" });
  const filter = filterOf(search);
  const audit = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/audit", {
          params: {
            query: { ...filter, limit: 100, cursor: pageParam || undefined },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    refetchInterval: 15_000,
  });
  const rows = useMemo(
    () => audit.data?.pages.flatMap((one) => one.data),
    [audit.data],
  );
  const change = (next: Partial<Search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const open = (line: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, line }), resetScroll: false });
  const { hasNextPage, isFetching, fetchNextPage } = audit;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const columns = useMemo<Column<AuditLine>[]>(
    () => [
      {
        id: "at",
        header: t("when"),
        width: "8.5rem",
        cell: (one) => (
          <span className="text-soft">
            <Ago time={one.at} />
          </span>
        ),
      },
      {
        id: "actor",
        header: t("actor"),
        width: "11rem",
        from: "sm",
        cell: (one) => (
          <span title={one.address}>
            {one.actor}
            <span className="ml-2 text-xs text-muted">
              {t(`who.${one.actor_kind as "user"}`, { defaultValue: one.actor_kind })}
            </span>
          </span>
        ),
      },
      {
        id: "action",
        header: t("did"),
        width: "7.5rem",
        cell: (one) => (
          <Badge tone={tones[one.action] ?? "neutral"}>{word.action(one.action)}</Badge>
        ),
      },
      {
        id: "what",
        header: t("what"),
        cell: (one) => (
          <button className="max-w-full truncate rounded text-left" onClick={() => open(one.id)}>
            <span className="text-muted">{word.kind(one.kind)}</span>{" "}
            {one.name !== one.kind && (
              <span className="font-medium">{one.name || one.item_id}</span>
            )}
          </button>
        ),
      },
      {
        id: "fields",
        header: t("changes"),
        from: "lg",
        cell: (one) => (
          <span className="font-mono text-2xs text-muted">
            {one.before && one.after
              ? fieldsOf(one.before, one.after, dull)
                  .map(({ field }) => field)
                  .join(", ")
              : ""}
          </span>
        ),
      },
    ],
    [t],
  );

  const shown = rows?.find((one) => one.id === search.line);
  return (
    <>
      <Filters search={search} onChange={change} />
      {audit.error && (
        <Failure
          className="mb-4"
          error={audit.error}
          onRetry={() => void audit.refetch()}
        />
      )}
      <Card className="overflow-hidden">
        {!rows ? (
          !audit.error && <SkeletonRows rows={6} />
        ) : rows.length === 0 ? (
          isNarrowed(search) ? (
            <Empty icon={SearchX} title={t("none_found")}>
              {t("none_found_text")}
            </Empty>
          ) : (
            <Empty icon={History} title={t("no_audit")} />
          )
        ) : (
          <DataTable
            label={t("part.audit")}
            columns={columns}
            rows={rows}
            rowKey={(one) => one.id}
            onOpen={(one) => open(one.id)}
            isOpen={(one) => one.id === search.line}
            onEnd={onEnd}
            height={rows.length > 14 ? "calc(100dvh - 17rem)" : undefined}
          />
        )}
      </Card>
      {shown && <Story line={shown} onClose={() => open(undefined)} />}
    </>
  );
}
