import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, setCsrfToken, unwrap } from "@/api/client";
import { isSignedIn, sessionQuery } from "@/api/session";
import { setTheme, themes, useTheme, type Theme } from "@/app/theme";
import { languages, setLanguage, type Language } from "@/i18n";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Field, SecretInput, Select } from "@/ui/field";
import { Failure } from "@/ui/states";
import { toast } from "@/ui/toast";
import { useChecked, useWrong } from "./form";
import { ownSchema, type OwnValues } from "./people";

const blank: OwnValues = { current: "", password: "", again: "" };

function Password() {
  const { t } = useTranslation(["settings", "common"]);
  const { form, submit, error } = useChecked<OwnValues>(ownSchema, blank, async (values) => {
    const { data } = await unwrap(
      api.PATCH("/api/session", {
        body: { current_password: values.current, password: values.password },
      }),
    );
    setCsrfToken(data.csrf_token);
    form.reset(blank);
    toast({ text: t("own_password_set") });
  });
  const wrong = useWrong(form);
  const field = (name: keyof OwnValues, autoComplete: string) => (
    <Field
      label={t(`own.${name}`)}
      hint={name === "password" ? t("password_hint") : undefined}
      error={wrong(name)}
    >
      {(given) => (
        <SecretInput {...given} autoComplete={autoComplete} {...form.register(name)} />
      )}
    </Field>
  );
  return (
    <Card>
      <CardHead title={t("own_password")} hint={t("own_password_hint")} />
      <form
        noValidate
        className="max-w-md space-y-4 p-4"
        onSubmit={(event) => void submit(event)}
      >
        {field("current", "current-password")}
        {field("password", "new-password")}
        {field("again", "new-password")}
        {error !== null && <Failure error={error} />}
        <Button kind="primary" type="submit" busy={form.formState.isSubmitting}>
          {t("change_password")}
        </Button>
      </form>
    </Card>
  );
}

export default function You() {
  const { t, i18n } = useTranslation(["settings", "common"]);
  const { data: who } = useQuery(sessionQuery);
  const theme = useTheme();
  return (
    <div className="space-y-4">
      <Card>
        <CardHead title={t("appearance")} hint={t("appearance_hint")} />
        <div className="grid max-w-md gap-4 p-4 sm:grid-cols-2">
          <Field label={t("common:theme.label")}>
            {(given) => (
              <Select
                {...given}
                value={theme}
                onChange={(event) => setTheme(event.target.value as Theme)}
              >
                {themes.map((one) => (
                  <option key={one} value={one}>
                    {t(`common:theme.${one}`)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={t("common:language")}>
            {(given) => (
              <Select
                {...given}
                value={i18n.resolvedLanguage}
                onChange={(event) => void setLanguage(event.target.value as Language)}
              >
                {Object.entries(languages).map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
      </Card>
      {who && isSignedIn(who) && who.kind === "user" ? (
        <Password />
      ) : (
        <p className="px-1 text-muted">{t("no_own_password")}</p>
      )}
    </div>
  );
}
