import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { logIn, sessionQuery } from "@/api/session";
import { isApiError } from "@/api/errors";
import { useArrived } from "@/app/arrived";
import { Mark, Preferences } from "@/app/shell";
import { isFirstRun } from "@/app/first_run";
import { Button } from "@/ui/button";
import { Snippet } from "@/ui/copy";
import { Field, Input, SecretInput } from "@/ui/field";

export default function LoginPage() {
  useArrived();
  const { t } = useTranslation("login");
  const client = useQueryClient();
  const router = useRouter();
  const { data: who } = useQuery(sessionQuery);
  const first = who?.kind === "nobody" && who.noUserYet;
  const [byToken, setByToken] = useState<boolean | null>(null);
  const token = byToken ?? first;
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    setBusy(true);
    setError(null);
    try {
      await logIn(
        client,
        token
          ? { token: text("token") }
          : { name: text("name"), password: String(form.get("password")) },
      );
      if (await isFirstRun(client)) await router.navigate({ to: "/welcome" });
      else await router.invalidate();
    } catch (failure) {
      if (isApiError(failure) && failure.code === "password_needed")
        setByToken(false);
      setError(failure);
      setBusy(false);
    }
  };

  const words = error instanceof Error ? error.message : undefined;
  const wait = isApiError(error) ? error.retryAfter : undefined;
  const message = wait ? `${words} ${t("wait", { seconds: wait })}` : words;
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="absolute top-3 right-4">
        <Preferences />
      </div>
      <div className="w-full max-w-sm">
        <div className="mb-7 flex flex-col items-center gap-3 text-center [&>svg]:size-11">
          <Mark />
          <div>
            <h1 className="text-xl font-semibold tracking-tight">{t("title")}</h1>
            <p className="mt-1 text-muted">
              {first ? t("first") : t("welcome")}
            </p>
          </div>
        </div>
        <form
          onSubmit={(event) => void submit(event)}
          className="space-y-4 rounded-xl border border-line bg-surface p-6 shadow-card"
        >
          {token ? (
            <Field
              key="token"
              label={t("token")}
              error={message}
              hint={t("token_hint")}
            >
              {(control) => (
                <SecretInput
                  {...control}
                  name="token"
                  required
                  autoFocus
                  placeholder="rta_…"
                />
              )}
            </Field>
          ) : (
            <>
              <Field label={t("name")}>
                {(control) => (
                  <Input
                    {...control}
                    name="name"
                    required
                    autoFocus
                    autoComplete="username"
                    autoCapitalize="none"
                  />
                )}
              </Field>
              <Field label={t("password")} error={message}>
                {(control) => (
                  <SecretInput
                    {...control}
                    name="password"
                    required
                    autoComplete="current-password"
                  />
                )}
              </Field>
            </>
          )}
          <Button
            type="submit"
            kind="primary"
            size="lg"
            busy={busy}
            className="w-full"
          >
            {t("log_in")}
          </Button>
        </form>
        {first ? (
          <div className="mt-5 space-y-2 text-xs text-muted">
            <p>{t("where")}</p>
            <Snippet text="routex up" />
          </div>
        ) : (
          <p className="mt-5 text-center text-xs text-muted">{t("forgot")}</p>
        )}
      </div>
    </main>
  );
}
