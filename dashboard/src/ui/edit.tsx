/** What stands below everything that is looked at and changed in a sheet. */
import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Button, type ButtonProps } from "./button";

export const DeleteButton = (props: ButtonProps) => {
  const { t } = useTranslation();
  return (
    <Button kind="ghost" icon={Trash2} className="text-bad-text" {...props}>
      {t("delete")}
    </Button>
  );
};

interface Props {
  /** The form's id, or what saves where there is none. */
  save: string | (() => void);
  busy: boolean;
  dirty: boolean;
  /** Gives up what was changed; left out, there is nothing to give up. */
  onCancel?: () => void;
  /** What else can be done with it; they come first. */
  children?: ReactNode;
}

export function EditActions({ save, busy, dirty, onCancel, children }: Props) {
  const { t } = useTranslation();
  const how =
    typeof save === "string" ? { type: "submit" as const, form: save } : { onClick: save };
  return (
    <>
      <span className="mr-auto flex flex-wrap items-center gap-2">{children}</span>
      {onCancel && <Button onClick={onCancel}>{t("cancel")}</Button>}
      <Button kind="primary" busy={busy} disabled={!dirty} {...how}>
        {t("save")}
      </Button>
    </>
  );
}
