import { Check, type LucideIcon } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

const item =
  "flex h-8 cursor-default items-center gap-2 rounded-md px-2 text-sm outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:text-muted";

/** A button with a list of things to do. */
export function Menu({
  trigger,
  children,
  align = "end",
  defaultOpen,
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  defaultOpen?: boolean;
}) {
  return (
    <Radix.Root modal={false} defaultOpen={defaultOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-44 animate-in rounded-lg bg-raised p-1 shadow-pop"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function MenuItem({
  icon: Icon,
  danger,
  children,
  ...rest
}: Omit<Radix.DropdownMenuItemProps, "className"> & {
  icon?: LucideIcon;
  danger?: boolean;
}) {
  return (
    <Radix.Item
      className={cn(item, danger && "text-bad-text [&_svg]:text-bad-text")}
      {...rest}
    >
      {Icon && <Icon aria-hidden />}
      {children}
    </Radix.Item>
  );
}

export const MenuSeparator = () => (
  <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
);

/** One of several; the chosen one has a tick. */
export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: { value: T; label: string; icon?: LucideIcon }[];
  onChange: (value: T) => void;
}) {
  return (
    <>
      <Radix.Label className="px-2 pt-1.5 pb-1 text-2xs font-medium text-muted">
        {label}
      </Radix.Label>
      <Radix.RadioGroup
        value={value}
        onValueChange={(next) => onChange(next as T)}
      >
        {options.map(({ value, label, icon: Icon }) => (
          <Radix.RadioItem key={value} value={value} className={item}>
            {Icon && <Icon aria-hidden />}
            <span className="flex-1">{label}</span>
            <Radix.ItemIndicator>
              <Check aria-hidden />
            </Radix.ItemIndicator>
          </Radix.RadioItem>
        ))}
      </Radix.RadioGroup>
    </>
  );
}
