/** Conditions and targets as sentences. */
import type { TFunction } from "i18next";

import { formatCount, formatPercent } from "@/lib/format";
import {
  days,
  isGroup,
  kindOf,
  treeOf,
  type Header,
  type Leaf,
  type Node,
  type Time,
} from "./condition";
import type { Rule } from "./queries";
import { sharesOf, targetOf, type Hop } from "./target";

type T = TFunction<"routing">;
const MOST = 3;

function listed(values: string[], t: T): string {
  const shown = values.slice(0, MOST).join(", ");
  return values.length > MOST
    ? t("say.more", { shown, count: values.length - MOST })
    : shown;
}

const named = (name: Leaf["name"], t: T) => {
  const word = t(`cond.${name}`);
  return word.charAt(0).toLowerCase() + word.slice(1);
};

function leafWords({ name, value }: Leaf, t: T): string {
  switch (kindOf(name).shape) {
    case "flag":
      return t(value ? `say.${name as "stream"}` : "say.not", {
        what: t(`say.${name as "stream"}`),
      });
    case "number":
      return t(`say.${name as "token_threshold"}`, {
        value: formatCount(Number(value)),
      });
    case "texts":
    case "words":
      return t("say.is", { name: named(name, t), value: listed(value as string[], t) });
    case "header": {
      const { name: header, value: wanted } = value as Header;
      return t("say.header", { header, value: wanted });
    }
    case "time": {
      const { from, to, days: on } = value as Time;
      const all = on.length === days.length;
      return t(all ? "say.time" : "say.time_days", {
        from,
        to,
        days: on.map((one) => t(`days.${one as "mon"}`)).join(", "),
      });
    }
    case "pattern":
      return t("say.pattern", { name: named(name, t), value: value as string });
    case "function":
      return t("say.function", { value: value as string });
  }
}

function nodeWords(node: Node, t: T, inner: boolean): string {
  if (!isGroup(node)) return leafWords(node, t);
  const several = node.items.length > 1;
  const joined = node.items
    .map((one) => nodeWords(one, t, true))
    .join(t(node.op === "any" ? "say.or" : "say.and"));
  if (node.op === "not") return t("say.not", { what: several ? `(${joined})` : joined });
  return inner && several ? `(${joined})` : joined;
}

/** "" where nothing is asked, or it is none the form knows. */
export function conditionWords(condition: unknown, t: T): string {
  try {
    const words = nodeWords(treeOf(condition), t, false);
    return words.charAt(0).toUpperCase() + words.slice(1);
  } catch {
    return t("say.custom");
  }
}

export function hopWords(hop: Hop, t: T): string {
  const shares = sharesOf(hop);
  const where =
    hop.to === "tag"
      ? t("say.tagged", { tag: hop.tag })
      : hop.to === "same"
        ? ""
        : hop.channels
            .map(({ name }, i) =>
              hop.shared ? `${name} ${formatPercent(shares[i]! / 100, 0)}` : name,
            )
            .join(hop.shared ? " / " : t("say.then"));
  return [where, hop.model].filter(Boolean).join(" · ");
}

export function targetWords(rule: Rule, t: T): { first: string; then: string[] } {
  const target = targetOf(rule.target);
  const first = [
    hopWords(target.hop, t),
    target.strategy && t("say.strategy", { strategy: t(`strategies.${target.strategy as "priority"}`) }),
  ]
    .filter(Boolean)
    .join(" · ");
  return {
    first: first || t("say.function_decides"),
    then: target.fallbacks.map((one) => hopWords(one, t)),
  };
}
