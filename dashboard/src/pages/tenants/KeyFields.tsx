import { useQuery } from "@tanstack/react-query";
import { useWatch, type UseFormReturn } from "react-hook-form";
import { useTranslation } from "react-i18next";

import { tenantsQuery } from "@/api/tenants";
import { Field, Input, Select, Switch } from "@/ui/field";
import { AllowFields, Fold, LimitFields, useWrong, type AnyForm } from "./fields";
import { expiries, type KeyValues } from "./form";

interface Props {
  form: UseFormReturn<KeyValues>;
  /** Unfold what is set. */
  open?: { limits: boolean; allow: boolean };
}

export function KeyFields({ form, open }: Props) {
  const { t } = useTranslation("tenants");
  const { data: tenants = [] } = useQuery(tenantsQuery);
  const wrong = useWrong(form.formState.errors);
  const { register, control } = form;
  const [expiry, force] = useWatch({
    control,
    name: ["expiry", "may_force_channel"],
  });
  const shared = form as unknown as AnyForm;
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("name")} hint={t("key_name_hint")} error={wrong("name")}>
          {(given) => (
            <Input {...given} autoComplete="off" spellCheck={false} {...register("name")} />
          )}
        </Field>
        <Field label={t("tenant")} hint={t("tenant_hint")} error={wrong("tenant")}>
          {(given) => (
            <Select {...given} {...register("tenant")}>
              {tenants.map(({ id, name }) => (
                <option key={id} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("expires")}>
          {(given) => (
            <Select {...given} {...register("expiry")}>
              {expiries.map((one) => (
                <option key={one} value={one}>
                  {t(`expiry.${one}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {expiry === "at" && (
          <Field label={t("expires_at")} error={wrong("expires_at")}>
            {(given) => (
              <Input {...given} type="datetime-local" {...register("expires_at")} />
            )}
          </Field>
        )}
      </div>
      <Fold title={t("limits")} note={t("limits_fold")} open={open?.limits}>
        <LimitFields form={shared} />
      </Fold>
      <Fold title={t("allow_lists")} note={t("allow_fold")} open={open?.allow}>
        <div className="space-y-4">
          <AllowFields form={shared} />
          <div className="flex items-start gap-3">
            <Switch
              label={t("may_force")}
              checked={force}
              onCheckedChange={(on) =>
                form.setValue("may_force_channel", on, { shouldDirty: true })
              }
            />
            <div aria-hidden>
              <p className="font-medium">{t("may_force")}</p>
              <p className="text-xs text-muted">{t("may_force_hint")}</p>
            </div>
          </div>
        </div>
      </Fold>
    </div>
  );
}
