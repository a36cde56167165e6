import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { FlaskConical, Route, SquareFunction } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { Card, PageHead } from "@/ui/card";
import { SkeletonRows } from "@/ui/states";
import Rules from "./Rules";

const Bench = lazy(() => import("./Bench"));
const Functions = lazy(() => import("./Functions"));

const tabs = [
  { tab: undefined, key: "rules", icon: Route },
  { tab: "test", key: "test", icon: FlaskConical },
  { tab: "functions", key: "functions", icon: SquareFunction },
] as const;

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
      <PageHead title={t("title")} hint={t("hint")}>
        <nav aria-label={t("title")} className="flex gap-0.5 rounded-lg border border-line bg-sunken p-0.5">
          {tabs.map(({ tab: one, key, icon: Icon }) => (
            <Link
              key={key}
              to="/routing"
              search={one ? { tab: one } : {}}
              aria-current={tab === one ? "page" : undefined}
              activeProps={{ "aria-current": undefined }}
              activeOptions={{ exact: true, includeSearch: true }}
              data-on={tab === one || undefined}
              className="flex h-7 items-center gap-1.5 rounded-md px-2.5 text-xs font-medium text-soft hover:text-text data-on:bg-surface data-on:text-text data-on:shadow-card dark:data-on:bg-hover"
            >
              <Icon aria-hidden className="size-3.5" />
              {t(`tabs.${key}`)}
            </Link>
          ))}
        </nav>
      </PageHead>
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
    </>
  );
}
