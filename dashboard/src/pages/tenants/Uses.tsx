import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { cn } from "@/lib/cn";
import { formatMoney, formatPercent, formatRelative, formatShort, formatTime } from "@/lib/format";
import { Bar } from "@/ui/stat";
import { useNow } from "@/ui/time";
import { tightest, toneOf, usesOf, type Use } from "./usage";

const amount = (use: Use, n: number) =>
  use.money ? formatMoney(n) : formatShort(n);

/** Each limit as a bar: how much, of how much, until when. */
export function Uses({ state }: { state: Schemas["LimitsUsed"] | undefined }) {
  const { t } = useTranslation("tenants");
  const now = useNow();
  const uses = usesOf(state);
  if (uses.length === 0)
    return <p className="text-sm text-muted">{t("unlimited_text")}</p>;
  return (
    <ul className="space-y-3.5">
      {uses.map((use) => (
        <li key={use.name}>
          <p className="mb-1.5 flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate">
              {t(`limit.${use.name}`)}
              {use.window && (
                <span className="text-muted">
                  {" "}
                  {t(`per.${use.window as "day"}`)}
                </span>
              )}
            </span>
            <span
              className={cn(
                "tabular",
                use.part >= 1 && "font-medium text-bad-text",
                use.part >= 0.8 && use.part < 1 && "text-warn-text",
              )}
            >
              {amount(use, use.used)}
            </span>
            <span className="text-xs text-muted tabular">
              {t("of", { limit: amount(use, use.limit) })}
            </span>
          </p>
          <Bar part={use.part} label={t(`limit.${use.name}`)} tone={toneOf(use.part)} />
          <p className="mt-1 flex justify-between text-xs text-muted tabular">
            <span>{formatPercent(use.part, 0)}</span>
            {use.resetsAt && use.used > 0 && (
              <time dateTime={use.resetsAt} title={formatTime(use.resetsAt)}>
                {t("resets", { time: formatRelative(use.resetsAt, now) })}
              </time>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** The limit that will be hit first, in a line. */
export function TightestUse({ state }: { state: Schemas["LimitsUsed"] | undefined }) {
  const { t } = useTranslation("tenants");
  const use = tightest(usesOf(state));
  if (!use) return <span className="text-muted">{t("unlimited")}</span>;
  return (
    <span className="block">
      <span className="mb-1 flex items-baseline justify-between gap-2 text-xs tabular">
        <span className="truncate text-muted">{t(`limit_short.${use.name}`)}</span>
        <span className="whitespace-nowrap">
          {amount(use, use.used)} / {amount(use, use.limit)}
        </span>
      </span>
      <Bar part={use.part} label={t(`limit.${use.name}`)} tone={toneOf(use.part)} />
    </span>
  );
}
