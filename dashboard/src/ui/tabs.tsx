import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

/** Parts of a page, one in sight; which one belongs into the address. */
export function Tabs<T extends string>({
  label,
  value,
  onChange,
  items,
  children,
  className,
}: {
  label: string;
  value: T;
  onChange: (value: T) => void;
  items: { value: T; label: string; count?: number }[];
  children: ReactNode;
  className?: string;
}) {
  return (
    <Radix.Root
      value={value}
      onValueChange={(next) => onChange(next as T)}
      className={className}
    >
      <Radix.List
        aria-label={label}
        className="mb-4 flex gap-5 overflow-x-auto border-b border-line"
      >
        {items.map((one) => (
          <Radix.Trigger
            key={one.value}
            value={one.value}
            // The other parts are not there: there is nothing to point to.
            aria-controls={one.value === value ? undefined : ""}
            className="-mb-px flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent font-medium text-muted transition-colors hover:text-text focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:text-text"
          >
            {one.label}
            {one.count !== undefined && one.count > 0 && (
              <span className="rounded-full bg-hover px-1.5 text-2xs leading-4 text-soft tabular">
                {one.count}
              </span>
            )}
          </Radix.Trigger>
        ))}
      </Radix.List>
      <Radix.Content
        value={value}
        tabIndex={-1}
        className={cn("outline-none")}
      >
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}
