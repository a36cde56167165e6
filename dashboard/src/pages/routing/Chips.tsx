/** Several texts: Enter or a comma ends one, backspace takes the last away. */
import { X } from "lucide-react";
import { useId, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";

interface Props {
  values: string[];
  onChange: (values: string[]) => void;
  label?: string;
  id?: string;
  placeholder?: string;
  suggestions?: string[];
  invalid?: boolean;
  "aria-describedby"?: string;
}

export function Chips({ values, onChange, label, id, placeholder, suggestions, invalid, ...rest }: Props) {
  const { t } = useTranslation("routing");
  const [text, setText] = useState("");
  const list = useId();
  const add = (more: string) => {
    const fresh = more
      .split(/[,\n]/)
      .map((one) => one.trim())
      .filter((one) => one && !values.includes(one));
    if (fresh.length > 0) onChange([...values, ...fresh]);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.key === "Enter" || event.key === ",") && text.trim()) {
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && text === "" && values.length > 0) {
      onChange(values.slice(0, -1));
    }
  };
  return (
    <div
      className={cn(
        "flex min-h-8 w-full flex-wrap items-center gap-1 rounded-md border border-line-strong bg-surface px-1.5 py-1 shadow-card focus-within:border-accent focus-within:outline-2 focus-within:outline-accent/25 dark:bg-sunken",
        invalid && "border-bad",
      )}
    >
      {values.map((one) => (
        <span
          key={one}
          className="inline-flex h-5.5 max-w-full items-center gap-0.5 rounded bg-hover pl-1.5 font-mono text-2xs"
        >
          <span className="truncate">{one}</span>
          <button
            type="button"
            aria-label={t("take_out", { name: one })}
            onClick={() => onChange(values.filter((other) => other !== one))}
            className="grid size-5 place-items-center rounded text-muted hover:text-text"
          >
            <X aria-hidden className="size-3" />
          </button>
        </span>
      ))}
      <input
        id={id}
        aria-label={label}
        aria-invalid={invalid || undefined}
        list={suggestions ? list : undefined}
        value={text}
        placeholder={values.length === 0 ? placeholder : undefined}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          const next = event.target.value;
          // A suggestion was chosen: it comes whole.
          if (suggestions?.includes(next) && next.length - text.length > 1) add(next);
          else setText(next);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => text.trim() && add(text)}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData("text");
          if (!/[,\n]/.test(pasted)) return;
          event.preventDefault();
          add(text + pasted);
        }}
        className="h-5.5 min-w-24 flex-1 bg-transparent px-1 text-sm outline-none placeholder:text-muted"
        {...rest}
      />
      {suggestions && (
        <datalist id={list}>
          {suggestions
            .filter((one) => !values.includes(one))
            .map((one) => (
              <option key={one} value={one} />
            ))}
        </datalist>
      )}
    </div>
  );
}
