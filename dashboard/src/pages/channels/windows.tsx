/** How much of a subscription is used, as far as its provider tells. */
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import { formatPercent, formatRelative, formatTime } from "@/lib/format";
import { Bar } from "@/ui/stat";
import { Ago, useNow } from "@/ui/time";

type Window = NonNullable<Channel["windows"]>[number];

export const windowTone = (percent: number) =>
  percent >= 95 ? "bad" : percent >= 80 ? "warn" : "accent";

function useName() {
  const { t } = useTranslation("channels");
  return (name: string) =>
    t(`window.${name}` as "window.five_hour", {
      defaultValue: name.replaceAll("_", " "),
    });
}

function Line({ window, of }: { window: Window; of?: string }) {
  const { t } = useTranslation("channels");
  const now = useNow();
  const name = useName()(window.name);
  const over = !!window.resets_at && Date.parse(window.resets_at) <= now;
  const used = over ? 0 : window.used_percent;
  return (
    <li>
      <div className="mb-1 flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate">
          {name}
          {of && <span className="ml-2 text-xs text-muted">{of}</span>}
        </span>
        <span className="font-medium tabular">{formatPercent(used / 100, 0)}</span>
      </div>
      <Bar part={used / 100} label={[name, of].filter(Boolean).join(" ")} tone={windowTone(used)} />
      <p className="mt-1 text-xs text-muted tabular" title={formatTime(window.resets_at)}>
        {over
          ? t("window_anew")
          : window.resets_at
            ? t("window_resets", { time: formatRelative(window.resets_at, now) })
            : t("window_open")}
        {" · "}
        {t("window_seen")} <Ago time={window.seen_at} />
      </p>
    </li>
  );
}

export function Windows({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  const { windows = [], keys } = channel;
  if (windows.length === 0) return null;
  const many = new Set(windows.map((one) => one.key)).size > 1;
  const keyName = (id: string) => {
    const key = keys.find((one) => one.id === id);
    return key?.account ?? (key ? `…${key.last4}` : id);
  };
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("windows")}</h3>
      <ul className="grid gap-4 rounded-lg border border-line px-3.5 py-3 sm:grid-cols-2">
        {windows.map((one) => (
          <Line
            key={one.key + one.name}
            window={one}
            of={many ? keyName(one.key) : undefined}
          />
        ))}
      </ul>
    </section>
  );
}

/** The fullest of them, for a line of a list. */
export function FullestWindow({ channel }: { channel: Channel }) {
  const nameOf = useName();
  const now = useNow();
  const fullest = (channel.windows ?? [])
    .filter((one) => !one.resets_at || Date.parse(one.resets_at) > now)
    .toSorted((a, b) => b.used_percent - a.used_percent)[0];
  if (!fullest) return null;
  const label = `${nameOf(fullest.name)} ${formatPercent(fullest.used_percent / 100, 0)}`;
  return (
    <div className="hidden w-28 shrink-0 lg:block" title={label}>
      <p className="mb-1 truncate text-2xs text-muted tabular">{label}</p>
      <Bar
        part={fullest.used_percent / 100}
        label={nameOf(fullest.name)}
        tone={windowTone(fullest.used_percent)}
      />
    </div>
  );
}
