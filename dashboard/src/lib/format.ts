/**
 * Numbers, money and times as people read them.  Unknown (null) is never shown
 * as zero: it is a dash.
 */
import i18next from "i18next";

export const UNKNOWN = "—";

type Maybe<T> = T | null | undefined;

const made = new Map<string, Intl.NumberFormat>();
function number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const language = i18next.resolvedLanguage ?? "en";
  const key = language + JSON.stringify(options);
  let format = made.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, options);
    made.set(key, format);
  }
  return format;
}

/* To make one takes a hundred times as long as to use it. */
const clocks = new Map<string, Intl.DateTimeFormat>();
/** The one way to write times; `name` stands for `options`. */
export function clock(
  name: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const language = i18next.resolvedLanguage ?? "en";
  const key = `${language} ${name}`;
  let format = clocks.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, options);
    clocks.set(key, format);
  }
  return format;
}

const relatives = new Map<string, Intl.RelativeTimeFormat>();
function relativeClock(): Intl.RelativeTimeFormat {
  const language = i18next.resolvedLanguage ?? "en";
  let format = relatives.get(language);
  if (!format) {
    format = new Intl.RelativeTimeFormat(language, {
      numeric: "auto",
      style: "short",
    });
    relatives.set(language, format);
  }
  return format;
}

/** 1,234,567 */
export const formatCount = (n: Maybe<number>) =>
  n == null ? UNKNOWN : number({ maximumFractionDigits: 0 }).format(n);

/** 1.2M; small numbers are exact. */
export function formatShort(n: Maybe<number>): string {
  if (n == null) return UNKNOWN;
  if (Math.abs(n) < 10_000) return number({ maximumFractionDigits: 1 }).format(n);
  return number({ notation: "compact", maximumFractionDigits: 1 }).format(n);
}

/** 12.3% of 0.123 */
export const formatPercent = (part: Maybe<number>, digits = 1) =>
  part == null || !Number.isFinite(part)
    ? UNKNOWN
    : number({ style: "percent", maximumFractionDigits: digits }).format(part);

/** Decimal text of US dollars: cents, and more digits the smaller it is. */
export function formatMoney(usd: Maybe<string | number>): string {
  if (usd == null || usd === "") return UNKNOWN;
  const n = Number(usd);
  if (!Number.isFinite(n)) return UNKNOWN;
  const size = Math.abs(n);
  const digits = size === 0 || size >= 1 ? 2 : size >= 0.01 ? 3 : 6;
  return number({
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  }).format(n);
}

const unit = (n: number, name: string, digits: number) =>
  number({
    style: "unit",
    unit: name,
    unitDisplay: "narrow",
    maximumFractionDigits: digits,
  }).format(n);

/** 812ms, 1.24s, 3m 5s */
export function formatMs(ms: Maybe<number>): string {
  if (ms == null) return UNKNOWN;
  if (ms < 1_000) return unit(Math.round(ms), "millisecond", 0);
  if (ms < 60_000) return unit(ms / 1_000, "second", ms < 10_000 ? 2 : 1);
  return formatSpan(ms / 1_000);
}

/** The two greatest parts of a span: 2d 4h, 3m 5s */
export function formatSpan(seconds: Maybe<number>): string {
  if (seconds == null) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "day"],
    [Math.floor(whole / 3_600) % 24, "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return unit(0, "second", 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, name]) => unit(n, name, 0))
    .join(" ");
}

/** 1.5 MB */
export function formatBytes(bytes: Maybe<number>): string {
  if (bytes == null) return UNKNOWN;
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let n = bytes;
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return number({
    style: "unit",
    unit: units[i]!,
    unitDisplay: i === 0 ? "long" : "short",
    maximumFractionDigits: i === 0 ? 0 : 1,
  }).format(n);
}

/** "3 minutes ago", "in 2 hours" */
export function formatRelative(time: Maybe<string>, now = Date.now()): string {
  if (!time) return UNKNOWN;
  const seconds = (Date.parse(time) - now) / 1_000;
  const relative = relativeClock();
  const size = Math.abs(seconds);
  if (size < 45) return relative.format(Math.round(seconds), "second");
  if (size < 45 * 60) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 22 * 3_600)
    return relative.format(Math.round(seconds / 3_600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

/** Date and time to the second, in the reader's zone. */
export const formatTime = (time: Maybe<string | number>) =>
  time == null || time === ""
    ? UNKNOWN
    : clock("full", { dateStyle: "medium", timeStyle: "medium" }).format(
        new Date(time),
      );

/** 14:05 */
export const formatClock = (time: string | number) =>
  clock("minute", {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  }).format(new Date(time));
