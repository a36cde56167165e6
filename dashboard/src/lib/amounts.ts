/**
 * Numbers, spans and money as people type them: "2M", "10k", "1,500", "5h",
 * "1d 12h", "$20".  Undefined: that is none.
 */

const scales: Record<string, number> = { k: 1e3, m: 1e6, g: 1e9, b: 1e9 };

export function readCount(text: string): number | undefined {
  const clean = text.replace(/[,_\s](?=\d)/g, "").trim();
  const found = /^(\d+(?:\.\d+)?)\s*([kmgb])?$/i.exec(clean);
  if (!found) return undefined;
  const n = Number(found[1]) * (scales[found[2]?.toLowerCase() ?? ""] ?? 1);
  // 1.1M is 1100000, whatever the machine makes of 1.1.
  const near = Number(n.toFixed(3));
  return Number.isInteger(near) ? near : undefined;
}

const units: Record<string, number> = {
  ms: 0.001,
  s: 1,
  m: 60,
  min: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/** Seconds; a bare number is seconds. */
export function readSpan(text: string): number | undefined {
  const clean = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(clean)) return Number(clean);
  const part = /\s*(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)/y;
  let sum = 0;
  let at = 0;
  if (clean === "") return undefined;
  while (at < clean.length) {
    part.lastIndex = at;
    const found = part.exec(clean);
    if (!found) return undefined;
    sum += Number(found[1]) * units[found[2]!]!;
    at = part.lastIndex;
  }
  return Math.round(sum * 1_000) / 1_000;
}

/** The shortest that readSpan reads the same: 5h, 1d 12h, 0.5s. */
export function writeSpan(seconds: number | null | undefined): string {
  if (seconds == null) return "";
  if (seconds === 0) return "0";
  let rest = Math.round(seconds * 1_000) / 1_000;
  const parts: string[] = [];
  for (const [name, size] of [["d", 86_400], ["h", 3_600], ["m", 60]] as const) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${n}${name}`);
    rest = Math.round((rest - n * size) * 1_000) / 1_000;
  }
  if (rest > 0) parts.push(`${rest}s`);
  return parts.join(" ");
}

/** Decimal text of dollars with at most six digits behind the point. */
export function readMoney(text: string): string | undefined {
  const clean = text.replace(/[$,\s]/g, "");
  return /^\d+(\.\d{1,6})?$/.test(clean) ? clean : undefined;
}

const sizes: Record<string, number> = {
  "": 1, b: 1,
  kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12,
  kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

export function readBytes(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)$/i.exec(text.replace(/,/g, "").trim());
  const size = found ? sizes[found[2]!.toLowerCase()] : undefined;
  if (!found || size === undefined) return undefined;
  return Math.round(Number(found[1]) * size);
}

/** In the greatest unit that leaves it whole: 32 MiB, 1 GiB, 1500 B. */
export function writeBytes(bytes: number | null | undefined): string {
  if (bytes == null) return "";
  for (const name of ["tib", "gib", "mib", "kib"] as const)
    if (bytes >= sizes[name]! && bytes % sizes[name]! === 0)
      return `${bytes / sizes[name]!} ${name[0]!.toUpperCase()}iB`;
  return `${bytes} B`;
}
