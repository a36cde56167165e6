import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import {
  Bell,
  ChevronsUpDown,
  Menu as MenuIcon,
  Monitor,
  Moon,
  Search,
  Sun,
} from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { openAlertsQuery } from "@/api/alerts";
import { useLive, useLiveState } from "@/api/live";
import { isSignedIn, sessionQuery } from "@/api/session";
import { statusQuery } from "@/api/status";
import { cn } from "@/lib/cn";
import { Badge, Dot } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { lateMenu } from "@/ui/late";
import { Tooltip } from "@/ui/tooltip";
import { useArrived } from "./arrived";
import { nav } from "./nav";
import { useTheme } from "./theme";

const Palette = lazy(() => import("./palette"));
const Drawer = lazy(() => import("./drawer"));

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className="size-6 shrink-0">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path
        d="M9 23V13.5A4.5 4.5 0 0 1 13.5 9H23M23 9l-4-4M23 9l-4 4M9 23h6.5A4.5 4.5 0 0 0 20 18.5V18"
        fill="none"
        stroke="white"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function Navigation({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("nav.label")} className="flex-1 overflow-y-auto px-3 py-2">
      {nav.map((group) => (
        <div key={group.label} className="mb-4">
          <p className="mb-1 px-2 text-2xs font-medium text-muted">
            {t(group.label)}
          </p>
          <ul className="space-y-px">
            {group.items.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onGo}
                  activeOptions={{ exact: to === "/" }}
                  className="flex h-8 items-center gap-2.5 rounded-md px-2 font-medium text-soft transition-colors hover:bg-hover hover:text-text aria-[current=page]:bg-hover aria-[current=page]:text-text [&_svg]:size-4 [&_svg]:text-muted aria-[current=page]:[&_svg]:text-accent-text"
                >
                  <Icon aria-hidden />
                  {t(label)}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

const AccountMenu = lateMenu(() => import("./account_menu"));

function Account() {
  const { t } = useTranslation();
  const { data: who } = useQuery(sessionQuery);
  if (!who || !isSignedIn(who)) return null;
  return (
    <div className="border-t border-line p-3">
      <AccountMenu
        trigger={
          <button className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left transition-colors hover:bg-hover">
            <span
              aria-hidden
              className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text uppercase"
            >
              {who.name.slice(0, 1)}
            </span>
            <span className="min-w-0 flex-1">
              <span className="block truncate text-xs font-medium">
                {who.name}
              </span>
              <span className="block truncate text-2xs text-muted">
                {who.role ? t(`roles.${who.role}`) : t(`kinds.${who.kind}`)}
              </span>
            </span>
            <ChevronsUpDown aria-hidden className="size-3.5 text-muted" />
          </button>
        }
      />
    </div>
  );
}

function Brand() {
  const { data } = useQuery(statusQuery);
  return (
    <Link
      to="/"
      className="flex h-13 shrink-0 items-center gap-2.5 px-5 text-base font-semibold tracking-tight"
    >
      <Mark />
      Routex
      {data && (
        <span className="mt-0.5 text-2xs font-normal text-muted tabular">
          {data.version}
        </span>
      )}
    </Link>
  );
}

/** Is what is on the screen true now? */
function LiveIndicator() {
  const { t } = useTranslation();
  const state = useLiveState();
  const { data } = useQuery(statusQuery);
  const planes = data?.planes.filter((one) => one.connected).length ?? 0;
  const tone = { live: "ok", connecting: "neutral", lost: "warn" } as const;

  return (
    <Tooltip
      text={
        state === "live"
          ? t("live.live_hint", { count: planes })
          : t("live.lost_hint")
      }
    >
      <Badge
        tone={tone[state]}
        tabIndex={0}
        role="status"
        className="h-6 gap-1.5 px-2.5"
      >
        <Dot tone={tone[state]} pulse={state === "live"} />
        {t(`live.${state}`)}
      </Badge>
    </Tooltip>
  );
}

/** What nobody has seen yet, wherever one is. */
function AlertBell() {
  const { t } = useTranslation();
  const { data } = useQuery(openAlertsQuery);
  const fresh = data?.filter((one) => !one.acked_at) ?? [];
  const bad = fresh.some((one) => one.severity === "critical");
  const label =
    fresh.length > 0 ? t("bell.new", { count: fresh.length }) : t("bell.none");
  return (
    <Button asChild kind="ghost" className="relative w-8 px-0">
      <Link to="/alerts" aria-label={label} title={label}>
        <Bell aria-hidden />
        {fresh.length > 0 && (
          <span
            aria-hidden
            className={cn(
              "absolute top-0.5 right-0.5 grid h-3.5 min-w-3.5 place-items-center rounded-full px-0.5 text-[0.5625rem] leading-none font-semibold tabular",
              bad ? "bg-bad-fill text-accent-ink" : "bg-warn-soft text-warn-text",
            )}
          >
            {fresh.length > 9 ? "9+" : fresh.length}
          </span>
        )}
      </Link>
    </Button>
  );
}

const PreferencesMenu = lateMenu(() => import("./preferences_menu"));

export function Preferences() {
  const { t } = useTranslation();
  const icons = { light: Sun, dark: Moon, system: Monitor } as const;
  const icon = icons[useTheme()];
  return <PreferencesMenu trigger={<IconButton label={t("preferences")} icon={icon} />} />;
}

function usePalette() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey))
        return;
      event.preventDefault();
      setOpen((now) => !now);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return [open, setOpen] as const;
}

export function Shell() {
  const { t } = useTranslation();
  useArrived();
  const [palette, setPalette] = usePalette();
  const [drawer, setDrawer] = useState(false);
  const client = useQueryClient();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useLive({ gap: () => void client.invalidateQueries() });

  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="fixed top-2 left-2 z-70 -translate-y-16 rounded-md bg-accent px-3 py-2 text-accent-ink focus:translate-y-0"
      >
        {t("skip")}
      </a>
      <aside className="sticky top-0 hidden h-dvh w-56 shrink-0 flex-col border-r border-line bg-sunken lg:flex">
        <Brand />
        <Navigation />
        <Account />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-30 flex h-13 shrink-0 items-center gap-2 border-b border-line bg-bg/85 px-4 backdrop-blur sm:px-6">
          <IconButton
            className="lg:hidden"
            label={t("nav.open")}
            icon={MenuIcon}
            onClick={() => setDrawer(true)}
          />
          <Button
            onClick={() => setPalette(true)}
            className={cn(
              "w-8 px-0 font-normal text-muted shadow-none sm:w-64 sm:justify-start sm:px-2.5",
            )}
            aria-keyshortcuts="Control+K Meta+K"
          >
            <Search aria-hidden />
            <span className="sr-only flex-1 text-left sm:not-sr-only">
              {t("palette.hint")}
            </span>
            <kbd aria-hidden className="hidden rounded border border-line bg-sunken px-1 font-sans text-2xs text-muted sm:block">
              {/Mac|iP/.test(navigator.platform) ? "⌘" : "Ctrl"} K
            </kbd>
          </Button>
          <div className="flex-1" />
          <LiveIndicator />
          <AlertBell />
          <Preferences />
        </header>
        <main
          id="main"
          key={path}
          tabIndex={-1}
          className="mx-auto w-full max-w-7xl flex-1 px-4 py-6 outline-none sm:px-6"
        >
          <Outlet />
        </main>
      </div>
      {drawer && (
        <Suspense>
          <Drawer brand={<Brand />} onClose={() => setDrawer(false)}>
            <Navigation onGo={() => setDrawer(false)} />
            <Account />
          </Drawer>
        </Suspense>
      )}
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}
