/** What may be typed about users and tokens. */
import { z } from "zod";

z.config({ jitless: true }); // the CSP has no unsafe-eval

export const roles = ["viewer", "admin", "owner"] as const;
export const leastPassword = 10;

const name = z.string().trim().min(1, "required").max(64, "long");
const password = z.string().min(leastPassword, "password").max(1_024, "password");

export const userSchema = z.object({ name, role: z.enum(roles), password });
export type UserValues = z.infer<typeof userSchema>;

export const ownSchema = z
  .object({ current: z.string().min(1, "required"), password, again: z.string() })
  .refine((one) => one.password === one.again, { path: ["again"], error: "differ" });
export type OwnValues = z.infer<typeof ownSchema>;

export const reaches = ["*", "write", "read", "areas"] as const;
/** Areas of the API that a token may be for. */
export const areas = [
  "channels",
  "tenants",
  "keys",
  "routing",
  "settings",
  "config",
  "oauth",
  "requests",
  "analytics",
  "prices",
  "alerts",
  "webhooks",
] as const;
export const spans = ["never", "30d", "90d", "365d"] as const;

export const tokenSchema = z
  .object({
    name,
    reach: z.enum(reaches),
    scopes: z.array(z.string()),
    expiry: z.enum(spans),
  })
  .refine((one) => one.reach !== "areas" || one.scopes.length > 0, {
    path: ["scopes"],
    error: "scopes",
  });
export type TokenValues = z.infer<typeof tokenSchema>;

export const tokenBody = (values: TokenValues, now = Date.now()) => ({
  name: values.name.trim(),
  scopes: values.reach === "areas" ? values.scopes : [values.reach],
  expires_at:
    values.expiry === "never"
      ? null
      : new Date(now + parseInt(values.expiry) * 86_400_000).toISOString(),
});

/** None, reading, or writing of one area; writing has reading in it. */
export function withArea(
  scopes: string[],
  area: string,
  what: "" | "read" | "write",
): string[] {
  const others = scopes.filter((one) => !one.startsWith(`${area}:`));
  return what === "" ? others : [...others, `${area}:${what}`];
}
