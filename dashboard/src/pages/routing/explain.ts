/** What a data plane says about a request, and in which words. */
export interface Candidate {
  channel: string;
  channel_id: string;
  key_id: string | null;
  model: string;
  reason: string;
  until: string | null;
}

export interface Understood {
  dialect: string;
  model: string;
  stream: boolean;
  tokens: number;
  messages: number;
  tools: number;
  images: number;
  documents: number;
  audio: number;
  thinking: boolean;
  web_search: boolean;
  subagent: boolean;
  words: number;
  code: boolean;
  content_category: string;
  complexity_level: string;
  programming_language: string;
  intent: string;
}

export interface Explanation {
  chosen: Omit<Candidate, "reason" | "until"> | null;
  rule: { id: string; name: string } | null;
  session: string | null;
  refusal?: string;
  request: Understood;
  steps: { step: string; text: string }[];
  candidates: Candidate[];
  snapshot_version?: number;
}

export interface Passed {
  rule: string | null;
  why: string;
}

const PASSED = /^(?:'(.*)'|the tag's model is) passed by: ([\s\S]*)$/;

/** The rules that held but had nobody to offer, or failed themselves. */
export function passedOf(steps: Explanation["steps"]): Passed[] {
  return steps.flatMap(({ step, text }) => {
    if (step !== "rule" && step !== "subagent") return [];
    const parts = PASSED.exec(text);
    return [{ rule: parts?.[1] ?? null, why: parts?.[2] ?? text }];
  });
}

/** How the rules were asked, where there is more to say than which one decided. */
export function notAsked(steps: Explanation["steps"]): "client" | "subagent" | null {
  const text = steps.find((one) => one.step === "rules")?.text ?? "";
  if (!text.startsWith("not asked")) return null;
  return text.includes("client") ? "client" : "subagent";
}

export const askedCount = (steps: Explanation["steps"]): number => {
  const text = steps.find((one) => one.step === "rules")?.text ?? "";
  return Number(/none of (\d+)/.exec(text)?.[1] ?? /\((\d+) asked\)/.exec(text)?.[1] ?? 0);
};

/** Keys of the reasons' texts; what is not known is shown as it is. */
const reasons: Record<string, string> = {
  ok: "ok",
  disabled: "disabled",
  paused: "paused",
  "another channel was asked for": "not_forced",
  "is not where the rule points": "not_target",
  "not allowed for this key": "not_allowed",
  "does not serve the model": "model",
  "does not speak the dialect": "dialect",
  "has no usable credential": "no_credential",
  "is in trouble": "troubled",
  "is rate limited": "rate_limited",
  "has used up its quota": "quota",
  "is overloaded": "overloaded",
  "has its credential refused": "credential",
  "needs a new login": "login",
  "has no credit left": "credit",
  "does not know the model": "unknown_model",
  "fails its health checks": "unhealthy",
  "is failing": "failing",
};
export const reasonKey = (reason: string): string | undefined => reasons[reason];

/** On purpose or by its nature out, rather than in trouble. */
const calm = new Set(["disabled", "paused", "not_forced", "not_target", "model", "dialect"]);
export function reasonTone(reason: string): "ok" | "neutral" | "warn" {
  const key = reasonKey(reason);
  return key === "ok" ? "ok" : key && calm.has(key) ? "neutral" : "warn";
}
