import { cn } from "@/lib/cn";

/** One of a few, side by side: for ranges and measures. */
export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
  className,
}: {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
  className?: string;
}) {
  return (
    <div
      role="group"
      aria-label={label}
      className={cn(
        "inline-flex shrink-0 rounded-md border border-line-strong bg-surface p-0.5 shadow-card dark:bg-raised",
        className,
      )}
    >
      {options.map((one) => (
        <button
          key={one.value}
          type="button"
          aria-pressed={one.value === value}
          onClick={() => onChange(one.value)}
          className="h-6.5 rounded px-2.5 text-xs font-medium text-muted transition-colors hover:text-text aria-pressed:bg-hover aria-pressed:text-text"
        >
          {one.label}
        </button>
      ))}
    </div>
  );
}
