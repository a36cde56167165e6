import { Eye, EyeOff } from "lucide-react";
import { Switch as RadixSwitch } from "radix-ui";
import { useId, useState, type ComponentProps, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";
import { IconButton } from "./button";

const box =
  "w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-text shadow-card transition-colors placeholder:text-muted hover:border-muted/60 focus:border-accent focus:outline-2 focus:outline-offset-0 focus:outline-accent/25 disabled:opacity-60 aria-invalid:border-bad dark:bg-sunken";

export const Input = ({ className, ...rest }: ComponentProps<"input">) => (
  <input className={cn(box, "h-8", className)} {...rest} />
);

export const TextArea = ({ className, ...rest }: ComponentProps<"textarea">) => (
  <textarea className={cn(box, "min-h-20 py-1.5", className)} {...rest} />
);

/** The browser's own: right on every device, with every reader. */
export const Select = ({ className, ...rest }: ComponentProps<"select">) => (
  <select className={cn(box, "h-8 pr-7", className)} {...rest} />
);

/** A secret: hidden until somebody looks. */
export function SecretInput({ className, ...rest }: ComponentProps<"input">) {
  const { t } = useTranslation();
  const [seen, setSeen] = useState(false);
  return (
    <span className="relative block">
      <Input
        {...rest}
        type={seen ? "text" : "password"}
        autoComplete={rest.autoComplete ?? "off"}
        spellCheck={false}
        className={cn("pr-9 font-mono text-xs", className)}
      />
      <IconButton
        size="sm"
        className="absolute inset-y-0.5 right-0.5"
        label={seen ? t("hide") : t("show")}
        icon={seen ? EyeOff : Eye}
        onClick={() => setSeen(!seen)}
      />
    </span>
  );
}

/**
 * A label, what it is for, the control, and what is wrong with it:
 *
 *   <Field label={t("name")} error={errors.name?.message}>
 *     {(control) => <Input {...control} {...register("name")} />}
 *   </Field>
 */
export function Field({
  label,
  hint,
  error,
  optional,
  className,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  optional?: boolean;
  className?: string;
  children: (control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": true | undefined;
  }) => ReactNode;
}) {
  const { t } = useTranslation();
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={cn("space-y-1", className)}>
      <label htmlFor={id} className="flex items-baseline gap-2 font-medium">
        {label}
        {optional && (
          <span className="text-xs font-normal text-muted">{t("optional")}</span>
        )}
      </label>
      {children({
        id,
        "aria-describedby": note ? `${id}-note` : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {note && (
        <p
          id={`${id}-note`}
          role={error ? "alert" : undefined}
          className={cn("text-xs", error ? "text-bad-text" : "text-muted")}
        >
          {note}
        </p>
      )}
    </div>
  );
}

export function Switch({
  label,
  ...rest
}: ComponentProps<typeof RadixSwitch.Root> & { label: string }) {
  return (
    <RadixSwitch.Root
      aria-label={label}
      className="inline-flex h-5 w-9 shrink-0 items-center rounded-full bg-line-strong p-0.5 transition-colors data-[state=checked]:bg-accent disabled:opacity-50"
      {...rest}
    >
      <RadixSwitch.Thumb className="block size-4 rounded-full bg-[white] shadow-card transition-transform data-[state=checked]:translate-x-4" />
    </RadixSwitch.Root>
  );
}
