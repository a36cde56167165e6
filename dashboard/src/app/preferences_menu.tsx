import { Languages, Monitor, Moon, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";

import { languages, setLanguage, type Language } from "@/i18n";
import type { LateMenuProps } from "@/ui/late";
import { Menu, MenuChoice, MenuSeparator } from "@/ui/menu";
import { setTheme, useTheme } from "./theme";

const icons = { light: Sun, dark: Moon, system: Monitor } as const;

export default function PreferencesMenu({ trigger }: LateMenuProps) {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  return (
    <Menu trigger={trigger} defaultOpen>
      <MenuChoice
        label={t("theme.label")}
        value={theme}
        onChange={setTheme}
        options={(["light", "dark", "system"] as const).map((value) => ({
          value,
          label: t(`theme.${value}`),
          icon: icons[value],
        }))}
      />
      <MenuSeparator />
      <MenuChoice
        label={t("language")}
        value={i18n.resolvedLanguage as Language}
        onChange={(language) => void setLanguage(language)}
        options={Object.entries(languages).map(([value, label]) => ({
          value: value as Language,
          label,
          icon: Languages,
        }))}
      />
    </Menu>
  );
}
