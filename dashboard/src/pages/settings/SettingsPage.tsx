import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { Card, PageHead } from "@/ui/card";
import { Failure, SkeletonRows } from "@/ui/states";
import { fields, type FormSection } from "./fields";
import { settingsQuery } from "./queries";
import { sections, type Section } from "./route";
import { SettingsForm } from "./SettingsForm";

const others = {
  prices: lazy(() => import("./Prices")),
  people: lazy(() => import("./People")),
  you: lazy(() => import("./You")),
};

const isForm = (section: Section): section is FormSection => section in fields;

function Waiting() {
  return (
    <Card>
      <SkeletonRows />
    </Card>
  );
}

function Form({ section }: { section: FormSection }) {
  const settings = useQuery(settingsQuery);
  if (settings.error)
    return (
      <Failure error={settings.error} onRetry={() => void settings.refetch()} />
    );
  if (!settings.data) return <Waiting />;
  return <SettingsForm key={section} section={section} settings={settings.data} />;
}

function Other({ section }: { section: Exclude<Section, FormSection> }) {
  const Part = others[section];
  return (
    <Suspense fallback={<Waiting />}>
      <Part />
    </Suspense>
  );
}

export default function SettingsPage() {
  const { t } = useTranslation("settings");
  const { section = "routing" } = useSearch({ from: "/shell/settings" });
  return (
    <>
      <PageHead title={t("title")} hint={t(`section_hint.${section}`)} />
      <div className="gap-8 md:flex">
        <nav aria-label={t("sections")} className="mb-4 shrink-0 md:w-44">
          <ul className="flex gap-1 overflow-x-auto [scrollbar-width:none] md:sticky md:top-19 md:flex-col md:gap-px">
            {sections.map((one) => (
              <li key={one} className="shrink-0">
                <Link
                  to="/settings"
                  search={{ section: one }}
                  aria-current={one === section ? "page" : undefined}
                  className="flex h-8 items-center rounded-md px-2.5 font-medium text-soft transition-colors hover:bg-hover hover:text-text aria-[current=page]:bg-hover aria-[current=page]:text-text"
                >
                  {t(`section.${one}`)}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="min-w-0 flex-1">
          {isForm(section) ? <Form section={section} /> : <Other section={section} />}
        </div>
      </div>
    </>
  );
}
