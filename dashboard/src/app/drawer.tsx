import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "@/ui/button";
import { overlay, useFocusReturn } from "@/ui/dialog";

/** On narrow screens the navigation comes in from the left. */
export default function Drawer({
  brand,
  children,
  onClose,
}: {
  brand: ReactNode;
  children: ReactNode;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const giveBack = useFocusReturn();
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          onCloseAutoFocus={giveBack}
          className="fixed inset-y-0 left-0 z-50 flex w-64 animate-fade flex-col bg-bg shadow-pop outline-none"
        >
          <Radix.Title className="sr-only">{t("nav.label")}</Radix.Title>
          <Radix.Description className="sr-only">{t("nav.label")}</Radix.Description>
          <div className="flex items-center justify-between pr-3">
            {brand}
            <Radix.Close asChild>
              <IconButton label={t("close")} icon={X} />
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
