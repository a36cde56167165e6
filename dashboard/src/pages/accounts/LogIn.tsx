/** Log-in at a provider: where, its own page, the code that comes of it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, ExternalLink, RotateCcw, Waypoints } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import {
  accountsQuery,
  oauthProvidersQuery,
  type Account,
  type OauthLogin,
} from "@/api/accounts";
import { channelsQuery, providersQuery, type Channel } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { cn } from "@/lib/cn";
import { formatSpan } from "@/lib/format";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { Failure, Skeleton } from "@/ui/states";
import { useNow } from "@/ui/time";
import { toast } from "@/ui/toast";
import { finishLogIn, startLogIn, useAccountActions } from "./actions";
import { channelNameFor } from "./state";

function Step({ n, title, children }: { n: number; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span
        aria-hidden
        className="mt-px grid size-5 shrink-0 place-items-center rounded-full bg-accent-soft text-2xs font-semibold text-accent-text"
      >
        {n}
      </span>
      <div className="min-w-0 flex-1 space-y-2">
        <p className="font-medium">{title}</p>
        {children}
      </div>
    </li>
  );
}

function Where({
  provider,
  onProvider,
  name,
  onName,
}: {
  provider: string | null;
  onProvider: (name: string) => void;
  name: string;
  onName: (name: string) => void;
}) {
  const { t } = useTranslation("accounts");
  const { data, error } = useQuery(oauthProvidersQuery);
  if (error) return <Failure error={error} />;
  if (!data) return <Skeleton className="h-28" />;
  return (
    <div className="space-y-4">
      <fieldset>
        <legend className="mb-1.5 font-medium">{t("provider")}</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {data.map((one) => (
            <label
              key={one.name}
              className={cn(
                "flex cursor-pointer items-start gap-2.5 rounded-lg border border-line px-3 py-2.5 hover:border-accent has-focus-visible:outline-2 has-focus-visible:outline-accent",
                provider === one.name && "border-accent bg-accent-soft/40",
              )}
            >
              <input
                type="radio"
                name="provider"
                className="mt-1 accent-(--accent)"
                checked={provider === one.name}
                onChange={() => onProvider(one.name)}
              />
              <span className="min-w-0">
                <span className="block font-medium">{one.title}</span>
                <span className="block truncate text-xs text-muted">
                  {new URL(one.authorize_url).host}
                </span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <Field label={t("account_name")} optional hint={t("account_name_hint")}>
        {(control) => (
          <Input
            {...control}
            maxLength={64}
            autoComplete="off"
            spellCheck={false}
            placeholder={provider ?? ""}
            value={name}
            onChange={(event) => onName(event.target.value)}
          />
        )}
      </Field>
    </div>
  );
}

/** The provider's page, and what it gave. */
function Consent({
  login,
  code,
  onCode,
  onAgain,
  error,
  onSubmit,
}: {
  login: OauthLogin;
  code: string;
  onCode: (text: string) => void;
  onAgain: () => void;
  error: unknown;
  onSubmit: (event: FormEvent) => void;
}) {
  const { t } = useTranslation("accounts");
  const now = useNow();
  const left = (Date.parse(login.expires_at ?? "") - now) / 1_000;
  const over = left <= 0 || (isApiError(error) && error.code === "bad_state");
  return (
    <form id="finish" onSubmit={onSubmit}>
      <ol className="space-y-5">
        <Step n={1} title={t("open_title")}>
          <div className="flex items-center gap-1.5">
            <Button asChild kind="primary">
              <a href={login.url} target="_blank" rel="noreferrer">
                {t("open")}
                <ExternalLink aria-hidden />
              </a>
            </Button>
            <CopyButton text={login.url} label={t("copy_address")} />
          </div>
          <p className="text-xs text-muted tabular">
            {over ? t("login_over") : t("login_left", { time: formatSpan(left) })}
          </p>
        </Step>
        <Step n={2} title={t(`back_title.${login.style}`)}>
          <p className="text-soft">
            {t(`back.${login.style}`, { address: login.redirect_uri })}
          </p>
        </Step>
        <Step n={3} title={t(`code_title.${login.style}`)}>
          <Field
            label={<span className="sr-only">{t("code")}</span>}
            hint={t("code_hint")}
          >
            {(control) => (
              <Input
                {...control}
                value={code}
                onChange={(event) => onCode(event.target.value)}
                autoComplete="off"
                spellCheck={false}
                className="font-mono text-xs"
                placeholder={login.style === "paste" ? "CODE#STATE" : "http://…?code=…&state=…"}
              />
            )}
          </Field>
        </Step>
      </ol>
      {error !== null && <Failure className="mt-4" error={error} />}
      {over && (
        <Button icon={RotateCcw} className="mt-3" onClick={onAgain}>
          {t("again")}
        </Button>
      )}
    </form>
  );
}

