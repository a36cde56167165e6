/**
 * Rows on a grid, only those in sight drawn.  Arrow keys walk, Enter opens; on
 * narrow screens a row is two lines.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  memo,
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { formatMoney, formatMs, formatShort, formatTime, UNKNOWN } from "@/lib/format";
import { Dot } from "@/ui/badge";
import type { Row } from "./list";
import { inputOf, toneOf } from "./story";

const WIDE = "(min-width: 64rem)";
const watchWide = (fn: () => void) => {
  const media = matchMedia(WIDE);
  media.addEventListener("change", fn);
  return () => media.removeEventListener("change", fn);
};
const useWide = () => useSyncExternalStore(watchWide, () => matchMedia(WIDE).matches);

const grid =
  "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 px-4 lg:grid-cols-[7.5rem_3.75rem_minmax(0,1.35fr)_minmax(0,1.15fr)_minmax(0,1fr)_7rem_5rem_4.25rem_4.5rem_2.5rem]";

const sameDay = (at: Date) => new Date().toDateString() === at.toDateString();

/** 14:05:09.123, with the day before it when it was another. */
export function stamp(time: string | null, language: string): string {
  if (!time) return UNKNOWN;
  const at = new Date(time);
  return new Intl.DateTimeFormat(language, {
    ...(!sameDay(at) && { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(at);
}

const statusColor: Record<string, string> = {
  ok: "text-ok-text",
  neutral: "text-muted",
  warn: "text-warn-text",
  bad: "text-bad-text",
};

function Cell({
  children,
  right,
  className,
}: {
  children: ReactNode;
  right?: boolean;
  className?: string;
}) {
  return (
    <div
      role="cell"
      className={cn("min-w-0 truncate max-lg:hidden", right && "text-right tabular", className)}
    >
      {children}
    </div>
  );
}

function Model({ row }: { row: Row }) {
  const asked = row.model_requested ?? UNKNOWN;
  return (
    <>
      {asked}
      {row.model && row.model !== asked && (
        <span className="text-muted"> → {row.model}</span>
      )}
    </>
  );
}

function Tokens({ row }: { row: Row }) {
  const { t } = useTranslation("requests");
  const input = inputOf(row);
  if (input === null && row.output_tokens == null)
    return <span className="text-muted">{UNKNOWN}</span>;
  return (
    <span
      title={t("tokens_title", {
        input: formatShort(input),
        output: formatShort(row.output_tokens),
        cached: formatShort(row.cache_read_tokens),
      })}
    >
      {formatShort(input)}
      <span className="text-muted"> / </span>
      {formatShort(row.output_tokens)}
    </span>
  );
}

function Line({ row, wide, language }: { row: Row; wide: boolean; language: string }) {
  const { t } = useTranslation("requests");
  const status = (
    <span className={cn("font-medium tabular", statusColor[toneOf(row)])}>
      {row.status}
    </span>
  );
  const time = (
    <span className="text-muted tabular" title={formatTime(row.started_at)}>
      {stamp(row.started_at, language)}
    </span>
  );
  if (!wide)
    return (
      <div role="cell" className="col-span-2 grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 leading-5">
        <span className="flex min-w-0 items-center gap-2 font-medium">
          <Dot tone={toneOf(row)} />
          <span className="truncate">
            <Model row={row} />
          </span>
        </span>
        <span className="flex items-baseline justify-end gap-2">
          {status}
          {time}
        </span>
        <span className="truncate pl-4 text-xs text-muted">
          {[row.channel ?? t("nobody"), row.rule, row.key].filter(Boolean).join(" · ")}
        </span>
        <span className="text-right text-xs text-soft tabular">
          <Tokens row={row} /> · {formatMs(row.duration_ms)}
        </span>
      </div>
    );
  return (
    <>
      <Cell className="flex items-center gap-2">
        <Dot tone={toneOf(row)} />
        {time}
      </Cell>
      <Cell>{status}</Cell>
      <Cell className="font-medium">
        <Model row={row} />
      </Cell>
      <Cell>
        {row.channel ?? <span className="text-muted">{t("nobody")}</span>}
        {row.rule && <span className="text-muted"> · {row.rule}</span>}
      </Cell>
      <Cell className="text-soft">
        {row.key ?? UNKNOWN}
        {row.tenant && row.tenant !== "default" && (
          <span className="text-muted"> · {row.tenant}</span>
        )}
      </Cell>
      <Cell right>
        <Tokens row={row} />
      </Cell>
      <Cell right className={cn(row.cost_usd == null && "text-muted")}>
        {formatMoney(row.cost_usd)}
      </Cell>
      <Cell right className={cn(row.ttft_ms == null && "text-muted")}>
        {formatMs(row.ttft_ms)}
      </Cell>
      <Cell right>{formatMs(row.duration_ms)}</Cell>
      <Cell right className={row.attempts > 1 ? "font-medium text-warn-text" : "text-muted"}>
        {row.attempts}
      </Cell>
    </>
  );
}

/** Drawn again only when it is another row, or another look of it. */
const RequestRow = memo(function RequestRow({
  row,
  index,
  start,
  size,
  wide,
  language,
  open,
  active,
  onOpen,
}: {
  row: Row;
  index: number;
  start: number;
  size: number;
  wide: boolean;
  language: string;
  open: boolean;
  active: boolean;
  onOpen: (row: Row) => void;
}) {
  const { t } = useTranslation("requests");
  const onClick = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onOpen(row);
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-open={open || undefined}
      data-active={active || undefined}
      style={{ height: size, transform: `translateY(${start}px)` }}
      className={cn(
        grid,
        "absolute inset-x-0 top-0 border-b border-line hover:bg-hover data-active:bg-hover data-open:bg-accent-soft",
      )}
    >
      <Line row={row} wide={wide} language={language} />
      {/* One link over the whole row; the router's own is too heavy for this. */}
      <div role="cell" className="contents">
        <a
          href={`${import.meta.env.BASE_URL}requests?request=${row.request_id}`}
          tabIndex={-1}
          onClick={onClick}
          aria-label={t("open_one", {
            model: row.model_requested ?? UNKNOWN,
            status: row.status,
          })}
          className="absolute inset-0"
        />
      </div>
    </div>
  );
});

function Heads() {
  const { t } = useTranslation("requests");
  const heads = [
    ["time"],
    ["status"],
    ["model"],
    ["channel"],
    ["key"],
    ["tokens", true],
    ["cost", true],
    ["ttft", true],
    ["duration", true],
    ["tries", true],
  ] as const;
  return (
    <div
      role="row"
      aria-rowindex={1}
      className={cn(grid, "sticky top-0 z-10 h-9 border-b border-line bg-surface text-xs font-medium text-muted max-lg:sr-only")}
    >
      {heads.map(([name, right]) => (
        <div
          key={name}
          role="columnheader"
          title={t(`${name}_help`)}
          className={cn("truncate", right && "text-right")}
        >
          {t(name)}
        </div>
      ))}
    </div>
  );
}

interface Props {
  rows: Row[];
  open: string | undefined;
  /** There may be older ones. */
  onEnd: () => void;
  onTop: (atTop: boolean) => void;
  onOpen: (id: string) => void;
  /** Below the last row. */
  foot: ReactNode;
}

export function RequestTable({ rows, open, onEnd, onTop, onOpen, foot }: Props) {
  const { t, i18n } = useTranslation("requests");
  const wide = useWide();
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const size = wide ? 38 : 58;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => size,
    getItemKey: (i) => rows[i]!.id,
    overscan: 8,
    paddingStart: wide ? 36 : 0,
    scrollPaddingStart: wide ? 36 : 0,
    initialRect: { width: 0, height: 800 },
  });
  useEffect(() => virtual.measure(), [size, virtual]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - 40) onEnd();
  }, [last, rows.length, onEnd]);

  const language = i18n.resolvedLanguage ?? "en";
  const at = active === null ? -1 : rows.findIndex((one) => one.id === active);
  const go = (to: number) => {
    const i = Math.max(0, Math.min(rows.length - 1, to));
    const row = rows[i];
    if (!row) return;
    setActive(row.id);
    virtual.scrollToIndex(i);
    if (open) onOpen(row.request_id);
  };
  const latest = useRef(onOpen);
  latest.current = onOpen;
  const choose = useCallback((row: Row) => {
    setActive(row.id);
    latest.current(row.request_id);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / size) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      go(to);
    } else if (event.key === "Enter" && at >= 0 && event.target === box.current) {
      event.preventDefault();
      onOpen(rows[at]!.request_id);
    }
  };

  return (
    <div
      ref={box}
      id="requests"
      role="region"
      aria-label={t("title")}
      aria-describedby="requests-keys"
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={(event) => onTop(event.currentTarget.scrollTop < 8)}
      className="max-h-[max(24rem,calc(100dvh-14.5rem))] overflow-auto overscroll-contain rounded-b-lg focus-visible:-outline-offset-2"
    >
      <span id="requests-keys" className="sr-only">
        {t("keys_help")}
      </span>
      <div
        role="table"
        aria-label={t("title")}
        aria-rowcount={rows.length + 1}
        className="relative"
        style={{ height: virtual.getTotalSize() }}
      >
        <Heads />
        {items.map(({ index, start, key }) => {
          const row = rows[index]!;
          return (
            <RequestRow
              key={key}
              row={row}
              index={index}
              start={start}
              size={size}
              wide={wide}
              language={language}
              open={open === row.request_id || open === row.id}
              active={row.id === active}
              onOpen={choose}
            />
          );
        })}
      </div>
      {foot}
    </div>
  );
}
