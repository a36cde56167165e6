/** What a person types, and what the admin API takes. */
import { z } from "zod";

import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";

z.config({ jitless: true }); // the CSP has no unsafe-eval

const line = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/;
const words = (text: string) =>
  text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter(Boolean);
const lines = (text: string) =>
  text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);

const seconds = z
  .string()
  .trim()
  .refine((text) => text === "" || Number(text) > 0, "number");
const whole = (least: number) =>
  z
    .string()
    .trim()
    .refine(
      (text) => /^-?\d+$/.test(text) && Number(text) >= least,
      "number",
    );

export const timeNames = [
  "connect_s",
  "first_byte_s",
  "first_event_s",
  "idle_s",
  "total_s",
] as const;

/* The messages are keys of the page's texts. */
export const schema = z.object({
  name: z
    .string()
    .trim()
    .min(1, "required")
    .max(64, "long")
    .regex(/^$|^[A-Za-z0-9][A-Za-z0-9._-]*$/, "name"),
  base_url: z
    .string()
    .trim()
    .refine((text) => text === "" || /^https?:\/\/[^\s]+$/.test(text), "url"),
  new_keys: z.string(),
  models: z.string(),
  priority: whole(-1_000_000),
  weight: whole(1),
  tags: z.string(),
  headers: z
    .string()
    .refine((text) => lines(text).every((one) => line.test(one)), "headers"),
  proxy_url: z
    .string()
    .trim()
    .refine(
      (text) => text === "" || /^(https?|socks5h?):\/\/\S+$/.test(text),
      "proxy",
    ),
  timeouts: z.object({
    connect_s: seconds,
    first_byte_s: seconds,
    first_event_s: seconds,
    idle_s: seconds,
    total_s: seconds,
  }),
});

export type Values = z.infer<typeof schema>;

export const blank: Values = {
  name: "",
  base_url: "",
  new_keys: "",
  models: "",
  priority: "100",
  weight: "1",
  tags: "",
  headers: "",
  proxy_url: "",
  timeouts: {
    connect_s: "",
    first_byte_s: "",
    first_event_s: "",
    idle_s: "",
    total_s: "",
  },
};

/** "alias -> upstream", or just the name. */
export const modelText = (model: Schemas["Model"]) =>
  typeof model === "string"
    ? model
    : model.upstream
      ? `${model.name} -> ${model.upstream}`
      : model.name;

export function modelOf(text: string): Schemas["Model"] {
  const [name, upstream] = text.split(/\s*(?:->|→)\s*/);
  return upstream ? { name: name!, upstream } : name!;
}

const text = (value: number | null | undefined) =>
  value == null ? "" : String(value);

export function valuesOf(channel: Channel): Values {
  return {
    name: channel.name,
    base_url: channel.base_url ?? "",
    new_keys: "",
    models: channel.models.map(modelText).join("\n"),
    priority: String(channel.priority),
    weight: String(channel.weight),
    tags: channel.tags.join(", "),
    headers: Object.entries(channel.headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
    proxy_url: channel.proxy_url ?? "",
    timeouts: Object.fromEntries(
      timeNames.map((name) => [name, text(channel.timeouts[name])]),
    ) as Values["timeouts"],
  };
}

/** All of it, as PATCH and POST take it; keys only when new ones were given. */
export function bodyOf(
  values: Values,
  keys: Channel["keys"] = [],
): Schemas["ChannelPatch"] {
  const added = lines(values.new_keys);
  const timeouts: Schemas["Timeouts"] = {};
  for (const name of timeNames)
    if (values.timeouts[name] !== "")
      timeouts[name] = Number(values.timeouts[name]);
  return {
    name: values.name,
    base_url: values.base_url || null,
    ...(added.length > 0 && {
      keys: [...keys.map(({ id }) => ({ id })), ...added],
    }),
    models: words(values.models).map(modelOf),
    priority: Number(values.priority),
    weight: Number(values.weight),
    tags: words(values.tags),
    headers: Object.fromEntries(
      lines(values.headers).map((one) => line.exec(one)!.slice(1, 3)),
    ) as Record<string, string>,
    proxy_url: values.proxy_url || null,
    timeouts,
  };
}

/** The field of the form that the API's word is about. */
export function fieldOf(path: string | undefined): keyof Values | undefined {
  const first = path?.split(/[.[]/)[0];
  if (first === "keys" || first === "api_key") return "new_keys";
  return first && first in blank ? (first as keyof Values) : undefined;
}
