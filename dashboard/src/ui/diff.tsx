import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { show, type FieldChange } from "@/lib/diff";

function Side({ value, kind }: { value: unknown; kind: "before" | "after" }) {
  const { t } = useTranslation();
  if (value === undefined) return null;
  return (
    <div
      className={cn(
        "flex gap-2 px-2.5 py-1",
        kind === "before" ? "bg-bad-soft" : "bg-ok-soft",
      )}
    >
      <span
        aria-hidden
        className={kind === "before" ? "text-bad-text" : "text-ok-text"}
      >
        {kind === "before" ? "−" : "+"}
      </span>
      <span className="sr-only">{t(`diff.${kind}`)}</span>
      <pre className="max-h-72 min-w-0 flex-1 overflow-y-auto font-mono whitespace-pre-wrap wrap-anywhere">
        {show(value) || t("diff.blank")}
      </pre>
    </div>
  );
}

/** What changed, field by field: before in red, after in green. */
export function FieldDiff({ fields }: { fields: FieldChange[] }) {
  const { t } = useTranslation();
  if (fields.length === 0)
    return <p className="text-xs text-muted">{t("diff.none")}</p>;
  return (
    <dl className="divide-y divide-line overflow-hidden rounded-md border border-line text-xs">
      {fields.map(({ field, before, after }) => (
        <div key={field} className="sm:grid sm:grid-cols-[11rem_minmax(0,1fr)]">
          <dt className="px-2.5 py-1 font-mono wrap-anywhere text-soft">
            {field}
          </dt>
          <dd className="min-w-0 border-line sm:border-l">
            <Side kind="before" value={before} />
            <Side kind="after" value={after} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
