import { ChevronRight } from "lucide-react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { fieldsOf } from "@/lib/diff";
import { Badge, type Tone } from "@/ui/badge";
import { FieldDiff } from "@/ui/diff";
import { byKind, keyOf, type Change, type Kind } from "./document";

const tones: Record<Change["action"], Tone> = {
  added: "ok",
  changed: "info",
  removed: "bad",
};

function Line({
  change,
  taken,
  onTake,
}: {
  change: Change;
  taken: boolean;
  onTake: (taken: boolean) => void;
}) {
  const { t } = useTranslation("config");
  const { kind, name, action, before, after } = change;
  const fields =
    action === "changed" ? change.fields : fieldsOf(before, after, ["name"]);
  return (
    <li className="flex items-start gap-2 pl-4">
      <input
        type="checkbox"
        aria-label={t("take", { kind: t(`one.${kind as Kind}`), name })}
        className="mt-3 shrink-0 accent-(--accent)"
        checked={taken}
        onChange={(event) => onTake(event.target.checked)}
      />
      <details className="group min-w-0 flex-1" open={action === "changed"}>
        <summary className="flex min-h-9 list-none items-center gap-2.5 rounded-md px-2 pr-4 hover:bg-hover">
          <ChevronRight
            aria-hidden
            className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90"
          />
          <span
            className={cn(
              "min-w-0 flex-1 truncate font-medium",
              !taken && "text-muted line-through",
            )}
          >
            {name}
          </span>
          <span className="text-xs text-muted">
            {t("fields_count", { count: fields.length })}
          </span>
          <Badge tone={taken ? tones[action] : "neutral"}>{t(`action.${action}`)}</Badge>
        </summary>
        <div className="pt-1 pr-4 pb-3 pl-8">
          <FieldDiff fields={fields} />
        </div>
      </details>
    </li>
  );
}

/** All that would change, to take or to leave. */
export function ChangeList({
  changes,
  left,
  onLeft,
}: {
  changes: Change[];
  left: ReadonlySet<string>;
  onLeft: (left: Set<string>) => void;
}) {
  const { t } = useTranslation("config");
  const set = (list: Change[], taken: boolean) => {
    const next = new Set(left);
    for (const one of list)
      if (taken) next.delete(keyOf(one));
      else next.add(keyOf(one));
    onLeft(next);
  };
  return (
    <div className="divide-y divide-line">
      {byKind(changes).map(([kind, list]) => {
        const taken = list.filter((one) => !left.has(keyOf(one))).length;
        return (
          <section key={kind} className="py-2">
            <h3 className="flex items-center gap-2.5 px-4 py-1 text-xs font-medium text-muted">
              <input
                type="checkbox"
                aria-label={t("take_all", { kind: t(`kind.${kind as Kind}`) })}
                className="accent-(--accent)"
                checked={taken === list.length}
                ref={(box) => {
                  if (box) box.indeterminate = taken > 0 && taken < list.length;
                }}
                onChange={(event) => set(list, event.target.checked)}
              />
              {t(`kind.${kind as Kind}`)}
              <span className="tabular">
                {taken}/{list.length}
              </span>
            </h3>
            <ul>
              {list.map((one) => (
                <Line
                  key={keyOf(one) + one.action}
                  change={one}
                  taken={!left.has(keyOf(one))}
                  onTake={(now) => set([one], now)}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
