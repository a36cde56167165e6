import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { z } from "zod";

import { api, unwrap, type Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { Button } from "@/ui/button";
import { Snippet } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { Field, Input, SecretInput, Select } from "@/ui/field";
import { Failure } from "@/ui/states";
import { toast } from "@/ui/toast";
import { kinds } from "./alerts";
import { webhooksQuery, type Webhook } from "./Webhooks";

z.config({ jitless: true }); // the CSP has no unsafe-eval

const severities = ["info", "warning", "critical"] as const;

/* The messages are keys of the page's texts; null: an address that stays. */
const schemaOf = (isNew: boolean) =>
  z.object({
    name: z.string().trim().min(1, "required"),
    url: z
      .string()
      .trim()
      .refine(
        (text) => (!isNew && text === "") || /^https?:\/\/\S+$/.test(text),
        "url",
      ),
    secret: z
      .string()
      .trim()
      .refine((text) => text === "" || text.length >= 16, "secret"),
    severity: z.enum(severities),
    kinds: z.array(z.enum(kinds)),
  });
type Values = z.infer<ReturnType<typeof schemaOf>>;

function bodyOf(values: Values): Schemas["WebhookPatch"] {
  const { name, url, secret, severity, kinds } = values;
  return {
    name,
    severity,
    kinds,
    ...(url && { url }),
    ...(secret && { secret }),
  };
}

/** Its secret, this once. */
function Made({ hook }: { hook: Webhook }) {
  const { t } = useTranslation("alerts");
  return (
    <div className="space-y-4">
      <div>
        <p className="mb-1.5 font-medium">{t("secret_once")}</p>
        <Snippet text={hook.secret!} />
      </div>
      <div className="space-y-1.5 text-xs text-soft">
        <p>{t("secret_use")}</p>
        <Snippet text={'x-routex-signature: v1=HMAC-SHA256(secret, timestamp + "." + body)'} />
      </div>
    </div>
  );
}

export default function WebhookForm({
  hook,
  onClose,
}: {
  hook: Webhook | null;
  onClose: () => void;
}) {
  const { t } = useTranslation(["alerts", "common"]);
  const client = useQueryClient();
  const [made, setMade] = useState<Webhook | null>(null);
  const [error, setError] = useState<unknown>(null);
  const form = useForm<Values>({
    resolver: zodResolver(schemaOf(!hook)),
    defaultValues: {
      name: hook?.name ?? "",
      url: "",
      secret: "",
      severity: hook?.severity ?? "info",
      kinds: (hook?.kinds ?? []) as Values["kinds"],
    },
  });
  const { errors, isSubmitting } = form.formState;
  const wrong = (name: "name" | "url" | "secret") => {
    const message = errors[name]?.message;
    if (!message) return undefined;
    return message.includes(" ") ? message : t(`wrong.${message as "url"}`);
  };
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      const body = bodyOf(values);
      const { data } = hook
        ? await unwrap(
            api.PATCH("/api/webhooks/{id}", {
              params: { path: { id: hook.id } },
              body,
            }),
          )
        : await unwrap(
            api.POST("/api/webhooks", {
              body: { ...body, name: values.name, url: values.url },
            }),
          );
      await client.invalidateQueries({ queryKey: webhooksQuery.queryKey });
      if (data.secret) return setMade(data);
      toast({ text: t(hook ? "changed" : "added", { name: data.name }) });
      onClose();
    } catch (failure) {
      const field = isApiError(failure) ? failure.field : undefined;
      if (
        failure instanceof Error &&
        (field === "name" || field === "url" || field === "secret")
      )
        form.setError(field, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });
  const { register } = form;

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        made
          ? t("added", { name: made.name })
          : hook
            ? t("edit_of", { name: hook.name })
            : t("add")
      }
      description={made ? undefined : t("add_hint")}
      footer={
        made ? (
          <Button kind="primary" onClick={onClose}>
            {t("kept")}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t("common:cancel")}</Button>
            <Button kind="primary" type="submit" form="webhook" busy={isSubmitting}>
              {t(hook ? "common:save" : "add_do")}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <Made hook={made} />
      ) : (
        <form
          id="webhook"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <Field label={t("name")} error={wrong("name")}>
            {(control) => (
              <Input {...control} autoComplete="off" {...register("name")} />
            )}
          </Field>
          <Field
            label={t("url")}
            optional={!!hook}
            hint={hook ? t("url_stays", { url: hook.url }) : t("url_hint")}
            error={wrong("url")}
          >
            {(control) => (
              <Input
                {...control}
                inputMode="url"
                autoComplete="off"
                spellCheck={false}
                placeholder="https://"
                {...register("url")}
              />
            )}
          </Field>
          <Field label={t("severity")}>
            {(control) => (
              <Select {...control} {...register("severity")}>
                {severities.map((one) => (
                  <option key={one} value={one}>
                    {t(`least.${one}`)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <fieldset>
            <legend className="font-medium">{t("kinds")}</legend>
            <p className="mb-1.5 text-xs text-muted">{t("kinds_hint")}</p>
            <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2">
              {kinds.map((one) => (
                <label key={one} className="flex items-center gap-2">
                  <input
                    type="checkbox"
                    value={one}
                    className="accent-(--accent)"
                    {...register("kinds")}
                  />
                  {t(`kind.${one}`)}
                </label>
              ))}
            </div>
          </fieldset>
          <Field
            label={t("secret")}
            optional
            hint={hook ? t("secret_stays", { last4: hook.secret_last4 }) : t("secret_hint")}
            error={wrong("secret")}
          >
            {(control) => (
              <SecretInput
                {...control}
                autoComplete="new-password"
                {...register("secret")}
              />
            )}
          </Field>
          {error !== null && <Failure error={error} />}
        </form>
      )}
    </Dialog>
  );
}
