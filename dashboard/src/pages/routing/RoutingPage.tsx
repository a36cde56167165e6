import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { Card, PageHead } from "@/ui/card";
import { SkeletonRows } from "@/ui/states";
import { Tabs } from "@/ui/tabs";
import Rules from "./Rules";

const Bench = lazy(() => import("./Bench"));
const Functions = lazy(() => import("./Functions"));

const tabs = ["rules", "test", "functions"] as const;

export default function RoutingPage() {
  const { t } = useTranslation("routing");
  const { tab, open } = useSearch({ from: "/shell/routing" });
  const navigate = useNavigate({ from: "/routing" });
  const onOpen = (id: string | undefined) =>
    void navigate({
      search: { ...(tab && { tab }), ...(id && { open: id }) },
      resetScroll: false,
    });
  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <Tabs
        label={t("title")}
        value={tab ?? "rules"}
        onChange={(next) =>
          void navigate({ search: next === "rules" ? {} : { tab: next }, replace: true })
        }
        items={tabs.map((value) => ({ value, label: t(`tabs.${value}`) }))}
      >
      <Suspense
        fallback={
          <Card>
            <SkeletonRows />
          </Card>
        }
      >
        {tab === "test" ? (
          <Bench />
        ) : tab === "functions" ? (
          <Functions open={open} onOpen={onOpen} />
        ) : (
          <Rules open={open} onOpen={onOpen} />
        )}
      </Suspense>
      </Tabs>
    </>
  );
}
