/** Where a rule points to, as a form has it, and back. */
import type { Schemas } from "@/api/client";

export interface Hop {
  /** "same": wherever the request would go; only the model is another. */
  to: "same" | "channels" | "tag";
  channels: { name: string; weight: string }[];
  /** Shared out by weight instead of tried in order. */
  shared: boolean;
  tag: string;
  model: string;
}

export interface Target {
  hop: Hop;
  fallbacks: Hop[];
  strategy: string;
  /** Not shown by the form, and kept as it is. */
  transformers: unknown;
}

type ApiTarget = Schemas["RuleTarget"];
type ApiHop = Pick<ApiTarget, "channel" | "channels" | "tag" | "model">;

export const blankHop = (to: Hop["to"] = "channels"): Hop => ({
  to,
  channels: [],
  shared: false,
  tag: "",
  model: "",
});

export function hopOf(hop: ApiHop): Hop {
  const list = hop.channels ?? (hop.channel ? [hop.channel] : []);
  const channels = list.map((one) => {
    if (typeof one === "string") return { name: one, weight: "" };
    const { channel, weight } = one as { channel?: string; weight?: number };
    return { name: channel ?? "", weight: weight === undefined ? "" : String(weight) };
  });
  return {
    to: channels.length > 0 ? "channels" : hop.tag ? "tag" : "same",
    channels,
    shared: channels.some((one) => one.weight !== ""),
    tag: hop.tag ?? "",
    model: hop.model ?? "",
  };
}

export const targetOf = (target: ApiTarget | undefined): Target => ({
  hop: hopOf(target ?? {}),
  fallbacks: (target?.fallbacks ?? []).map(hopOf),
  strategy: target?.strategy ?? "",
  transformers: target?.transformers,
});

export function hopBody(hop: Hop): ApiHop {
  const model = hop.model.trim();
  const body: ApiHop = {};
  const [first] = hop.channels;
  if (hop.to === "tag") body.tag = hop.tag.trim();
  else if (hop.to === "channels" && hop.shared)
    body.channels = hop.channels.map(({ name, weight }) => ({
      channel: name,
      weight: Number(weight || 1),
    }));
  else if (hop.to === "channels" && hop.channels.length > 1)
    body.channels = hop.channels.map((one) => one.name);
  else if (hop.to === "channels" && first) body.channel = first.name;
  if (model) body.model = model;
  return body;
}

export function targetBody(target: Target): ApiTarget {
  return {
    ...hopBody(target.hop),
    ...(target.fallbacks.length > 0 && {
      fallbacks: target.fallbacks.map(hopBody) as ApiTarget["fallbacks"],
    }),
    ...(target.strategy && { strategy: target.strategy }),
    ...(target.transformers !== undefined && {
      transformers: target.transformers as ApiTarget["transformers"],
    }),
  };
}

/** Shares of a whole, in hundredths. */
export function sharesOf(hop: Hop): number[] {
  const weights = hop.channels.map(({ weight }) => Math.max(0, Number(weight || 1) || 0));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((one) => (sum > 0 ? (one / sum) * 100 : 0));
}

/** Is the channel one of those it goes to, or falls back on? */
export const pointsTo = (
  target: ApiTarget | null | undefined,
  channel: { id: string; name: string },
): boolean =>
  !!target &&
  [target, ...(target.fallbacks ?? [])].some((hop) =>
    hopOf(hop as ApiHop).channels.some(
      ({ name }) => name === channel.name || name === channel.id,
    ),
  );
