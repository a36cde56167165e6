/** What a place shows while it has nothing to show. */
import { useTranslation } from "react-i18next";
import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import { isApiError } from "@/api/errors";
import { cn } from "@/lib/cn";
import { adviceFor } from "@/lib/words";
import { Button } from "./button";

export function Skeleton({ className }: { className?: string }) {
  return (
    <div
      aria-hidden
      className={cn("animate-shimmer rounded-md bg-hover", className)}
    />
  );
}

/** Lines of a list that is on its way. */
export function SkeletonRows({ rows = 5 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div role="status" className="divide-y divide-line">
      <span className="sr-only">{t("loading")}</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="flex items-center gap-4 px-4 py-3">
          <Skeleton className="h-4 w-40" />
          <Skeleton className="h-4 flex-1" />
          <Skeleton className="h-4 w-20" />
        </div>
      ))}
    </div>
  );
}

export function Empty({
  icon: Icon,
  title,
  children,
  action,
  className,
  as: Title = "p",
}: {
  icon: LucideIcon;
  title: string;
  as?: "p" | "h1" | "h2";
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}) {
  return (
    <div
      className={cn(
        "flex flex-col items-center gap-3 px-6 py-14 text-center",
        className,
      )}
    >
      <span className="grid size-11 place-items-center rounded-xl border border-line bg-sunken text-muted">
        <Icon aria-hidden className="size-5" />
      </span>
      <div className="max-w-sm">
        <Title className="font-semibold">{title}</Title>
        {children && <div className="mt-1 text-muted">{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** What failed, what that means, and what to do. */
export function Failure({
  error,
  onRetry,
  className,
}: {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}) {
  const { t } = useTranslation();
  const code = isApiError(error) ? error.code : "internal";
  return (
    <div
      role="alert"
      className={cn(
        "flex items-start gap-3 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3",
        className,
      )}
    >
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad-text" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-bad-text">
          {error instanceof Error ? error.message : String(error)}
        </p>
        <p className="mt-0.5 text-xs text-soft">{adviceFor(code)}</p>
      </div>
      {onRetry && (
        <Button size="sm" onClick={onRetry}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}
