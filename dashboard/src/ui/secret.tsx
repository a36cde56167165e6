/** Something that is shown once, and never again. */
import { Check, Copy, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { copy } from "./copy";
import { Button } from "./button";

export function OneTimeSecret({
  text,
  label,
  onCopy,
}: {
  text: string;
  label: string;
  onCopy?: () => void;
}) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  return (
    <section aria-label={label}>
      <div className="flex items-center gap-2 rounded-lg border border-accent/50 bg-accent-soft/50 py-2 pr-2 pl-3.5">
        <code className="min-w-0 flex-1 font-mono text-xs break-all select-all">
          {text}
        </code>
        <Button
          kind="primary"
          icon={done ? Check : Copy}
          autoFocus
          onClick={async () => {
            await copy(text);
            setDone(true);
            onCopy?.();
          }}
        >
          {t(done ? "copied" : "copy")}
        </Button>
      </div>
      <p className="mt-2 flex gap-2 text-xs text-warn-text">
        <TriangleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
        {t("shown_once")}
      </p>
    </section>
  );
}
