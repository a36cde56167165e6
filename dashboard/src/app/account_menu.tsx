import { useNavigate } from "@tanstack/react-router";
import { LogOut, Sparkles } from "lucide-react";
import { useTranslation } from "react-i18next";

import { logOut } from "@/api/session";
import type { LateMenuProps } from "@/ui/late";
import { Menu, MenuItem } from "@/ui/menu";
import { toastError } from "@/ui/toast";

export default function AccountMenu({ trigger }: LateMenuProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <Menu align="start" trigger={trigger} defaultOpen>
      <MenuItem icon={Sparkles} onSelect={() => void navigate({ to: "/welcome" })}>
        {t("nav.welcome")}
      </MenuItem>
      <MenuItem icon={LogOut} onSelect={() => void logOut().catch(toastError)}>
        {t("log_out")}
      </MenuItem>
    </Menu>
  );
}
