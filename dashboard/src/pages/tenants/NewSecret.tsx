/** A key that was just made: shown once, with what to do with it. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Button } from "@/ui/button";
import { useConfirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { QuickStart } from "@/ui/quickstart";
import { OneTimeSecret } from "@/ui/secret";
import { formatTime } from "@/lib/format";

interface Props {
  made: Schemas["NewKey"];
  rotated?: boolean;
  onClose: () => void;
}

export function NewSecret({ made, rotated, onClose }: Props) {
  const { t } = useTranslation(["tenants", "common"]);
  const confirm = useConfirm();
  const [copied, setCopied] = useState(false);
  const leave = async () => {
    if (
      copied ||
      (await confirm({
        title: t("not_copied"),
        body: t("not_copied_body"),
        action: t("close_anyway"),
      }))
    )
      onClose();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && void leave()}
      title={t(rotated ? "rotated_title" : "made_title", { name: made.name })}
      description={
        made.previous
          ? t("old_until", {
              last4: made.previous.last4,
              time: formatTime(made.previous.valid_until),
            })
          : t(rotated ? "old_gone" : "made_hint")
      }
      className="max-w-2xl"
      footer={
        <Button kind={copied ? "primary" : "secondary"} onClick={() => void leave()}>
          {t("done")}
        </Button>
      }
    >
      <div className="space-y-5">
        <OneTimeSecret
          text={made.key}
          label={t("key_itself")}
          onCopy={() => setCopied(true)}
        />
        <section>
          <h3 className="mb-1 font-semibold">{t("quick_start")}</h3>
          <QuickStart secret={made.key} />
        </section>
      </div>
    </Dialog>
  );
}
