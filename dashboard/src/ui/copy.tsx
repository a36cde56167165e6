import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { IconButton } from "./button";

/** Where there is no clipboard API (plain http), the old way. */
export async function copy(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);

  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_600);
    return () => clearTimeout(timer);
  }, [done]);

  return (
    <IconButton
      size="sm"
      label={done ? t("copied") : (label ?? t("copy"))}
      icon={done ? Check : Copy}
      onClick={async () => {
        await copy(text);
        setDone(true);
      }}
    />
  );
}

/** Something to paste into a terminal. */
export function Snippet({
  text,
  className,
}: {
  text: string;
  className?: string;
}) {
  return (
    <div
      className={cn(
        "flex items-start gap-2 rounded-md border border-line bg-sunken py-1.5 pr-1.5 pl-3",
        className,
      )}
    >
      <pre
        tabIndex={0}
        className="min-w-0 flex-1 overflow-x-auto py-1 font-mono text-xs leading-5"
      >
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  );
}
