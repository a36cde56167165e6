/** A dialog with a form in it, and the API's word at the right field. */
import { zodResolver } from "@hookform/resolvers/zod";
import { useState, type ReactNode } from "react";
import {
  useForm,
  type DefaultValues,
  type FieldValues,
  type Path,
  type UseFormReturn,
} from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { ZodType } from "zod";

import { isApiError } from "@/api/errors";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Failure } from "@/ui/states";

/** Ours are keys of texts; the API's are sentences. */
export function useWrong<V extends FieldValues>(form: UseFormReturn<V>) {
  const { t } = useTranslation("settings");
  return (name: Path<V>): string | undefined => {
    const message = form.formState.errors[name]?.message as string | undefined;
    if (!message) return undefined;
    return message.includes(" ") ? message : t(`wrong.${message as "required"}`);
  };
}

export function useChecked<V extends FieldValues>(
  schema: ZodType<V, V>,
  defaultValues: DefaultValues<V>,
  save: (values: V) => Promise<unknown>,
) {
  const [error, setError] = useState<unknown>(null);
  const form = useForm<V>({ resolver: zodResolver(schema), defaultValues });
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      await save(values as V);
    } catch (failure) {
      const field = isApiError(failure) ? failure.field : undefined;
      if (field && field in form.getValues() && failure instanceof Error)
        form.setError(field as Path<V>, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });
  return { form, submit, error };
}

interface Props {
  title: string;
  hint?: string;
  action: string;
  busy: boolean;
  error: unknown;
  onSubmit: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title={props.title}
      description={props.hint}
      footer={
        <>
          <Button onClick={props.onClose}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" form="in-dialog" busy={props.busy}>
            {props.action}
          </Button>
        </>
      }
    >
      <form
        id="in-dialog"
        noValidate
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          void props.onSubmit();
        }}
      >
        {props.children}
        {props.error !== null && <Failure error={props.error} />}
      </form>
    </Dialog>
  );
}
