/** Everything by keyboard: pages, channels, themes. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Languages, Moon, Sparkles, Sun, Waypoints, type LucideIcon } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import { languages, setLanguage, type Language } from "@/i18n";
import { overlay, useFocusReturn } from "@/ui/dialog";
import { nav } from "./nav";
import { setTheme, useIsDark } from "./theme";

const group =
  "[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-muted";

function Item({
  icon: Icon,
  words,
  onSelect,
  children,
}: {
  icon: LucideIcon;
  words: string;
  onSelect: () => void;
  children: ReactNode;
}) {
  return (
    <Command.Item
      value={words}
      onSelect={onSelect}
      className="flex h-9 items-center gap-2.5 rounded-md px-2 aria-selected:bg-hover"
    >
      <Icon aria-hidden className="size-4 text-muted" />
      {children}
    </Command.Item>
  );
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const dark = useIsDark();
  const giveBack = useFocusReturn();
  const { data: channels = [] } = useQuery(channelsQuery);
  const run = (fn: () => unknown) => () => {
    onClose();
    void fn();
  };
  const other = (Object.keys(languages) as Language[]).filter(
    (one) => one !== i18n.resolvedLanguage,
  );

  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          onCloseAutoFocus={giveBack}
          className="fixed inset-x-4 top-[14vh] z-50 mx-auto max-w-xl animate-in overflow-hidden rounded-xl bg-raised shadow-pop outline-none"
        >
          <Radix.Title className="sr-only">{t("palette.open")}</Radix.Title>
          <Radix.Description className="sr-only">
            {t("palette.hint")}
          </Radix.Description>
          <Command label={t("palette.open")} loop>
            <Command.Input
              placeholder={t("palette.hint")}
              className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
            />
            <Command.List
              aria-label={t("palette.open")}
              className="max-h-[50vh] overflow-y-auto p-2"
            >
              <Command.Empty className="px-2 py-8 text-center text-muted">
                {t("palette.none")}
              </Command.Empty>
              <Command.Group heading={t("palette.pages")} className={group}>
                {nav.flatMap(({ items }) =>
                  items.map(({ to, label, icon }) => (
                    <Item
                      key={to}
                      icon={icon}
                      words={`${t(label)} ${to}`}
                      onSelect={run(() => navigate({ to }))}
                    >
                      {t(label)}
                    </Item>
                  )),
                )}
                <Item
                  icon={Sparkles}
                  words={`${t("nav.welcome")} /welcome`}
                  onSelect={run(() => navigate({ to: "/welcome" }))}
                >
                  {t("nav.welcome")}
                </Item>
              </Command.Group>
              {channels.length > 0 && (
                <Command.Group heading={t("nav.channels")} className={group}>
                  {channels.map(({ id, name, type }) => (
                    <Item
                      key={id}
                      icon={Waypoints}
                      words={`${name} ${type} ${id}`}
                      onSelect={run(() =>
                        navigate({ to: "/channels", search: { channel: id } }),
                      )}
                    >
                      {name}
                      <span className="text-muted">{type}</span>
                    </Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading={t("preferences")} className={group}>
                <Item
                  icon={dark ? Sun : Moon}
                  words={`${t("theme.label")} ${t("theme.light")} ${t("theme.dark")}`}
                  onSelect={run(() => setTheme(dark ? "light" : "dark"))}
                >
                  {t("theme.label")}: {t(dark ? "theme.light" : "theme.dark")}
                </Item>
                {other.map((language) => (
                  <Item
                    key={language}
                    icon={Languages}
                    words={`${t("language")} ${languages[language]}`}
                    onSelect={run(() => setLanguage(language))}
                  >
                    {t("language")}: {languages[language]}
                  </Item>
                ))}
              </Command.Group>
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
