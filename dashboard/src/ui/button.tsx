import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";

import { cn } from "@/lib/cn";

const look = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors select-none disabled:pointer-events-none disabled:opacity-50 aria-disabled:pointer-events-none aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      kind: {
        primary: "bg-accent text-accent-ink shadow-card hover:bg-accent-hover",
        secondary:
          "border border-line-strong bg-surface text-text shadow-card hover:bg-hover dark:bg-raised dark:hover:bg-hover",
        ghost: "text-soft hover:bg-hover hover:text-text",
        danger: "bg-bad-fill text-accent-ink shadow-card hover:brightness-95",
      },
      size: {
        sm: "h-7 px-2.5 text-xs",
        md: "h-8 px-3 text-sm",
        lg: "h-10 px-4 text-base",
      },
    },
    defaultVariants: { kind: "secondary", size: "md" },
  },
);

export type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof look> & {
    asChild?: boolean;
    /** Shows that it is at work, and takes no clicks meanwhile. */
    busy?: boolean;
    icon?: LucideIcon;
  };

export function Button({
  asChild,
  busy,
  icon: Icon,
  kind,
  size,
  className,
  children,
  disabled,
  type = "button",
  ...rest
}: ButtonProps) {
  const classes = cn(look({ kind, size }), className);
  if (asChild)
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  return (
    <button
      className={classes}
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? (
        <LoaderCircle aria-hidden className="animate-spin" />
      ) : (
        Icon && <Icon aria-hidden />
      )}
      {children}
    </button>
  );
}

/** An icon alone; `label` is what screen readers and the tooltip say. */
export function IconButton({
  label,
  icon: Icon,
  className,
  ...rest
}: Omit<ButtonProps, "children" | "icon"> & {
  label: string;
  icon: LucideIcon;
}): ReactNode {
  return (
    <Button
      kind="ghost"
      aria-label={label}
      title={label}
      className={cn("w-8 px-0", rest.size === "sm" && "w-7", className)}
      {...rest}
    >
      <Icon aria-hidden />
    </Button>
  );
}
