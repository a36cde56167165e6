/**
 * A table that stays smooth with 100 000 rows: only those in sight are drawn.
 *
 *   const columns: Column<Row>[] = [
 *     { id: "name", header: t("name"), cell: (row) => row.name, sort: (row) => row.name },
 *   ];
 *   <DataTable label={t("requests")} columns={columns} rows={rows} rowKey={(row) => row.id} />
 *
 * `columns` must keep its identity between renders (useMemo).
 */
import {
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
  type ColumnDef,
  type SortingState,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useMemo, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";

export interface Column<T> {
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** What to sort by; left out: cannot be sorted.  Null is last. */
  sort?: (row: T) => string | number | null;
  /** Its header is only read out: the cells speak for themselves. */
  quiet?: boolean;
  /** Numbers go to the right. */
  align?: "right";
  /** CSS width; the rest is shared by those without. */
  width?: string;
  /** Below this width of the window it is not shown. */
  from?: "sm" | "md" | "lg" | "xl";
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  /** Opens it; give the first cell a link or button for the keyboard. */
  onOpen?: (row: T) => void;
  isOpen?: (row: T) => boolean;
  /** Near the end: fetch more. */
  onEnd?: () => void;
  initialSort?: SortingState;
  rowHeight?: number;
  /** CSS height of what scrolls; left out: as long as its rows, not virtual. */
  height?: string;
  className?: string;
}

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
});

const hidden = {
  sm: "max-sm:hidden",
  md: "max-md:hidden",
  lg: "max-lg:hidden",
  xl: "max-xl:hidden",
};

/** Null sorts last in either direction. */
export function defsOf<T extends object>(
  columns: Column<T>[],
): ColumnDef<typeof features, T>[] {
  return columns.map(({ id, header, sort }) => ({
    id,
    header,
    accessorFn: (row: T) => sort?.(row) ?? undefined,
    enableSorting: sort !== undefined,
    sortFn: "basic" as const,
    sortUndefined: "last" as const,
  }));
}

export function DataTable<T extends object>({
  label,
  columns,
  rows,
  rowKey,
  onOpen,
  isOpen,
  onEnd,
  initialSort,
  rowHeight = 41,
  height,
  className,
}: Props<T>) {
  const { t } = useTranslation();
  const defs = useMemo(() => defsOf(columns), [columns]);
  const table = useTable({
    features,
    columns: defs,
    data: rows,
    getRowId: rowKey,
    initialState: { sorting: initialSort ?? [] },
  });
  const sorted = table.getRowModel().rows;
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    enabled: height !== undefined,
    initialRect: { width: 0, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const shown =
    height === undefined
      ? sorted.map((row, index) => ({ row, index }))
      : items.map(({ index }) => ({ row: sorted[index]!, index }));
  const before = items[0]?.start ?? 0;
  const after =
    height === undefined ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0);

  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);

  const headers = table.getHeaderGroups()[0]!.headers;
  return (
    <div
      ref={box}
      tabIndex={0}
      role="region"
      aria-label={label}
      className={cn("overflow-auto overscroll-contain", className)}
      style={{ height, maxHeight: height }}
    >
      <table
        aria-rowcount={sorted.length + 1}
        className="w-full table-fixed border-separate border-spacing-0"
      >
        <thead>
          <tr aria-rowindex={1}>
            {headers.map((header, i) => {
              const { align, width, from } = columns[i]!;
              const order = header.column.getIsSorted();
              const Arrow = order === "desc" ? ArrowDown : ArrowUp;
              return (
                <th
                  key={header.id}
                  scope="col"
                  style={{ width }}
                  aria-sort={
                    order === "asc"
                      ? "ascending"
                      : order === "desc"
                        ? "descending"
                        : undefined
                  }
                  className={cn(
                    "sticky top-0 z-10 h-9 border-b border-line bg-surface px-3 text-left text-xs font-medium text-muted first:pl-4 last:pr-4",
                    align === "right" && "text-right",
                    from && hidden[from],
                  )}
                >
                  {header.column.getCanSort() ? (
                    <button
                      title={t("table.sort", { column: columns[i]!.header })}
                      onClick={header.column.getToggleSortingHandler()}
                      className={cn(
                        "group -mx-1 inline-flex max-w-full items-center gap-1 rounded px-1 hover:text-text",
                        order && "text-text",
                        // The arrow stands where the figures begin.
                        align === "right" && "flex-row-reverse",
                      )}
                    >
                      <span className="truncate">{columns[i]!.header}</span>
                      <Arrow
                        aria-hidden
                        className={cn(
                          "size-3 shrink-0",
                          !order && "opacity-0 group-hover:opacity-60",
                        )}
                      />
                    </button>
                  ) : (
                    <span className={cn(columns[i]!.quiet && "sr-only")}>
                      {columns[i]!.header}
                    </span>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Space height={before} />}
          {shown.map(({ row, index }) => (
            <tr
              key={row.id}
              aria-rowindex={index + 2}
              data-open={isOpen?.(row.original) || undefined}
              onClick={onOpen && (() => onOpen(row.original))}
              style={{ height: rowHeight }}
              className={cn(
                "group/row data-open:bg-accent-soft",
                onOpen && "cursor-pointer hover:bg-hover data-open:hover:bg-accent-soft",
              )}
            >
              {columns.map(({ id, cell, align, from }) => (
                <td
                  key={id}
                  className={cn(
                    "truncate border-b border-line px-3 first:pl-4 last:pr-4 group-last/row:border-b-0",
                    align === "right" && "text-right tabular",
                    from && hidden[from],
                  )}
                >
                  {cell(row.original)}
                </td>
              ))}
            </tr>
          ))}
          {after > 0 && <Space height={after} />}
        </tbody>
      </table>
    </div>
  );
}

const Space = ({ height }: { height: number }) => (
  <tr aria-hidden>
    <td style={{ height }} />
  </tr>
);
