/** What a person types about tenants and keys, and what the admin API takes. */
import { z } from "zod";

import type { Schemas } from "@/api/client";
import type { Key, Tenant } from "@/api/tenants";
import { readCount, readMoney } from "@/lib/amounts";

z.config({ jitless: true }); // the CSP has no unsafe-eval

const words = (text: string) =>
  text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter(Boolean);

const count = z
  .string()
  .trim()
  .refine((text) => {
    const n = readCount(text);
    return text === "" || (n !== undefined && n >= 1 && n <= 1e12);
  }, "count");

const money = z
  .string()
  .trim()
  .refine((text) => {
    const usd = Number(readMoney(text));
    return text === "" || (usd > 0 && usd <= 1e6);
  }, "money");

const network = /^[0-9a-fA-F:.]+(\/\d{1,3})?$/;

export const quotaWindows = ["day", "week", "month", "total"] as const;
export const budgetWindows = ["hour", "day", "week", "month", "total"] as const;

/* The messages are keys of the page's texts. */
const common = {
  name: z.string().trim().min(1, "required").max(64, "long"),
  requests_per_min: count,
  tokens_per_min: count,
  concurrent: count,
  quota: count,
  quota_window: z.enum(quotaWindows),
  budget: money,
  budget_window: z.enum(budgetWindows),
  models: z.string(),
  channels: z.string(),
  ips: z
    .string()
    .refine(
      (text) => words(text).every((one) => one === "*" || network.test(one)),
      "network",
    ),
};

export const expiries = ["never", "1d", "7d", "30d", "90d", "365d", "at"] as const;

export const tenantSchema = z.object(common);
export const keySchema = z
  .object({
    ...common,
    tenant: z.string(),
    expiry: z.enum(expiries),
    expires_at: z.string(),
    may_force_channel: z.boolean(),
  })
  .refine((one) => one.expiry !== "at" || !Number.isNaN(Date.parse(one.expires_at)), {
    path: ["expires_at"],
    error: "date",
  });

export type TenantValues = z.infer<typeof tenantSchema>;
export type KeyValues = z.infer<typeof keySchema>;

export const blankTenant: TenantValues = {
  name: "",
  requests_per_min: "",
  tokens_per_min: "",
  concurrent: "",
  quota: "",
  quota_window: "month",
  budget: "",
  budget_window: "month",
  models: "",
  channels: "",
  ips: "",
};

export const blankKey: KeyValues = {
  ...blankTenant,
  tenant: "default",
  expiry: "never",
  expires_at: "",
  may_force_channel: false,
};

/** Everything allowed is an empty field. */
const listText = (list: string[]) => (list.includes("*") ? "" : list.join("\n"));
const listOf = (text: string) => {
  const list = words(text);
  return list.length > 0 ? list : ["*"];
};
const text = (n: number | null | undefined) => (n == null ? "" : String(n));

function commonValues(one: Tenant | Key): TenantValues {
  const limits = one.limits ?? {};
  return {
    name: one.name,
    requests_per_min: text(limits.requests_per_min),
    tokens_per_min: text(limits.tokens_per_min),
    concurrent: text(limits.concurrent),
    quota: text(limits.quota?.tokens),
    quota_window: limits.quota?.window ?? "month",
    budget: limits.budget == null ? "" : String(limits.budget.amount_usd),
    budget_window: limits.budget?.window ?? "month",
    models: listText(one.models),
    channels: listText(one.channels),
    ips: listText(one.ips),
  };
}

export const tenantValues = (tenant: Tenant): TenantValues => commonValues(tenant);

/** "2026-01-31T12:00" of the reader's zone, as the browser's field has it. */
function localTime(time: string | null): string {
  if (!time) return "";
  const at = new Date(time);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

export const keyValues = (key: Key): KeyValues => ({
  ...commonValues(key),
  tenant: key.tenant,
  expiry: key.expires_at ? "at" : "never",
  expires_at: localTime(key.expires_at),
  may_force_channel: key.may_force_channel,
});

/** Null where there is none: a limit that was there goes away. */
function limitsOf(values: TenantValues): Schemas["Limits"] {
  const quota = readCount(values.quota);
  const budget = readMoney(values.budget);
  return {
    requests_per_min: readCount(values.requests_per_min) ?? null,
    tokens_per_min: readCount(values.tokens_per_min) ?? null,
    concurrent: readCount(values.concurrent) ?? null,
    quota:
      quota === undefined ? null : { tokens: quota, window: values.quota_window },
    budget:
      budget === undefined
        ? null
        : { amount_usd: budget, window: values.budget_window },
  };
}

export const tenantBody = (values: TenantValues) => ({
  name: values.name.trim(),
  limits: limitsOf(values),
  models: listOf(values.models),
  channels: listOf(values.channels),
  ips: listOf(values.ips),
});

const DAY = 86_400_000;

function expiresAt(values: KeyValues, before: string | null, now: number) {
  if (values.expiry === "never") return null;
  if (values.expiry !== "at")
    return new Date(now + parseInt(values.expiry) * DAY).toISOString();
  // Minutes are all the field shows: what was not touched stays to the second.
  if (before && localTime(before) === values.expires_at) return before;
  return new Date(values.expires_at).toISOString();
}

export const keyBody = (
  values: KeyValues,
  before: string | null = null,
  now = Date.now(),
) => ({
  ...tenantBody(values),
  tenant: values.tenant,
  expires_at: expiresAt(values, before, now),
  may_force_channel: values.may_force_channel,
});

/** The field of the form that the API's word is about. */
export function fieldOf(path: string | undefined): keyof KeyValues | undefined {
  if (!path) return undefined;
  const parts = path.split(/[.[]/);
  const name = parts[0] === "limits" ? parts[1] : parts[0];
  return name && name in blankKey ? (name as keyof KeyValues) : undefined;
}
