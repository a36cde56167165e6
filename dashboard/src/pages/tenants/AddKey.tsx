import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Failure } from "@/ui/states";
import { createKey, useTenantActions } from "./actions";
import { blankKey, fieldOf, keyBody, keySchema, type KeyValues } from "./form";
import { KeyFields } from "./KeyFields";
import { NewSecret } from "./NewSecret";

export default function AddKey({
  tenant,
  onClose,
}: {
  tenant: string;
  onClose: () => void;
}) {
  const { t } = useTranslation(["tenants", "common"]);
  const { refresh } = useTenantActions();
  const [made, setMade] = useState<Schemas["NewKey"] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const form = useForm<KeyValues>({
    resolver: zodResolver(keySchema),
    defaultValues: { ...blankKey, tenant },
  });
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      setMade((await createKey(keyBody(values))).data);
      await refresh();
    } catch (failure) {
      const field = isApiError(failure) ? fieldOf(failure.field) : undefined;
      if (field && failure instanceof Error)
        form.setError(field, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });

  if (made) return <NewSecret made={made} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("add_key")}
      description={t("add_key_hint")}
      className="max-w-2xl"
      footer={
        <>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            form="add-key"
            busy={form.formState.isSubmitting}
          >
            {t("make_key")}
          </Button>
        </>
      }
    >
      <form
        id="add-key"
        noValidate
        onSubmit={(event) => void submit(event)}
        className="space-y-4"
      >
        <KeyFields form={form} />
        {error !== null && <Failure error={error} />}
      </form>
    </Dialog>
  );
}
