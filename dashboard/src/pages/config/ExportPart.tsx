import { Download, Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { formatBytes } from "@/lib/format";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { CopyButton, Snippet } from "@/ui/copy";
import { Field, SecretInput, Switch } from "@/ui/field";
import { Failure } from "@/ui/states";
import { toast } from "@/ui/toast";
import { fileName, kinds, type Kind } from "./document";

function save(text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

export function KindChoice({
  chosen,
  onChange,
}: {
  chosen: ReadonlySet<Kind>;
  onChange: (chosen: Set<Kind>) => void;
}) {
  const { t } = useTranslation("config");
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium">{t("what")}</legend>
      <div className="grid gap-1.5 sm:grid-cols-2">
        {kinds.map((kind) => (
          <label
            key={kind}
            className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md border border-line px-3 hover:bg-hover has-checked:border-line-strong"
          >
            <input
              type="checkbox"
              className="accent-(--accent)"
              checked={chosen.has(kind)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(kind);
                else next.delete(kind);
                onChange(next);
              }}
            />
            {t(`kind.${kind}`)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function ExportPart() {
  const { t } = useTranslation("config");
  const [chosen, setChosen] = useState<ReadonlySet<Kind>>(new Set(kinds));
  const [sealed, setSealed] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const [shown, setShown] = useState<string | null>(null);
  const [busy, setBusy] = useState<"save" | "show" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const short = sealed && passphrase.length < 8;
  const ready = chosen.size > 0 && !short;

  const fetchText = async () => {
    const { data } = await unwrap(
      api.GET("/api/config/export", {
        params: {
          query: {
            secrets: sealed ? "sealed" : "omit",
            select: chosen.size < kinds.length ? [...chosen].join(",") : undefined,
          },
          header: sealed ? { "X-Routex-Passphrase": passphrase } : {},
        },
      }),
    );
    return `${JSON.stringify(data, null, 2)}\n`;
  };
  const run = async (what: "save" | "show") => {
    setBusy(what);
    setError(null);
    try {
      const text = await fetchText();
      if (what === "show") setShown(text);
      else {
        const name = fileName(new Date());
        save(text, name);
        toast({ text: t("saved_as", { name }) });
      }
    } catch (failure) {
      setError(failure);
    }
    setBusy(null);
  };
  const change = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setShown(null);
  };

  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <Card>
        <CardHead title={t("export_title")} />
        <div className="space-y-5 p-4">
          <p className="text-soft">{t("export_text")}</p>
          <KindChoice chosen={chosen} onChange={change(setChosen)} />
          <div className="space-y-3">
            <div className="flex items-start gap-3">
              <div className="flex-1">
                <p className="font-medium">{t("secrets")}</p>
                <p className="text-xs text-muted">
                  {t(sealed ? "secrets_sealed" : "secrets_omit")}
                </p>
              </div>
              <Switch
                label={t("secrets")}
                checked={sealed}
                onCheckedChange={change(setSealed)}
              />
            </div>
            {sealed && (
              <Field label={t("passphrase")} hint={t("passphrase_hint")}>
                {(control) => (
                  <SecretInput
                    {...control}
                    autoComplete="new-password"
                    minLength={8}
                    value={passphrase}
                    onChange={(event) => change(setPassphrase)(event.target.value)}
                  />
                )}
              </Field>
            )}
          </div>
          {error !== null && <Failure error={error} />}
          <div className="flex flex-wrap gap-2">
            <Button
              kind="primary"
              icon={Download}
              busy={busy === "save"}
              disabled={!ready}
              onClick={() => void run("save")}
            >
              {t("download")}
            </Button>
            <Button
              icon={shown ? EyeOff : Eye}
              busy={busy === "show"}
              disabled={!ready}
              onClick={() => (shown ? setShown(null) : void run("show"))}
            >
              {t(shown ? "hide_it" : "show_it")}
            </Button>
          </div>
        </div>
      </Card>
      {shown ? (
        <Card className="min-w-0 overflow-hidden">
          <CardHead
            title={t("document")}
            hint={formatBytes(new Blob([shown]).size)}
          >
            <CopyButton text={shown} />
          </CardHead>
          <pre
            tabIndex={0}
            aria-label={t("document")}
            className="max-h-[62vh] overflow-auto px-4 py-3 font-mono text-xs leading-5"
          >
            {shown}
          </pre>
        </Card>
      ) : (
        <Card>
          <CardHead title={t("as_code")} />
          <div className="space-y-3 p-4">
            <p className="text-soft">{t("as_code_text")}</p>
            <Snippet
              text={
                "routex config export > routex.json\nroutex config diff routex.json\nroutex apply -f routex.json"
              }
            />
          </div>
        </Card>
      )}
    </div>
  );
}
