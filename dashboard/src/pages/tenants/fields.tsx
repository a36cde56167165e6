/** Fields of limits and allow-lists: tenants and keys have the same ones. */
import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import {
  useWatch,
  type FieldErrors,
  type FieldPath,
  type FieldPathValue,
  type UseFormReturn,
} from "react-hook-form";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import { readCount, readMoney } from "@/lib/amounts";
import { formatCount, formatMoney } from "@/lib/format";
import { Field, Input, Select, TextArea } from "@/ui/field";
import { budgetWindows, quotaWindows, type TenantValues } from "./form";

/** Both forms have these fields. */
export type AnyForm<V extends TenantValues = TenantValues> = Pick<
  UseFormReturn<V>,
  "register" | "control" | "setValue" | "getValues" | "formState"
>;

/* Ours are keys of texts; the API's are sentences. */
export function useWrong<V extends TenantValues>(errors: FieldErrors<V>) {
  const { t } = useTranslation("tenants");
  return (name: FieldPath<V>): ReactNode => {
    const message = errors[name as keyof V]?.message as string | undefined;
    if (!message) return undefined;
    return message.includes(" ") ? message : t(`wrong.${message as "required"}`);
  };
}

export function LimitFields({ form }: { form: AnyForm }) {
  const { t } = useTranslation("tenants");
  const wrong = useWrong(form.formState.errors);
  const { register, control } = form;
  const values = useWatch({ control }) as TenantValues;
  /* What was typed, as it was understood. */
  const echo = (name: "requests_per_min" | "tokens_per_min" | "concurrent" | "quota") => {
    const text = values[name];
    const n = readCount(text);
    return n !== undefined && /[^\d]/.test(text) ? `= ${formatCount(n)}` : undefined;
  };
  const number = (
    name: "requests_per_min" | "tokens_per_min" | "concurrent",
    placeholder: string,
  ) => (
    <Field
      label={t(`limit.${name}`)}
      hint={echo(name) ?? t(`limit_hint.${name}`)}
      error={wrong(name)}
    >
      {(given) => (
        <Input
          {...given}
          placeholder={placeholder}
          autoComplete="off"
          {...register(name)}
        />
      )}
    </Field>
  );
  const usd = readMoney(values.budget);
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-3">
        {number("requests_per_min", t("no_limit"))}
        {number("tokens_per_min", t("no_limit"))}
        {number("concurrent", t("no_limit"))}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={t("limit.quota")}
          hint={echo("quota") ?? t("limit_hint.quota")}
          error={wrong("quota")}
        >
          {(given) => (
            <span className="flex gap-2">
              <Input
                {...given}
                placeholder={t("no_limit")}
                autoComplete="off"
                {...register("quota")}
              />
              <Select
                aria-label={t("window_of", { what: t("limit.quota") })}
                className="w-32 shrink-0"
                {...register("quota_window")}
              >
                {quotaWindows.map((one) => (
                  <option key={one} value={one}>
                    {t(`per.${one}`)}
                  </option>
                ))}
              </Select>
            </span>
          )}
        </Field>
        <Field
          label={t("limit.budget")}
          hint={
            usd !== undefined && usd !== values.budget
              ? `= ${formatMoney(usd)}`
              : t("limit_hint.budget")
          }
          error={wrong("budget")}
        >
          {(given) => (
            <span className="flex gap-2">
              <span className="relative flex-1">
                <span
                  aria-hidden
                  className="absolute top-1.5 left-2.5 text-muted select-none"
                >
                  $
                </span>
                <Input
                  {...given}
                  className="pl-6"
                  inputMode="decimal"
                  placeholder={t("no_limit")}
                  autoComplete="off"
                  {...register("budget")}
                />
              </span>
              <Select
                aria-label={t("window_of", { what: t("limit.budget") })}
                className="w-32 shrink-0"
                {...register("budget_window")}
              >
                {budgetWindows.map((one) => (
                  <option key={one} value={one}>
                    {t(`per.${one}`)}
                  </option>
                ))}
              </Select>
            </span>
          )}
        </Field>
      </div>
      <p className="text-xs text-muted">{t("limits_note")}</p>
    </div>
  );
}

type ListName = "models" | "channels" | "ips";

export function AllowFields({ form }: { form: AnyForm }) {
  const { t } = useTranslation("tenants");
  const wrong = useWrong(form.formState.errors);
  const { data: channels = [] } = useQuery(channelsQuery);
  const { register, control } = form;
  const chosen = useWatch({ control, name: "channels" }).split(/[\n,]\s*/);
  const add = (name: string) => {
    const before = form.getValues("channels").trim();
    form.setValue(
      "channels",
      (before ? `${before}\n${name}` : name) as FieldPathValue<TenantValues, "channels">,
      { shouldDirty: true },
    );
  };
  const list = (name: ListName, placeholder: string) => (
    <Field
      label={t(`allow.${name}`)}
      hint={t(`allow_hint.${name}`)}
      error={wrong(name)}
    >
      {(given) => (
        <TextArea
          {...given}
          rows={2}
          spellCheck={false}
          placeholder={placeholder}
          className="min-h-14 font-mono text-xs"
          {...register(name)}
        />
      )}
    </Field>
  );
  const left = channels.filter((one) => !chosen.includes(one.name)).slice(0, 8);
  return (
    <div className="space-y-4">
      {list("models", t("all_models"))}
      <div>
        {list("channels", t("all_channels"))}
        {left.length > 0 && (
          <div className="mt-2 flex flex-wrap gap-1.5">
            {left.map(({ id, name }) => (
              <button
                key={id}
                type="button"
                onClick={() => add(name)}
                className="rounded-full border border-line-strong px-2 py-0.5 font-mono text-2xs text-soft hover:bg-hover"
              >
                + {name}
              </button>
            ))}
          </div>
        )}
      </div>
      {list("ips", t("all_ips"))}
    </div>
  );
}

/** Fields that few need, folded away until somebody wants them. */
export function Fold({
  title,
  note,
  open,
  children,
}: {
  title: string;
  note?: ReactNode;
  open?: boolean;
  children: ReactNode;
}) {
  return (
    <details className="group rounded-lg border border-line" open={open}>
      <summary className="flex h-10 list-none items-center gap-2 rounded-lg px-3.5 font-medium hover:bg-hover">
        <span className="flex-1">{title}</span>
        {note && <span className="text-xs font-normal text-muted">{note}</span>}
        <ChevronDown
          aria-hidden
          className="size-4 text-muted transition-transform group-open:rotate-180"
        />
      </summary>
      <div className="border-t border-line p-3.5">{children}</div>
    </details>
  );
}
