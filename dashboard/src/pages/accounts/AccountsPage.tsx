import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  CircleUserRound,
  Ellipsis,
  LogIn as LogInIcon,
  Plus,
  RefreshCw,
  Trash2,
  TriangleAlert,
} from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { accountsQuery, oauthProvidersQuery, type Account } from "@/api/accounts";
import { cn } from "@/lib/cn";
import { formatSpan, formatTime } from "@/lib/format";
import { Badge, Dot } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, PageHead } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago, useNow } from "@/ui/time";
import { useAccountActions } from "./actions";
import { byNeed, expiryOf, toneOf } from "./state";

const LogIn = lazy(() => import("./LogIn"));
const MakeChannel = lazy(() =>
  import("./LogIn").then(({ MakeChannel }) => ({ default: MakeChannel })),
);

function Channels({ names }: { names: string[] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((one) => (
        <Link
          key={one}
          to="/channels"
          search={{ channel: one }}
          className="inline-flex h-5 max-w-40 items-center truncate rounded-full border border-line-strong px-2 text-2xs font-medium text-soft hover:bg-hover hover:text-text"
        >
          {one}
        </Link>
      ))}
    </span>
  );
}

/** Only a person can help these: what it means, and the way out. */
function NeedsLogIn({ account, onLogIn }: { account: Account; onLogIn: () => void }) {
  const { t } = useTranslation("accounts");
  return (
    <section
      aria-label={t("needs_login_title", { name: account.name })}
      className="flex flex-wrap items-start gap-x-3 gap-y-3 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3.5"
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad-text" />
      <div className="min-w-0 flex-1 basis-56">
        <h2 className="font-semibold text-bad-text">
          {t("needs_login_title", { name: account.name })}
        </h2>
        <p className="mt-0.5 text-soft">
          {account.channels.length > 0
            ? t("needs_login_channels", {
                count: account.channels.length,
                channels: account.channels.join(", "),
              })
            : t("needs_login_none")}
        </p>
        {account.last_error && (
          <p className="mt-1 text-xs break-words text-soft">
            {account.last_error} · <Ago time={account.failed_at} />
          </p>
        )}
      </div>
      <Button kind="primary" icon={LogInIcon} onClick={onLogIn}>
        {t("login_again")}
      </Button>
    </section>
  );
}

function Expiry({ account }: { account: Account }) {
  const { t } = useTranslation("accounts");
  const now = useNow();
  const { state, seconds } = expiryOf(account, now);
  const time = formatSpan(Math.abs(seconds));
  const low = state === "expired" || (state === "ends" && seconds < 3_600);
  return (
    <div className="min-w-0" title={formatTime(account.expires_at)}>
      <p className={cn("truncate tabular", low && "text-warn-text")}>
        {state === "endless"
          ? t("no_end")
          : state === "expired"
            ? t("expired")
            : t("valid_for", { time })}
      </p>
      <p className="truncate text-xs text-muted">
        {t(account.renewable ? "renews_itself" : "renews_not")}
      </p>
    </div>
  );
}

interface LineProps {
  account: Account;
  provider: string;
  onLogIn: () => void;
  onRefused: () => void;
  onMake: () => void;
}

function Line({ account, provider, onLogIn, onRefused, onMake }: LineProps) {
  const { t } = useTranslation(["accounts", "common"]);
  const { renew, remove } = useAccountActions();
  const [busy, setBusy] = useState(false);
  const { name, status } = account;
  const refresh = async () => {
    setBusy(true);
    await renew(account);
    setBusy(false);
  };
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 px-4 py-3 md:grid-cols-[minmax(0,5fr)_minmax(0,4fr)_minmax(0,4fr)_8.5rem_auto]">
      <div className="flex min-w-0 items-center gap-3">
        <Dot tone={toneOf[status]} />
        <div className="min-w-0">
          <p className="truncate font-medium">{name}</p>
          <p className="truncate text-xs text-muted">
            {[provider, account.email ?? account.identity].filter(Boolean).join(" · ")}
          </p>
        </div>
      </div>
      <div className="col-start-1 row-start-2 min-w-0 pl-5 md:col-start-auto md:row-start-auto md:pl-0">
        {status === "needs_login" ? (
          <p className="text-muted">{t("no_token")}</p>
        ) : (
          <Expiry account={account} />
        )}
      </div>
      <div className="col-span-2 col-start-1 row-start-3 min-w-0 pl-5 md:col-span-1 md:col-start-auto md:row-start-auto md:pl-0">
        {account.channels.length > 0 ? (
          <Channels names={account.channels} />
        ) : (
          <Button size="sm" icon={Plus} onClick={onMake}>
            {t("use_it")}
          </Button>
        )}
      </div>
      <div className="col-start-2 row-start-1 flex justify-end md:col-start-auto md:row-start-auto">
        <Badge tone={toneOf[status]} title={account.last_error ?? undefined}>
          {t(`status.${status}`)}
          {account.failures > 0 && status === "failing" && ` · ${account.failures}×`}
        </Badge>
      </div>
      <div className="col-start-2 row-start-2 flex justify-end self-start md:col-start-auto md:row-start-auto md:self-center">
        <IconButton
          size="sm"
          icon={status === "needs_login" ? LogInIcon : RefreshCw}
          busy={busy}
          disabled={busy || (status !== "needs_login" && !account.renewable)}
          label={t(status === "needs_login" ? "login_again_of" : "renew_of", { name })}
          onClick={() => (status === "needs_login" ? onLogIn() : void refresh())}
        />
        <Menu
          trigger={
            <IconButton size="sm" icon={Ellipsis} label={t("more_of", { name })} />
          }
        >
          {account.renewable && (
            <MenuItem icon={RefreshCw} onSelect={() => void refresh()}>
              {t("renew")}
            </MenuItem>
          )}
          <MenuItem icon={LogInIcon} onSelect={onLogIn}>
            {t("login_again")}
          </MenuItem>
          <MenuItem icon={Plus} onSelect={onMake}>
            {t("use_it")}
          </MenuItem>
          <MenuSeparator />
          <MenuItem
            danger
            icon={Trash2}
            onSelect={() =>
              account.channels.length > 0 ? onRefused() : void remove(account)
            }
          >
            {t("common:delete")}
          </MenuItem>
        </Menu>
      </div>
    </li>
  );
}

