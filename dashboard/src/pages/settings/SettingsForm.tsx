import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { isApiError } from "@/api/errors";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Field, Input, Select, Switch } from "@/ui/field";
import { Failure } from "@/ui/states";
import { toast } from "@/ui/toast";
import {
  fields,
  nameOf,
  patchOf,
  read,
  valuesOf,
  type FieldDef,
  type FormSection,
  type Settings,
  type Values,
} from "./fields";
import { settingsQuery } from "./queries";

const patch = (body: Settings) => unwrap(api.PATCH("/api/settings", { body }));

interface Props {
  section: FormSection;
  settings: Settings;
}

export function SettingsForm({ section, settings }: Props) {
  const { t } = useTranslation(["settings", "common"]);
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const defs: readonly FieldDef[] = fields[section];
  const form = useForm<Values>({
    values: valuesOf(settings, defs),
    resetOptions: { keepDirtyValues: true },
  });
  const { isDirty, isSubmitting, errors, dirtyFields } = form.formState;
  const changed = Object.keys(dirtyFields).length;

  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isDirty]);

  const apply = async (body: Settings) => {
    await patch(body);
    await client.invalidateQueries({ queryKey: settingsQuery.queryKey });
  };
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    const before = valuesOf(settings, defs);
    const wanted = patchOf(defs, values, before);
    const back = patchOf(defs, before, values);
    try {
      await apply(wanted);
      form.reset(values);
      toast({ text: t("changed"), undo: () => apply(back) });
    } catch (failure) {
      const def = isApiError(failure) && defs.find((one) => one.path === failure.field);
      if (def && failure instanceof Error)
        form.setError(nameOf(def.path), { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });

  const label = (def: FieldDef) => t(`field.${nameOf(def.path)}.label` as "changed");
  const hint = (def: FieldDef) => t(`field.${nameOf(def.path)}.hint` as "changed");
  const wrong = (def: FieldDef) => {
    const message = errors[nameOf(def.path)]?.message;
    return message === "wrong" ? t(`wrong.${def.kind}` as "wrong.span") : message;
  };
  const control = (def: FieldDef) => {
    const name = nameOf(def.path);
    if (def.kind === "switch")
      return (
        <div key={name} className="flex items-start gap-3 sm:col-span-2">
          <Controller
            control={form.control}
            name={name}
            render={({ field }) => (
              <Switch
                label={label(def)}
                checked={field.value === true}
                onCheckedChange={field.onChange}
              />
            )}
          />
          <div aria-hidden>
            <p className="font-medium">{label(def)}</p>
            <p className="text-xs text-muted">{hint(def)}</p>
          </div>
        </div>
      );
    const rules = {
      validate: (value: Values[string]) =>
        read(def, value) !== undefined || "wrong",
    };
    return (
      <Field key={name} label={label(def)} hint={hint(def)} error={wrong(def)}>
        {(given) =>
          def.kind === "choice" ? (
            <Select {...given} {...form.register(name, rules)}>
              {def.empty && <option value="">{t(`word.${name}.none` as "changed")}</option>}
              {def.words.map((word) => (
                <option key={word} value={word}>
                  {t(`word.${name}.${word}` as "changed")}
                </option>
              ))}
            </Select>
          ) : (
            <Input
              {...given}
              autoComplete="off"
              spellCheck={false}
              placeholder={t("no_limit")}
              {...form.register(name, rules)}
            />
          )
        }
      </Field>
    );
  };
  const cards = [...new Set(defs.map((one) => one.card))];

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="space-y-4">
      {cards.map((card) => (
        <Card key={card}>
          <CardHead
            title={t(`card.${card}.title` as "changed")}
            hint={t(`card.${card}.hint` as "changed")}
          />
          <div className="grid gap-x-6 gap-y-5 p-4 sm:grid-cols-2">
            {defs.filter((one) => one.card === card).map(control)}
          </div>
        </Card>
      ))}
      {error !== null && <Failure error={error} />}
      {isDirty && (
        <div
          role="region"
          aria-label={t("unsaved", { count: changed })}
          className="sticky bottom-4 z-20 flex animate-in flex-wrap items-center gap-2 rounded-lg bg-raised py-2.5 pr-3 pl-4 shadow-pop"
        >
          <p className="flex-1 font-medium">{t("unsaved", { count: changed })}</p>
          <Button onClick={() => form.reset()}>{t("common:cancel")}</Button>
          <Button kind="primary" type="submit" busy={isSubmitting}>
            {t("common:save")}
          </Button>
        </div>
      )}
    </form>
  );
}
