import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronUp, FilterIcon } from "lucide-react";
import { useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import {
  formatBytes,
  formatCount,
  formatMoney,
  formatMs,
  formatShort,
  formatTime,
  UNKNOWN,
} from "@/lib/format";
import { Badge } from "@/ui/badge";
import { IconButton } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Sheet } from "@/ui/dialog";
import { Failure, Skeleton } from "@/ui/states";
import { adviceOf } from "./advice";
import { Conversation } from "./Conversation";
import type { Filter } from "./filter";
import { requestQuery } from "./queries";
import {
  speedOf,
  tokensOf,
  toneOf,
  waterfallOf,
  type Detail,
  type TokenKind,
} from "./story";

function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2.5 flex items-baseline gap-3 font-semibold">
        <span className="flex-1">{title}</span>
        {note && <span className="text-xs font-normal text-muted tabular">{note}</span>}
      </h3>
      {children}
    </section>
  );
}

/* ---- in short ---------------------------------------------------------------- */

function Summary({ detail }: { detail: Detail }) {
  const { t } = useTranslation("requests");
  const speed = speedOf(detail);
  const figures: [string, string, string?][] = [
    [t("duration"), formatMs(detail.duration_ms)],
    [t("ttft_long"), formatMs(detail.ttft_ms)],
    [t("speed"), speed === null ? UNKNOWN : `${formatShort(speed)}/s`],
    [t("cost"), formatMoney(detail.cost_usd)],
  ];
  const tone = toneOf(detail);
  const advice = adviceOf(detail);
  return (
    <>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
        {figures.map(([label, value]) => (
          <div key={label} className="bg-raised px-3 py-2.5">
            <dt className="truncate text-xs text-muted">{label}</dt>
            <dd className={cn("text-base font-semibold tabular", value === UNKNOWN && "text-muted")}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      {tone !== "ok" && (
        <div
          className={cn(
            "rounded-lg px-3.5 py-2.5",
            tone === "bad" ? "bg-bad-soft text-bad-text" : tone === "warn" ? "bg-warn-soft text-warn-text" : "bg-hover text-soft",
          )}
        >
          <p className="font-medium">{t(`outcome_long.${detail.outcome ?? "error"}`)}</p>
          {detail.reason && (
            <p className="text-xs break-words">
              {t(`reasons.${detail.reason}`, { defaultValue: detail.reason })}
            </p>
          )}
          {advice && (
            <Link
              {...advice.to}
              className="mt-1.5 inline-block text-xs font-medium underline underline-offset-2"
            >
              {t(`advice.${advice.word}`)}
            </Link>
          )}
        </div>
      )}
    </>
  );
}

/* ---- why it went there --------------------------------------------------------- */

function Step({
  tone = "neutral",
  children,
  last,
}: {
  tone?: "neutral" | "ok" | "bad" | "warn";
  children: ReactNode;
  last?: boolean;
}) {
  const dot = { neutral: "bg-line-strong", ok: "bg-ok", bad: "bg-bad", warn: "bg-warn" };
  return (
    <li className="relative flex gap-3 pb-3 last:pb-0">
      {!last && <span aria-hidden className="absolute top-3 bottom-0 left-[0.28rem] w-px translate-y-1 bg-line" />}
      <span aria-hidden className={cn("mt-1.5 size-2.5 shrink-0 rounded-full ring-3 ring-raised", dot[tone])} />
      <div className="min-w-0 flex-1">{children}</div>
    </li>
  );
}

const Sub = ({ children }: { children: ReactNode }) => (
  <span className="block text-xs break-words text-muted">{children}</span>
);

function Decision({ detail }: { detail: Detail }) {
  const { t } = useTranslation("requests");
  const { trace, attempts } = detail;
  const passed = trace?.passed ?? [];
  const candidates = trace?.candidates ?? [];
  const tried = new Set(attempts.map((one) => one.channel));
  const end = attempts.at(-1);
  const rule = trace?.rule?.name ?? detail.rule;
  return (
    <ol>
      <Step>
        {t("story.asked", { model: detail.model_requested ?? UNKNOWN })}
        <Sub>
          {[detail.key && t("story.with_key", { key: detail.key }), detail.dialect, t(detail.stream ? "streamed" : "whole")]
            .filter(Boolean)
            .join(" · ")}
        </Sub>
      </Step>
      {trace?.chosen_by && (
        <Step>{t(`story.chosen_by.${trace.chosen_by}`, { defaultValue: trace.chosen_by })}</Step>
      )}
      {passed.map((one, i) => (
        <Step key={i} tone="warn">
          {one.rule ? t("story.passed", { rule: one.rule }) : t("story.passed_tag")}
          <Sub>{one.why}</Sub>
        </Step>
      ))}
      {rule ? (
        <Step tone="ok">
          {t("story.rule", { rule })}
          {detail.model && detail.model !== detail.model_requested && (
            <Sub>{t("story.model", { model: detail.model })}</Sub>
          )}
        </Step>
      ) : (
        !!trace?.rules_asked && (
          <Step>{t("story.no_rule", { count: trace.rules_asked })}</Step>
        )
      )}
      {trace && (
        <Step tone={candidates.length === 0 ? "bad" : "neutral"}>
          {candidates.length === 0 ? t("story.nobody") : t("story.candidates", { count: candidates.length })}
          {candidates.length > 0 && (
            <span className="mt-1 flex flex-wrap items-center gap-1.5">
              {candidates.map((name, i) => (
                <Badge key={i} tone={tried.has(name) ? "accent" : "neutral"}>
                  {i + 1}. {name}
                </Badge>
              ))}
            </span>
          )}
        </Step>
      )}
      {trace?.without && (
        <Step tone="warn">
          {t("story.without")}
          <Sub>{trace.without}</Sub>
        </Step>
      )}
      <Step tone={toneOf(detail)} last>
        {detail.outcome === "ok"
          ? t("story.answered", { channel: detail.channel ?? UNKNOWN, model: detail.model_served ?? detail.model ?? UNKNOWN })
          : t("story.ended", { status: detail.status })}
        {end && attempts.length > 1 && <Sub>{t("story.attempts", { count: attempts.length })}</Sub>}
        {detail.finish && <Sub>{t("story.finish", { finish: detail.finish })}</Sub>}
      </Step>
    </ol>
  );
}

/* ---- time --------------------------------------------------------------------------- */

function Timing({ detail }: { detail: Detail }) {
  const { t } = useTranslation("requests");
  const { bars, ticks, ttft } = waterfallOf(detail);
  if (bars.length === 0) return <p className="text-muted">{t("no_attempts")}</p>;
  return (
    <div>
      <div aria-hidden className="relative mb-1 h-4 text-2xs text-muted tabular">
        <span className="absolute left-0">0</span>
        {ticks.map(({ at, ms }) => (
          <span key={ms} className="absolute -translate-x-1/2" style={{ left: `${at}%` }}>
            {formatMs(ms)}
          </span>
        ))}
      </div>
      <ol className="space-y-3 py-1">
        {bars.map(({ attempt, waiting, reading, ok }, i) => (
          <li key={i}>
            <div className="mb-1 flex items-baseline gap-2">
              <span className="font-medium">{attempt.channel ?? UNKNOWN}</span>
              {attempt.model && <span className="truncate text-xs text-muted">{attempt.model}</span>}
              <span className="flex-1" />
              <Badge tone={ok ? "ok" : "bad"}>
                {attempt.status ? `HTTP ${attempt.status}` : t("no_answer")}
              </Badge>
              <span className="w-14 text-right text-xs tabular">{formatMs(attempt.duration_ms)}</span>
            </div>
            <div className="relative h-3 rounded-sm bg-hover/60">
              {ticks.map(({ at, ms }) => (
                <span key={ms} aria-hidden className="absolute inset-y-0 w-px bg-line" style={{ left: `${at}%` }} />
              ))}
              <span
                className={cn("absolute inset-y-0 min-w-0.5 rounded-l-sm", ok ? "bg-accent/45" : "bg-bad/70")}
                style={{ left: `${waiting.from}%`, width: `${waiting.width}%` }}
              />
              {reading.width > 0 && (
                <span
                  className={cn("absolute inset-y-0 rounded-r-sm", ok ? "bg-accent" : "bg-bad")}
                  style={{ left: `${reading.from}%`, width: `${reading.width}%` }}
                />
              )}
              {ttft !== null && ok && (
                <span
                  title={`${t("ttft_long")}: ${formatMs(detail.ttft_ms)}`}
                  className="absolute -inset-y-1 w-0.5 rounded bg-text"
                  style={{ left: `min(${ttft}%, calc(100% - 2px))` }}
                />
              )}
            </div>
            <p className="mt-1 text-xs break-words text-muted tabular">
              {[
                attempt.reason,
                t("began_at", { time: formatMs(attempt.start_ms) }),
                attempt.reused ? t("reused") : attempt.connect_ms ? t("connected", { time: formatMs(attempt.connect_ms) }) : null,
                attempt.status ? t("head_after", { time: formatMs(attempt.first_byte_ms) }) : null,
                attempt.cost_usd != null ? formatMoney(attempt.cost_usd) : null,
              ]
                .filter(Boolean)
                .join(" · ")}
            </p>
          </li>
        ))}
      </ol>
      <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        <Key className="bg-accent/45">{t("legend.waiting")}</Key>
        <Key className="bg-accent">{t("legend.reading")}</Key>
        {ttft !== null && <Key className="w-0.5 bg-text">{t("ttft_long")}</Key>}
        {bars.some((one) => !one.ok) && <Key className="bg-bad/70">{t("legend.failed")}</Key>}
      </ul>
    </div>
  );
}

const Key = ({ className, children }: { className: string; children: ReactNode }) => (
  <li className="flex items-center gap-1.5">
    <span aria-hidden className={cn("h-2.5 w-2.5 rounded-sm", className)} />
    {children}
  </li>
);

/* ---- tokens ------------------------------------------------------------------------- */

const tokenColor: Record<TokenKind, string> = {
  input: "series-1",
  cache_read: "series-5",
  cache_write: "series-3",
  reasoning: "series-6",
  output: "series-2",
};

function TokenBars({ detail }: { detail: Detail }) {
  const { t } = useTranslation("requests");
  const tokens = tokensOf(detail);
  if (tokens.length === 0) return <p className="text-muted">{t("no_tokens")}</p>;
  return (
    <dl className="space-y-2">
      {tokens.map(({ kind, count, part }) => (
        <div key={kind} className="grid grid-cols-[7.5rem_minmax(0,1fr)_4.5rem] items-center gap-3">
          <dt className="truncate text-soft">{t(`kinds.${kind}`)}</dt>
          <dd aria-hidden className="h-2.5 rounded-sm bg-hover/60">
            <div
              className="h-full min-w-0.5 rounded-sm"
              style={{ width: `${part * 100}%`, background: `var(--${tokenColor[kind]})` }}
            />
          </dd>
          <dd className="text-right tabular">{formatCount(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

/* ---- everything else ------------------------------------------------------------------ */

interface Fact {
  name: string;
  value: ReactNode;
  copy?: string;
  /** Shows only those that have it, too. */
  only?: Filter;
}

function Facts({ facts }: { facts: Fact[] }) {
  const { t } = useTranslation(["requests", "common"]);
  return (
    <dl className="divide-y divide-line rounded-lg border border-line">
      {facts.map(({ name, value, copy, only }) => (
        <div key={name} className="group flex min-h-9 items-center gap-3 py-1 pr-1.5 pl-3.5">
          <dt className="w-28 shrink-0 text-xs text-muted sm:w-36">{name}</dt>
          <dd className="flex min-w-0 flex-1 items-center gap-1">
            <span className={cn("min-w-0 flex-1 break-words", copy && "font-mono text-xs")}>{value}</span>
            {only && (
              <Link
                to="/requests"
                search={(old) => ({ ...(old.request && { request: old.request }), ...only })}
                aria-label={t("only", { name })}
                title={t("only", { name })}
                className="grid size-7 shrink-0 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
              >
                <FilterIcon aria-hidden className="size-3.5" />
              </Link>
            )}
            {copy && <CopyButton text={copy} label={t("copy_name", { name })} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(detail: Detail, t: (key: never, more?: object) => string): Fact[] {
  const say = t as (key: string, more?: object) => string;
  const one = (key: string, value: string | null | undefined, more: Partial<Fact> = {}): Fact[] =>
    value ? [{ name: say(key), value, ...more }] : [];
  const copied = (key: string, value: string | null | undefined) =>
    one(key, value, { copy: value ?? "" });
  const upstream = detail.attempts.findLast((a) => a.upstream_request_id)?.upstream_request_id;
  return [
    ...copied("id", detail.request_id),
    ...copied("upstream_id", upstream),
    ...copied("trace_id", detail.trace_id),
    ...copied("session", detail.session),
    ...one("tenant", detail.tenant, { only: { tenant: detail.tenant ?? undefined } }),
    ...one("key", detail.key, { only: { key: detail.key ?? undefined } }),
    ...one("channel", detail.channel, { only: { channel: detail.channel ?? undefined } }),
    ...one("model", [detail.model_requested, detail.model, detail.model_served].filter((m, i, all) => m && all.indexOf(m) === i).join(" → "), {
      only: { model: detail.model_requested ?? undefined },
    }),
    ...one("tag", detail.tag),
    ...one("operation", [detail.operation, detail.dialect].filter(Boolean).join(" · ")),
    ...one("agent", detail.agent, { only: { agent: detail.agent ?? undefined } }),
    ...one("client", detail.user_agent ?? detail.client, {
      only: detail.client ? { client: detail.client } : undefined,
    }),
    ...one("client_ip", detail.client_ip),
    ...one("plane", detail.plane),
    ...one("bytes", say("bytes_value", { request: formatBytes(detail.request_bytes), response: formatBytes(detail.response_bytes) })),
    ...one("service_tier", detail.service_tier),
    ...one("prices", detail.price_version == null ? null : say("price_version", { version: detail.price_version })),
  ];
}

/* ------------------------------------------------------------------------------------------ */

interface Props {
  id: string;
  newer: string | undefined;
  older: string | undefined;
  onGo: (id: string) => void;
  onClose: () => void;
}

export default function RequestSheet({ id, newer, older, onGo, onClose }: Props) {
  const { t } = useTranslation(["requests", "common"]);
  const { data: detail, error, refetch } = useQuery(requestQuery(id));

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.target instanceof HTMLElement && event.target.closest("pre, input, textarea, select")) return;
      const to = event.key === "j" ? older : event.key === "k" ? newer : undefined;
      if (to) onGo(to);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [newer, older, onGo]);

  const provenance = detail && detail.provenance !== "reported" && detail.provenance !== "none"
    ? t(`provenance.${detail.provenance}`, { defaultValue: detail.provenance })
    : null;
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      className="max-w-2xl"
      title={
        <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="min-w-0 truncate">{detail?.model_requested ?? t("one")}</span>
          {detail && (
            <Badge tone={toneOf(detail)}>
              {detail.status} · {t(`outcomes.${detail.outcome ?? "error"}`)}
            </Badge>
          )}
        </span>
      }
      description={detail ? formatTime(detail.started_at) : id}
      footer={
        <>
          <span aria-hidden className="mr-auto hidden text-xs text-muted sm:block">
            {t("keys_sheet")}
          </span>
          <IconButton
            icon={ChevronUp}
            label={t("newer")}
            disabled={!newer}
            onClick={() => newer && onGo(newer)}
          />
          <IconButton
            icon={ChevronDown}
            label={t("older")}
            disabled={!older}
            onClick={() => older && onGo(older)}
          />
        </>
      }
    >
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : !detail ? (
        <div role="status" className="space-y-5">
          <span className="sr-only">{t("common:loading")}</span>
          <Skeleton className="h-16" />
          <Skeleton className="h-40" />
          <Skeleton className="h-24" />
        </div>
      ) : (
        <div className="space-y-6">
          <Summary detail={detail} />
          <Section title={t("decision")}>
            <Decision detail={detail} />
          </Section>
          <Section title={t("timing")}>
            <Timing detail={detail} />
          </Section>
          <Section title={t("tokens")} note={provenance}>
            <TokenBars detail={detail} />
          </Section>
          {detail.captured && (
            <Section title={t("said.title")}>
              <Conversation key={detail.id} id={detail.request_id} />
            </Section>
          )}
          <Section title={t("facts")}>
            <Facts facts={factsOf(detail, t as never)} />
          </Section>
        </div>
      )}
    </Sheet>
  );
}
