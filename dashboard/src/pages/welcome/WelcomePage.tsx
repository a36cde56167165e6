/** From nothing to the first request: provider, strategy, key, client. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, Check, CircleCheck, PartyPopper } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery, providersQuery } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { useLive, useLiveState, type LiveRequest } from "@/api/live";
import { noteWelcomed } from "@/app/first_run";
import { cn } from "@/lib/cn";
import { formatMs, formatShort } from "@/lib/format";
import { Presets } from "@/pages/channels/Presets";
import { useAdding } from "@/pages/channels/adding";
import { MainFields } from "@/pages/channels/fields";
import { TestVerdict } from "@/pages/channels/TestPanel";
import { Badge, Dot } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Field, Input } from "@/ui/field";
import { QuickStart } from "@/ui/quickstart";
import { OneTimeSecret } from "@/ui/secret";
import { Failure, SkeletonRows } from "@/ui/states";
import { steps, type Step } from "./route";

type Strategy = NonNullable<Schemas["Settings"]["strategy"]>;
const strategies: Strategy[] = [
  "priority",
  "weighted",
  "round_robin",
  "least_used",
  "latency",
  "cost",
  "headroom",
  "drain",
];

function Stepper({ at, onGo }: { at: Step; onGo: (step: Step) => void }) {
  const { t } = useTranslation("welcome");
  const index = steps.indexOf(at);
  return (
    <nav aria-label={t("steps")}>
      <ol className="flex gap-1 overflow-x-auto md:flex-col">
        {steps.map((step, i) => (
          <li key={step} className="shrink-0">
            <button
              aria-current={step === at ? "step" : undefined}
              onClick={() => onGo(step)}
              className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left font-medium text-muted hover:bg-hover hover:text-text aria-[current=step]:bg-hover aria-[current=step]:text-text"
            >
              <span
                aria-hidden
                className={cn(
                  "grid size-5 shrink-0 place-items-center rounded-full text-2xs font-semibold",
                  i < index && "bg-ok-soft text-ok-text",
                  i === index && "bg-accent text-accent-ink",
                  i > index && "bg-hover text-soft",
                )}
              >
                {i < index ? <Check className="size-3" /> : i + 1}
              </span>
              {t(`step.${step}`)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Frame({
  step,
  children,
  footer,
}: {
  step: Step;
  children: ReactNode;
  footer: ReactNode;
}) {
  const { t } = useTranslation("welcome");
  return (
    <Card className="min-w-0">
      <header className="px-5 pt-5 sm:px-6">
        <h2 className="text-base font-semibold">{t(`head.${step}`)}</h2>
        <p className="mt-0.5 text-soft">{t(`text.${step}`)}</p>
      </header>
      <div className="px-5 py-5 sm:px-6">{children}</div>
      <footer className="flex flex-wrap items-center justify-end gap-2 rounded-b-lg border-t border-line bg-sunken px-5 py-3 sm:px-6">
        {footer}
      </footer>
    </Card>
  );
}

function ProviderStep({ onNext }: { onNext: () => void }) {
  const { t } = useTranslation(["welcome", "channels", "common"]);
  const providers = useQuery(providersQuery);
  const { data: channels } = useQuery(channelsQuery);
  const { form, provider, choose, made, result, error, submit, useAnyway } =
    useAdding(channels ?? [], onNext);
  const own = channels?.filter((one) => one.type !== "demo") ?? [];
  return (
    <Frame
      step="provider"
      footer={
        provider ? (
          <>
            {!made && (
              <Button
                kind="ghost"
                icon={ArrowLeft}
                className="mr-auto"
                onClick={() => choose(null)}
              >
                {t("channels:other_provider")}
              </Button>
            )}
            {made && result && !result.ok && (
              <Button onClick={() => void useAnyway()}>
                {t("channels:use_anyway")}
              </Button>
            )}
            <Button
              kind="primary"
              type="submit"
              form="welcome-channel"
              busy={form.formState.isSubmitting}
            >
              {t(made ? "channels:test_again" : "channels:add_and_test")}
            </Button>
          </>
        ) : (
          <Button kind={own.length > 0 ? "primary" : "secondary"} onClick={onNext}>
            {own.length > 0 ? t("next") : t("keep_demo")}
            <ArrowRight aria-hidden />
          </Button>
        )
      }
    >
      {providers.error ? (
        <Failure
          error={providers.error}
          onRetry={() => void providers.refetch()}
        />
      ) : !providers.data ? (
        <SkeletonRows rows={4} />
      ) : provider ? (
        <form
          id="welcome-channel"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="max-w-xl space-y-4"
        >
          <p className="font-medium">{provider.title}</p>
          <MainFields form={form} provider={provider} />
          {result && !result.ok && (
            <div className="space-y-1.5">
              <TestVerdict result={result} />
              <p className="text-xs text-muted">{t("channels:kept_paused")}</p>
            </div>
          )}
          {error !== null && <Failure error={error} />}
        </form>
      ) : (
        <>
          {own.length > 0 && (
            <p className="mb-4 flex items-center gap-2 text-ok-text">
              <CircleCheck aria-hidden className="size-4 shrink-0" />
              {t("have_channels", {
                count: own.length,
                names: own.map((one) => one.name).join(", "),
              })}
            </p>
          )}
          <Presets
            providers={providers.data.filter((one) => one.type !== "demo")}
            onChoose={choose}
          />
          <p className="mt-4 text-xs text-muted">
            {t("or_account")}{" "}
            <Link to="/accounts" className="text-accent-text underline underline-offset-2">
              {t("or_account_link")}
            </Link>
          </p>
        </>
      )}
    </Frame>
  );
}

const settingsKey = ["settings"];

function StrategyStep({ onNext }: { onNext: () => void }) {
  const { t } = useTranslation("welcome");
  const client = useQueryClient();
  const settings = useQuery({
    queryKey: settingsKey,
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET("/api/settings", { signal }))).data,
  });
  const [chosen, setChosen] = useState<Strategy | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const now = settings.data?.strategy;
  const value = chosen ?? now;

  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      if (chosen && chosen !== now) {
        await unwrap(api.PATCH("/api/settings", { body: { strategy: chosen } }));
        await client.invalidateQueries({ queryKey: settingsKey });
      }
      onNext();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <Frame
      step="strategy"
      footer={
        <Button
          kind="primary"
          busy={busy}
          disabled={!value}
          onClick={() => void save()}
        >
          {t("next")}
          <ArrowRight aria-hidden />
        </Button>
      }
    >
      {settings.error && (
        <Failure error={settings.error} onRetry={() => void settings.refetch()} />
      )}
      {!value ? (
        !settings.error && <SkeletonRows rows={4} />
      ) : (
        <fieldset className="grid gap-2 sm:grid-cols-2">
          <legend className="sr-only">{t("head.strategy")}</legend>
          {strategies.map((one) => (
            <label
              key={one}
              className={cn(
                "flex cursor-pointer items-start gap-2.5 rounded-lg border border-line px-3 py-2.5 hover:border-accent has-focus-visible:outline-2 has-focus-visible:outline-accent",
                value === one && "border-accent bg-accent-soft/40",
              )}
            >
              <input
                type="radio"
                name="strategy"
                className="mt-1 accent-(--accent)"
                checked={value === one}
                onChange={() => setChosen(one)}
              />
              <span>
                <span className="block font-medium">{t(`strategy.${one}.name`)}</span>
                <span className="block text-xs text-muted">
                  {t(`strategy.${one}.text`)}
                </span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {error !== null && <Failure className="mt-4" error={error} />}
    </Frame>
  );
}

function KeyStep({
  made,
  onMade,
  onNext,
}: {
  made: Schemas["NewKey"] | null;
  onMade: (key: Schemas["NewKey"]) => void;
  onNext: () => void;
}) {
  const { t } = useTranslation("welcome");
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const { data } = await unwrap(
        api.POST("/api/keys", { body: { name: name.trim() || "my-first-key" } }),
      );
      onMade(data);
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <Frame
      step="key"
      footer={
        made ? (
          <Button kind="primary" onClick={onNext}>
            {t("next")}
            <ArrowRight aria-hidden />
          </Button>
        ) : (
          <>
            <Button onClick={onNext}>{t("have_key")}</Button>
            <Button kind="primary" type="submit" form="welcome-key" busy={busy}>
              {t("make_key")}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <div className="max-w-xl space-y-3">
          <p className="font-medium">{t("key_made", { name: made.name })}</p>
          <OneTimeSecret text={made.key} label={t("key")} />
        </div>
      ) : (
        <form
          id="welcome-key"
          className="max-w-sm space-y-4"
          onSubmit={(event) => void make(event)}
        >
          <Field label={t("key_name")} hint={t("key_name_hint")}>
            {(control) => (
              <Input
                {...control}
                maxLength={64}
                autoComplete="off"
                spellCheck={false}
                placeholder="my-first-key"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          {error !== null && <Failure error={error} />}
        </form>
      )}
    </Frame>
  );
}

/** The first request, as it comes. */
function Watch({ row }: { row: LiveRequest | null }) {
  const { t } = useTranslation("welcome");
  const live = useLiveState();
  if (!row)
    return (
      <div
        role="status"
        className="flex items-center gap-3 rounded-lg border border-dashed border-line-strong px-4 py-4"
      >
        <Dot tone={live === "live" ? "accent" : "neutral"} pulse={live === "live"} />
        <div>
          <p className="font-medium">{t("waiting")}</p>
          <p className="text-xs text-muted">{t("waiting_text")}</p>
        </div>
      </div>
    );
  const good = row.outcome === "ok";
  const tokens = (row.input_tokens ?? 0) + (row.output_tokens ?? 0);
  return (
    <div
      role="status"
      className={cn(
        "flex items-start gap-3 rounded-lg px-4 py-4",
        good ? "bg-ok-soft" : "bg-warn-soft",
      )}
    >
      <PartyPopper
        aria-hidden
        className={cn(
          "mt-0.5 size-5 shrink-0",
          good ? "text-ok-text" : "text-warn-text",
        )}
      />
      <div className="min-w-0 flex-1 space-y-1">
        <p className={cn("font-semibold", good ? "text-ok-text" : "text-warn-text")}>
          {t(good ? "arrived" : "arrived_bad")}
        </p>
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft tabular">
          <Badge>{row.status}</Badge>
          {[
            row.model_requested,
            row.channel && `→ ${row.channel}`,
            formatMs(row.duration_ms),
            tokens > 0 && t("tokens", { count: tokens, tokens: formatShort(tokens) }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
        <Link
          to="/requests"
          search={{ request: row.request_id }}
          className="inline-block text-xs font-medium text-accent-text underline underline-offset-2"
        >
          {t("story")}
        </Link>
      </div>
    </div>
  );
}

function ClientStep({
  made,
  onDone,
}: {
  made: Schemas["NewKey"] | null;
  onDone: () => void;
}) {
  const { t } = useTranslation("welcome");
  const [row, setRow] = useState<LiveRequest | null>(null);
  const began = useRef(Date.now());
  useLive({
    request: (one) => {
      // What the stream tells again is older than this page.
      if (Date.parse(one.started_at ?? "") < began.current - 60_000) return;
      setRow((old) => (old?.outcome === "ok" ? old : one));
    },
  });
  return (
    <Frame
      step="client"
      footer={
        <Button kind={row ? "primary" : "secondary"} onClick={onDone}>
          {t(row ? "finish" : "later")}
        </Button>
      }
    >
      <div className="space-y-5">
        {!made && <p className="text-xs text-muted">{t("no_key_here")}</p>}
        <QuickStart secret={made?.key ?? "rtx_…"} />
        <Watch row={row} />
      </div>
    </Frame>
  );
}

export default function WelcomePage() {
  const { t } = useTranslation("welcome");
  const { step = "provider" } = useSearch({ from: "/shell/welcome" });
  const navigate = useNavigate();
  const [made, setMade] = useState<Schemas["NewKey"] | null>(null);
  useEffect(noteWelcomed, []);
  const go = (next: Step) => void navigate({ to: "/welcome", search: { step: next } });
  const leave = () => void navigate({ to: "/" });

  return (
    <>
      <header className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="text-xl font-semibold tracking-tight">{t("title")}</h1>
          <p className="mt-0.5 text-sm text-muted">{t("hint")}</p>
        </div>
        <Button kind="ghost" onClick={leave}>
          {t("skip")}
        </Button>
      </header>
      <div className="grid items-start gap-4 md:grid-cols-[11rem_minmax(0,1fr)]">
        <Stepper at={step} onGo={go} />
        {step === "provider" && <ProviderStep onNext={() => go("strategy")} />}
        {step === "strategy" && <StrategyStep onNext={() => go("key")} />}
        {step === "key" && (
          <KeyStep made={made} onMade={setMade} onNext={() => go("client")} />
        )}
        {step === "client" && <ClientStep made={made} onDone={leave} />}
      </div>
    </>
  );
}