/** It serves channels: why it stays, and what to do first. */
function Refused({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useTranslation(["accounts", "common"]);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("refused_title", { name: account.name })}
      className="top-[18vh] max-w-md"
      footer={<Button onClick={onClose}>{t("common:close")}</Button>}
    >
      <p className="mb-3 text-soft">
        {t("refused_text", { count: account.channels.length })}
      </p>
      <Channels names={account.channels} />
    </Dialog>
  );
}

type Open = { what: "login"; account: Account | null } | {
  what: "refused" | "make";
  account: Account;
};

export default function AccountsPage() {
  const { t } = useTranslation("accounts");
  const accounts = useQuery(accountsQuery);
  const providers = useQuery(oauthProvidersQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const list = accounts.data?.toSorted(byNeed);
  const close = () => setOpen(null);
  const titleOf = (name: string) =>
    providers.data?.find((one) => one.name === name)?.title ?? name;
  const add = (
    <Button
      kind="primary"
      icon={Plus}
      onClick={() => setOpen({ what: "login", account: null })}
    >
      {t("add")}
    </Button>
  );

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        {list && list.length > 0 && add}
      </PageHead>
      <div className="space-y-4">
        {accounts.error && (
          <Failure
            error={accounts.error}
            onRetry={() => void accounts.refetch()}
          />
        )}
        {list
          ?.filter((one) => one.status === "needs_login")
          .map((one) => (
            <NeedsLogIn
              key={one.id}
              account={one}
              onLogIn={() => setOpen({ what: "login", account: one })}
            />
          ))}
        <Card className="overflow-hidden">
          {!list ? (
            !accounts.error && <SkeletonRows rows={3} />
          ) : list.length === 0 ? (
            <Empty icon={CircleUserRound} title={t("none")} action={add}>
              {t("none_text")}
            </Empty>
          ) : (
            <>
              <div
                aria-hidden
                className="hidden gap-x-4 border-b border-line px-4 py-2 text-xs text-muted md:grid md:grid-cols-[minmax(0,5fr)_minmax(0,4fr)_minmax(0,4fr)_8.5rem_3.5rem]"
              >
                <span className="pl-5">{t("account")}</span>
                <span>{t("token")}</span>
                <span>{t("channels")}</span>
                <span className="text-right">{t("state")}</span>
              </div>
              <ul className="divide-y divide-line">
                {list.map((one) => (
                  <Line
                    key={one.id}
                    account={one}
                    provider={titleOf(one.provider)}
                    onLogIn={() => setOpen({ what: "login", account: one })}
                    onRefused={() => setOpen({ what: "refused", account: one })}
                    onMake={() => setOpen({ what: "make", account: one })}
                  />
                ))}
              </ul>
            </>
          )}
        </Card>
      </div>
      <Suspense>
        {open?.what === "login" && <LogIn account={open.account} onClose={close} />}
        {open?.what === "refused" && (
          <Refused account={open.account} onClose={close} />
        )}
        {open?.what === "make" && (
          <Dialog
            open
            onOpenChange={(now) => !now && close()}
            title={t("make_title", { name: open.account.name })}
            description={t("make_hint")}
            className="top-[18vh] max-w-md"
          >
            <MakeChannel account={open.account} onMade={close} />
          </Dialog>
        )}
      </Suspense>
    </>
  );
}
