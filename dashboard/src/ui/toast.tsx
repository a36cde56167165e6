/**
 * Short words about what was done, with a way back where there is one:
 *
 *   toast({ text: t("deleted"), undo: () => restore() })
 */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { Button, IconButton } from "./button";

export interface Toast {
  text: string;
  tone?: "ok" | "bad";
  /** Takes it back; may fail, which becomes a toast itself. */
  undo?: () => Promise<unknown> | void;
}

interface Shown extends Toast {
  id: number;
}

let shown: Shown[] = [];
let nextId = 1;
const watchers = new Set<() => void>();

function set(next: Shown[]) {
  shown = next;
  watchers.forEach((fn) => fn());
}

export function toast(one: Toast) {
  set([...shown.slice(-3), { ...one, id: nextId++ }]);
}

export function toastError(error: unknown) {
  toast({
    text: error instanceof Error ? error.message : String(error),
    tone: "bad",
  });
}

export function dismissToasts() {
  set([]);
}

const drop = (id: number) => set(shown.filter((one) => one.id !== id));

function Line({ one }: { one: Shown }) {
  const { t } = useTranslation();
  const [held, setHeld] = useState(false);
  const stay = one.undo ? 10_000 : one.tone === "bad" ? 8_000 : 4_000;

  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => drop(one.id), stay);
    return () => clearTimeout(timer);
  }, [held, one.id, stay]);

  const Icon = one.tone === "bad" ? CircleAlert : CircleCheck;
  return (
    <li
      className="pointer-events-auto flex animate-in items-center gap-2.5 rounded-lg bg-raised py-2 pr-2 pl-3.5 shadow-pop"
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
    >
      <Icon
        aria-hidden
        className={`size-4 shrink-0 ${one.tone === "bad" ? "text-bad" : "text-ok"}`}
      />
      <span className="min-w-0 flex-1 py-1">{one.text}</span>
      {one.undo && (
        <Button
          size="sm"
          onClick={async () => {
            drop(one.id);
            try {
              await one.undo?.();
            } catch (error) {
              toastError(error);
            }
          }}
        >
          {t("undo")}
        </Button>
      )}
      <IconButton
        size="sm"
        label={t("dismiss")}
        icon={X}
        onClick={() => drop(one.id)}
      />
    </li>
  );
}

export function Toasts() {
  const { t } = useTranslation();
  const list = useSyncExternalStore(
    (fn) => {
      watchers.add(fn);
      return () => watchers.delete(fn);
    },
    () => shown,
  );
  return (
    <section
      aria-label={t("notifications")}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-60 flex justify-center sm:left-auto sm:w-96"
    >
      <ol className="flex w-full flex-col gap-2">
        {list.map((one) => (
          <Line key={one.id} one={one} />
        ))}
      </ol>
    </section>
  );
}
