import { zodResolver } from "@hookform/resolvers/zod";
import { Ban, Check, RefreshCw } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import { isApiError } from "@/api/errors";
import type { Key, Tenant } from "@/api/tenants";
import { formatRelative } from "@/lib/format";
import { Button } from "@/ui/button";
import { DeleteButton, EditActions } from "@/ui/edit";
import { Sheet } from "@/ui/dialog";
import { QuickStart } from "@/ui/quickstart";
import { Failure } from "@/ui/states";
import { Ago, useNow } from "@/ui/time";
import { patchKey, useTenantActions } from "./actions";
import { Fold } from "./fields";
import { fieldOf, keyBody, keySchema, keyValues, type KeyValues } from "./form";
import { KeyFields } from "./KeyFields";
import { KeyBadge } from "./TenantsPage";
import { Uses } from "./Uses";

interface Props {
  secret: Key;
  tenant: Tenant | undefined;
  onRotate: () => void;
  onClose: () => void;
}

export default function KeySheet({ secret: key, tenant, onRotate, onClose }: Props) {
  const { t } = useTranslation(["tenants", "common"]);
  const now = useNow();
  const actions = useTenantActions();
  const [error, setError] = useState<unknown>(null);
  const form = useForm<KeyValues>({
    resolver: zodResolver(keySchema),
    values: keyValues(key),
    resetOptions: { keepDirtyValues: true },
  });
  const { isDirty, isSubmitting } = form.formState;
  const enabled = key.status === "enabled";

  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      const { data } = await patchKey(key.id, keyBody(values, key.expires_at));
      form.reset(keyValues(data));
      await actions.changedKey(key);
    } catch (failure) {
      const field = isApiError(failure) ? fieldOf(failure.field) : undefined;
      if (field && failure instanceof Error)
        form.setError(field, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        <span className="flex items-center gap-2.5">
          {key.name} <KeyBadge secret={key} tenant={tenant} />
        </span>
      }
      description={
        <>
          <span className="font-mono text-xs">rtx_…{key.last4}</span> ·{" "}
          {t("made")} <Ago time={key.created_at} /> ·{" "}
          {key.last_used_at ? (
            <>
              {t("used")} <Ago time={key.last_used_at} />
            </>
          ) : (
            t("never_used")
          )}
        </>
      }
      footer={
        <EditActions
          save="key"
          busy={isSubmitting}
          dirty={isDirty}
          onCancel={isDirty ? () => form.reset() : undefined}
        >
          <DeleteButton
            onClick={() =>
              void actions.removeKey(key).then((gone) => gone && onClose())
            }
          />
          <Button
            icon={enabled ? Ban : Check}
            onClick={() => void actions.switchKey(key, !enabled)}
          >
            {t(enabled ? "disable" : "enable")}
          </Button>
          <Button icon={RefreshCw} onClick={onRotate}>
            {t("rotate")}
          </Button>
        </EditActions>
      }
    >
      <div className="space-y-6">
        {key.previous && (
          <p className="rounded-lg bg-info-soft px-3.5 py-2.5 text-info-text">
            {t("previous", {
              last4: key.previous.last4,
              time: formatRelative(key.previous.valid_until, now),
            })}
          </p>
        )}
        <section>
          <h3 className="mb-2.5 font-semibold">{t("used_now")}</h3>
          <Uses state={key.limits_state} />
        </section>
        <form
          id="key"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <KeyFields
            form={form}
            open={{
              limits: Object.keys(key.limits ?? {}).length > 0,
              allow: ![key.models, key.channels, key.ips].every((one) =>
                one.includes("*"),
              ),
            }}
          />
          {error !== null && <Failure error={error} />}
        </form>
        <Fold title={t("quick_start")}>
          <p className="mb-2 text-xs text-muted">{t("quick_start_hint")}</p>
          <QuickStart secret={`rtx_…${key.last4}`} />
        </Fold>
      </div>
    </Sheet>
  );
}
