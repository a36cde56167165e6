import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { focusAgain, lastFocused } from "@/lib/focus";
import { IconButton } from "./button";

export const overlay = "fixed inset-0 z-40 animate-fade bg-[oklch(0.15_0.02_270/0.45)]";

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

/** What is opened by an address has no trigger to give the focus back to. */
export function useFocusReturn() {
  const [place] = useState(lastFocused);
  return (event: Event) => {
    event.preventDefault();
    focusAgain(place);
  };
}

/* It lives as long as it is open. */
function Content({ className, ...rest }: Omit<Props, "open" | "onOpenChange">) {
  const giveBack = useFocusReturn();
  return (
    <Radix.Content
      onCloseAutoFocus={giveBack}
      className={cn(
        "fixed z-50 flex animate-in flex-col overflow-hidden bg-raised shadow-pop outline-none",
        className,
      )}
    >
      <Frame {...rest} />
    </Radix.Content>
  );
}

function Over({ open, onOpenChange, ...rest }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Content {...rest} />
      </Radix.Portal>
    </Radix.Root>
  );
}

export const Dialog = ({ className, ...rest }: Props) => (
  <Over
    {...rest}
    className={cn("inset-x-4 top-[8vh] mx-auto max-h-[84vh] max-w-lg rounded-xl", className)}
  />
);

/** A panel from the right: one item with everything about it. */
export const Sheet = ({ className, ...rest }: Props) => (
  <Over
    {...rest}
    className={cn(
      "inset-y-0 right-0 w-full max-w-xl sm:inset-y-2 sm:right-2 sm:rounded-xl",
      className,
    )}
  />
);
