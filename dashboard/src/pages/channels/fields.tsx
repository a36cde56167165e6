/** The fields of a channel, for making one and for changing one. */
import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import type { UseFormReturn } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Field, Input, SecretInput, TextArea } from "@/ui/field";
import { timeNames, type Values } from "./form";

interface Props {
  form: UseFormReturn<Values>;
  provider: Schemas["Provider"] | undefined;
  /** It has keys already: another is optional. */
  hasKeys?: boolean;
}

function useWords(form: UseFormReturn<Values>) {
  const { t } = useTranslation("channels");
  const { errors } = form.formState;
  /* Ours are keys of texts; the API's are sentences. */
  return (name: keyof Omit<Values, "timeouts">): ReactNode => {
    const message = errors[name]?.message;
    if (!message) return undefined;
    return message.includes(" ")
      ? message
      : t(`wrong.${message as "required"}`);
  };
}

export function MainFields({ form, provider, hasKeys }: Props) {
  const { t } = useTranslation("channels");
  const wrong = useWords(form);
  const { register } = form;
  const suggested = provider?.models ?? [];
  const add = (name: string) => {
    const now = form.getValues("models").trim();
    if (!now.split("\n").includes(name))
      form.setValue("models", now ? `${now}\n${name}` : name, {
        shouldDirty: true,
      });
  };
  return (
    <div className="space-y-4">
      <Field label={t("name")} hint={t("name_hint")} error={wrong("name")}>
        {(control) => (
          <Input
            {...control}
            autoComplete="off"
            spellCheck={false}
            {...register("name")}
          />
        )}
      </Field>
      <Field
        label={t(hasKeys ? "another_key" : "key")}
        optional={hasKeys || !provider?.key_required}
        error={wrong("new_keys")}
        hint={
          provider?.key_url && !hasKeys ? (
            <a
              href={provider.key_url}
              target="_blank"
              rel="noreferrer"
              className="text-accent-text underline underline-offset-2"
            >
              {t("get_key", { provider: provider.title })}
            </a>
          ) : undefined
        }
      >
        {(control) => <SecretInput {...control} {...register("new_keys")} />}
      </Field>
      <Field
        label={t("base_url")}
        optional={!!provider?.base_url}
        error={wrong("base_url")}
        hint={provider?.base_url ? t("base_url_hint") : t("base_url_needed")}
      >
        {(control) => (
          <Input
            {...control}
            inputMode="url"
            spellCheck={false}
            placeholder={provider?.base_url ?? "https://"}
            {...register("base_url")}
          />
        )}
      </Field>
      <Field
        label={t("models")}
        optional
        hint={t("models_hint")}
        error={wrong("models")}
      >
        {(control) => (
          <TextArea
            {...control}
            rows={3}
            spellCheck={false}
            className="font-mono text-xs"
            {...register("models")}
          />
        )}
      </Field>
      {suggested.length > 0 && (
        <div className="-mt-2 flex flex-wrap gap-1.5">
          {suggested.slice(0, 10).map(({ name }) => (
            <button
              key={name}
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
  );
}

export function MoreFields({ form, open }: Pick<Props, "form"> & { open?: boolean }) {
  const { t } = useTranslation("channels");
  const wrong = useWords(form);
  const { register } = form;
  const { errors } = form.formState;
  return (
    <details className="group rounded-lg border border-line" open={open}>
      <summary className="flex h-10 list-none items-center gap-2 rounded-lg px-3.5 font-medium hover:bg-hover">
        <span className="flex-1">{t("advanced")}</span>
        <ChevronDown
          aria-hidden
          className="size-4 text-muted transition-transform group-open:rotate-180"
        />
      </summary>
      <div className="space-y-4 border-t border-line p-3.5">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label={t("priority")}
            hint={t("priority_hint")}
            error={wrong("priority")}
          >
            {(control) => (
              <Input {...control} inputMode="numeric" {...register("priority")} />
            )}
          </Field>
          <Field label={t("weight")} hint={t("weight_hint")} error={wrong("weight")}>
            {(control) => (
              <Input {...control} inputMode="numeric" {...register("weight")} />
            )}
          </Field>
        </div>
        <Field label={t("tags")} optional hint={t("tags_hint")} error={wrong("tags")}>
          {(control) => <Input {...control} {...register("tags")} />}
        </Field>
        <Field
          label={t("headers")}
          optional
          hint={t("headers_hint")}
          error={wrong("headers")}
        >
          {(control) => (
            <TextArea
              {...control}
              rows={2}
              spellCheck={false}
              placeholder="x-team: blue"
              className="font-mono text-xs"
              {...register("headers")}
            />
          )}
        </Field>
        <Field label={t("proxy")} optional error={wrong("proxy_url")}>
          {(control) => (
            <Input
              {...control}
              spellCheck={false}
              placeholder="socks5h://proxy:1080"
              {...register("proxy_url")}
            />
          )}
        </Field>
        <fieldset>
          <legend className="font-medium">{t("timeouts")}</legend>
          <p className="mb-2 text-xs text-muted">{t("timeouts_hint")}</p>
          <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
            {timeNames.map((name) => (
              <Field
                key={name}
                label={t(`time.${name}`)}
                error={errors.timeouts?.[name] && t("wrong.number")}
              >
                {(control) => (
                  <Input
                    {...control}
                    inputMode="decimal"
                    {...register(`timeouts.${name}`)}
                  />
                )}
              </Field>
            ))}
          </div>
        </fieldset>
      </div>
    </details>
  );
}