/** Nobody is served yet: a channel of it, in one click. */
export function MakeChannel({
  account,
  onMade,
}: {
  account: Account;
  onMade?: (channel: Channel) => void;
}) {
  const { t } = useTranslation("accounts");
  const { data: providers } = useQuery(providersQuery);
  const { data: channels } = useQuery(channelsQuery);
  const { reload } = useAccountActions();
  const [type, setType] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const types = providers?.filter((one) => one.oauth === account.provider) ?? [];
  const chosen = types.find((one) => one.type === type) ?? types[0];
  const name = channelNameFor(
    account.name,
    (channels ?? []).map((one) => one.name),
  );

  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      const { data } = await unwrap(
        api.POST("/api/channels", {
          body: { name, type: chosen!.type, account: account.id },
        }),
      );
      await reload();
      toast({ text: t("channel_made", { name: data.name }) });
      onMade?.(data);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  if (!chosen || !channels) return null;
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        {types.length > 1 && (
          <Select
            aria-label={t("channel_type")}
            className="w-52"
            value={chosen.type}
            onChange={(event) => setType(event.target.value)}
          >
            {types.map((one) => (
              <option key={one.type} value={one.type}>
                {one.title}
              </option>
            ))}
          </Select>
        )}
        <Button
          kind="primary"
          icon={Waypoints}
          busy={busy}
          onClick={() => void make()}
        >
          {t("make_channel", { name })}
        </Button>
      </div>
      {error !== null && <Failure error={error} />}
    </div>
  );
}

function Done({ account }: { account: Account }) {
  const { t } = useTranslation("accounts");
  const { data } = useQuery(accountsQuery);
  const now = data?.find((one) => one.id === account.id) ?? account;
  return (
    <div className="space-y-4">
      <div role="status" className="flex gap-3 rounded-lg bg-ok-soft px-3.5 py-3">
        <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok-text" />
        <div>
          <p className="font-medium text-ok-text">
            {t("logged_in", { name: now.name })}
          </p>
          {now.email && <p className="text-xs text-soft">{now.email}</p>}
        </div>
      </div>
      {now.channels.length === 0 ? (
        <div>
          <p className="mb-2 text-soft">{t("serves_nobody_text")}</p>
          <MakeChannel account={now} />
        </div>
      ) : (
        <p className="text-soft">
          {t("serves")}{" "}
          {now.channels.map((one) => (
            <Link
              key={one}
              to="/channels"
              search={{ channel: one }}
              className="mr-2 font-medium text-accent-text underline underline-offset-2"
            >
              {one}
            </Link>
          ))}
        </p>
      )}
    </div>
  );
}

interface Props {
  /** Who logs in again; null: somebody new. */
  account: Account | null;
  onClose: () => void;
}

export default function LogIn({ account, onClose }: Props) {
  const { t } = useTranslation(["accounts", "common"]);
  const { reload } = useAccountActions();
  const providers = useQuery(oauthProvidersQuery).data;
  const [wanted, setWanted] = useState<string | null>(account?.provider ?? null);
  const provider = wanted ?? providers?.[0]?.name ?? null;
  const [name, setName] = useState(account?.name ?? "");
  const [login, setLogin] = useState<OauthLogin | null>(null);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState<Account | null>(null);
  const before = useRef<Map<string, Account> | null>(null);
  const { data: accounts } = useQuery({
    ...accountsQuery,
    refetchInterval: login && !done ? 1_500 : 10_000,
  });

  /* It may come to its end without us: the browser goes back by itself. */
  useEffect(() => {
    if (!login || done || !before.current) return;
    const came = accounts?.find((one) => {
      const old = before.current!.get(one.id);
      return old
        ? old.status !== "active" &&
            one.status === "active" &&
            one.id === account?.id
        : one.provider === login.provider;
    });
    if (came) setDone(came);
  }, [accounts, login, done, account]);

  const attempt = async (fn: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await fn();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const start = () =>
    attempt(async () => {
      before.current = new Map(accounts?.map((one) => [one.id, one]));
      setCode("");
      setLogin((await startLogIn(provider!, name.trim() || null)).data);
    });
  const finish = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      setDone((await finishLogIn(login!, code.trim())).data);
      await reload();
    });
  };

  /* Who it is and where is known: on to the provider. */
  const began = useRef(false);
  useEffect(() => {
    if (!account || !accounts || began.current) return;
    began.current = true;
    void start();
  });

  const title: Schemas["OauthProvider"]["title"] =
    providers?.find((one) => one.name === provider)?.title ?? "";
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={account ? t("login_again_of", { name: account.name }) : t("add")}
      description={login ? title : t("add_hint")}
      footer={
        done ? (
          <Button kind={done.channels.length ? "primary" : "secondary"} onClick={onClose}>
            {t("finish_close")}
          </Button>
        ) : login ? (
          <>
            {!account && (
              <Button kind="ghost" className="mr-auto" onClick={() => setLogin(null)}>
                {t("other")}
              </Button>
            )}
            <Button
              kind="primary"
              type="submit"
              form="finish"
              busy={busy}
              disabled={!code.trim()}
            >
              {t("finish")}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>{t("common:cancel")}</Button>
            <Button
              kind="primary"
              busy={busy}
              disabled={!provider}
              onClick={() => void start()}
            >
              {t("continue")}
            </Button>
          </>
        )
      }
    >
      {done ? (
        <Done account={done} />
      ) : login ? (
        <Consent
          login={login}
          code={code}
          onCode={setCode}
          onAgain={() => void start()}
          error={error}
          onSubmit={finish}
        />
      ) : (
        <>
          <Where provider={provider} onProvider={setWanted} name={name} onName={setName} />
          {error !== null && <Failure className="mt-4" error={error} />}
        </>
      )}
    </Dialog>
  );
}
