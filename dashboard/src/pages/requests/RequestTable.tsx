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
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { clock, formatMoney, formatMs, formatShort, formatTime, UNKNOWN } from "@/lib/format";
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

const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;

/** 14:05:09, with the day before it when it was another. */
export function stamp(text: string | null): string {
  if (!text) return UNKNOWN;
  const at = new Date(text);
  const now = new Date();
  const today =
    at.getDate() === now.getDate() &&
    at.getMonth() === now.getMonth() &&
    at.getFullYear() === now.getFullYear();
  return today
    ? clock("second", time).format(at)
    : clock("day second", { ...time, month: "short", day: "numeric" }).format(at);
}

const line = `${grid} absolute inset-x-0 border-b border-line contain-strict hover:bg-hover data-active:bg-hover data-open:bg-accent-soft`;

type T = TFunction<"requests">;

const statusColor: Record<string, string> = {
  ok: "text-ok-text",
  neutral: "text-muted",
  warn: "text-warn-text",
  bad: "text-bad-text",
};

/* Dozens of these are drawn anew in each frame of scrolling: no merging of classes,
   no hook, and no text that is made twice. */
const cell = "min-w-0 truncate max-lg:hidden";
const figure = "min-w-0 text-right whitespace-nowrap tabular max-lg:hidden"; // nothing to cut off

function Cell({ children, look = cell }: { children: ReactNode; look?: string }) {
  return (
    <div role="cell" className={look}>
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

function Tokens({ row, t }: { row: Row; t: T }) {
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

function Line({ row, wide, t }: { row: Row; wide: boolean; t: T }) {
  const status = (
    <span className={`font-medium tabular ${statusColor[toneOf(row)]}`}>
      {row.status}
    </span>
  );
  const time = (
    <span className="text-muted tabular" title={formatTime(row.started_at)}>
      {stamp(row.started_at)}
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
          <Tokens row={row} t={t} /> · {formatMs(row.duration_ms)}
        </span>
      </div>
    );
  return (
    <>
      <Cell look={`${cell} flex items-center gap-2`}>
        <Dot tone={toneOf(row)} />
        {time}
      </Cell>
      <Cell>{status}</Cell>
      <Cell look={`${cell} font-medium`}>
        <Model row={row} />
      </Cell>
      <Cell>
        {row.channel ?? <span className="text-muted">{t("nobody")}</span>}
        {row.rule && <span className="text-muted"> · {row.rule}</span>}
      </Cell>
      <Cell look={`${cell} text-soft`}>
        {row.key ?? UNKNOWN}
        {row.tenant && row.tenant !== "default" && (
          <span className="text-muted"> · {row.tenant}</span>
        )}
      </Cell>
      <Cell look={figure}>
        <Tokens row={row} t={t} />
      </Cell>
      <Cell look={row.cost_usd == null ? `${figure} text-muted` : figure}>
        {formatMoney(row.cost_usd)}
      </Cell>
      <Cell look={row.ttft_ms == null ? `${figure} text-muted` : figure}>
        {formatMs(row.ttft_ms)}
      </Cell>
      <Cell look={figure}>{formatMs(row.duration_ms)}</Cell>
      <Cell look={row.attempts > 1 ? `${figure} font-medium text-warn-text` : `${figure} text-muted`}>
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
  t,
  open,
  active,
  onOpen,
}: {
  row: Row;
  index: number;
  start: number;
  size: number;
  wide: boolean;
  t: T;
  open: boolean;
  active: boolean;
  onOpen: (row: Row) => void;
}) {
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
      style={{ height: size, top: start }}
      className={line}
    >
      <Line row={row} wide={wide} t={t} />
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
  const { t } = useTranslation("requests");
  const wide = useWide();
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const size = wide ? 38 : 58;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => size,
    getItemKey: (i) => rows[i]!.id,
    overscan: 4,
    paddingStart: wide ? 36 : 0,
    scrollPaddingStart: wide ? 36 : 0,
    initialRect: { width: 0, height: 800 },
  });
  useEffect(() => virtual.measure(), [size, virtual]);

  const items = virtual.getVirtualItems();
  // Rows that leave are the ones that come: nothing is made while scrolling.
  const pool = Math.ceil(items.length / 4) * 4;
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - 40) onEnd();
  }, [last, rows.length, onEnd]);

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
        {items.map(({ index, start }) => {
          const row = rows[index]!;
          return (
            <RequestRow
              key={index % pool}
              row={row}
              index={index}
              start={start}
              size={size}
              wide={wide}
              t={t}
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
