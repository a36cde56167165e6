import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { IconButton } from "./button";

const overlay = "fixed inset-0 z-40 animate-fade bg-[oklch(0.15_0.02_270/0.45)]";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** Buttons; they stay in sight when the rest is scrolled. */
  footer?: ReactNode;
  className?: string;
}

function Frame({
  title,
  description,
  children,
  footer,
}: Omit<Props, "open" | "onOpenChange">) {
  const { t } = useTranslation();
  return (
    <>
      <header className="flex items-start gap-3 border-b border-line px-5 py-3.5">
        <div className="min-w-0 flex-1">
          <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
          <Radix.Description
            className={description ? "mt-0.5 text-sm text-muted" : "sr-only"}
          >
            {description ?? title}
          </Radix.Description>
        </div>
        <Radix.Close asChild>
          <IconButton label={t("close")} icon={X} size="sm" />
        </Radix.Close>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
      {footer && (
        <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-sunken px-5 py-3">
          {footer}
        </footer>
      )}
    </>
  );
}

export function Dialog({ open, onOpenChange, className, ...rest }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          className={cn(
            "fixed inset-x-4 top-[8vh] z-50 mx-auto flex max-h-[84vh] max-w-lg animate-in flex-col overflow-hidden rounded-xl bg-raised shadow-pop outline-none",
            className,
          )}
        >
          <Frame {...rest} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A panel from the right: one item with everything about it. */
export function Sheet({ open, onOpenChange, className, ...rest }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          className={cn(
            "fixed inset-y-0 right-0 z-50 flex w-full max-w-xl animate-in flex-col overflow-hidden bg-raised shadow-pop outline-none sm:inset-y-2 sm:right-2 sm:rounded-xl",
            className,
          )}
        >
          <Frame {...rest} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
