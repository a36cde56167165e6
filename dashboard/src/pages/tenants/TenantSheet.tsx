import { zodResolver } from "@hookform/resolvers/zod";
import { Ban, Check, KeyRound } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import type { Tenant } from "@/api/tenants";
import { formatMoney, formatShort } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog, Sheet } from "@/ui/dialog";
import { DeleteButton, EditActions } from "@/ui/edit";
import { Field, Input } from "@/ui/field";
import { Failure } from "@/ui/states";
import { Tooltip } from "@/ui/tooltip";
import { createTenant, patchTenant, useTenantActions } from "./actions";
import { AllowFields, Fold, LimitFields, useWrong } from "./fields";
import {
  blankTenant,
  fieldOf,
  tenantBody,
  tenantSchema,
  tenantValues,
  type TenantValues,
} from "./form";
import { Uses } from "./Uses";

function useTenantForm(
  values: TenantValues,
  save: (body: ReturnType<typeof tenantBody>) => Promise<void>,
) {
  const [error, setError] = useState<unknown>(null);
  const form = useForm<TenantValues>({
    resolver: zodResolver(tenantSchema),
    values,
    resetOptions: { keepDirtyValues: true },
  });
  const submit = form.handleSubmit(async (typed) => {
    setError(null);
    try {
      await save(tenantBody(typed));
    } catch (failure) {
      const field = isApiError(failure) ? fieldOf(failure.field) : undefined;
      if (field && field in blankTenant && failure instanceof Error)
        form.setError(
          field as keyof TenantValues,
          { message: failure.message },
          { shouldFocus: true },
        );
      else setError(failure);
    }
  });
  return { form, submit, error };
}

function Name({ form }: { form: ReturnType<typeof useTenantForm>["form"] }) {
  const { t } = useTranslation("tenants");
  const wrong = useWrong(form.formState.errors);
  return (
    <Field label={t("name")} hint={t("tenant_name_hint")} error={wrong("name")}>
      {(given) => (
        <Input
          {...given}
          autoComplete="off"
          spellCheck={false}
          {...form.register("name")}
        />
      )}
    </Field>
  );
}

export function AddTenant({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["tenants", "common"]);
  const { refresh } = useTenantActions();
  const { form, submit, error } = useTenantForm(blankTenant, async (body) => {
    await createTenant(body);
    await refresh();
    onClose();
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("add_tenant")}
      description={t("add_tenant_hint")}
      className="max-w-2xl"
      footer={
        <>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            form="add-tenant"
            busy={form.formState.isSubmitting}
          >
            {t("make_tenant")}
          </Button>
        </>
      }
    >
      <form
        id="add-tenant"
        noValidate
        onSubmit={(event) => void submit(event)}
        className="space-y-4"
      >
        <Name form={form} />
        <LimitFields form={form} />
        <Fold title={t("allow_lists")} note={t("allow_fold")}>
          <AllowFields form={form} />
        </Fold>
        {error !== null && <Failure error={error} />}
      </form>
    </Dialog>
  );
}

interface Props {
  tenant: Tenant;
  sums: Schemas["Sums"] | undefined;
  onKeys: () => void;
  onClose: () => void;
}

export default function TenantSheet({ tenant, sums, onKeys, onClose }: Props) {
  const { t } = useTranslation(["tenants", "common"]);
  const actions = useTenantActions();
  const { form, submit, error } = useTenantForm(
    tenantValues(tenant),
    async (body) => {
      const { data } = await patchTenant(tenant.id, body);
      form.reset(tenantValues(data));
      await actions.changedTenant(tenant);
    },
  );
  const { isDirty, isSubmitting } = form.formState;
  const enabled = tenant.status === "enabled";
  const remove = (
    <DeleteButton
      aria-disabled={tenant.key_count > 0 || undefined}
      onClick={() =>
        tenant.key_count === 0 &&
        void actions.removeTenant(tenant).then((gone) => gone && onClose())
      }
    />
  );

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        <span className="flex items-center gap-2.5">
          {tenant.name}
          <Badge tone={enabled ? "ok" : "neutral"}>
            {t(`common:status.${tenant.status}`)}
          </Badge>
        </span>
      }
      description={t("month_line", {
        count: sums?.requests ?? 0,
        requests: formatShort(sums?.requests ?? 0),
        cost: formatMoney(sums?.cost_usd ?? (sums?.requests ? null : 0)),
      })}
      footer={
        <EditActions
          save="tenant"
          busy={isSubmitting}
          dirty={isDirty}
          onCancel={isDirty ? () => form.reset() : undefined}
        >
          {tenant.key_count > 0 ? (
            <Tooltip text={t("delete_tenant_not", { count: tenant.key_count })}>
              <span tabIndex={0}>{remove}</span>
            </Tooltip>
          ) : (
            remove
          )}
          <Button
            icon={enabled ? Ban : Check}
            onClick={() => void actions.switchTenant(tenant, !enabled)}
          >
            {t(enabled ? "disable" : "enable")}
          </Button>
        </EditActions>
      }
    >
      <div className="space-y-6">
        <section>
          <h3 className="mb-2.5 font-semibold">{t("used_now")}</h3>
          <Uses state={tenant.limits_state} />
        </section>
        <Button icon={KeyRound} onClick={onKeys}>
          {t("show_keys", { count: tenant.key_count })}
        </Button>
        <form
          id="tenant"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <Name form={form} />
          <section className="space-y-3">
            <h3 className="font-semibold">{t("limits")}</h3>
            <LimitFields form={form} />
          </section>
          <Fold
            title={t("allow_lists")}
            note={t("allow_fold")}
            open={
              ![tenant.models, tenant.channels, tenant.ips].every((one) =>
                one.includes("*"),
              )
            }
          >
            <AllowFields form={form} />
          </Fold>
          {error !== null && <Failure error={error} />}
        </form>
      </div>
    </Sheet>
  );
}
