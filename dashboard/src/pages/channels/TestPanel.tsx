import { CircleCheck, CircleX, FlaskConical } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { formatMs } from "@/lib/format";
import { Button } from "@/ui/button";
import { Failure } from "@/ui/states";
import { testChannel } from "./actions";

export type TestResult = Schemas["TestResult"];

export function TestVerdict({ result }: { result: TestResult }) {
  const { t } = useTranslation("channels");
  const Icon = result.ok ? CircleCheck : CircleX;
  return (
    <div
      role="status"
      className={`flex gap-3 rounded-lg px-3.5 py-3 ${result.ok ? "bg-ok-soft" : "bg-bad-soft"}`}
    >
      <Icon
        aria-hidden
        className={`mt-0.5 size-4 shrink-0 ${result.ok ? "text-ok-text" : "text-bad-text"}`}
      />
      <div className="min-w-0 flex-1">
        <p className={`font-medium ${result.ok ? "text-ok-text" : "text-bad-text"}`}>
          {result.message}
        </p>
        <p className="text-xs break-words text-soft tabular">
          {result.provider_message && `${result.provider_message} · `}
          {result.status !== null && `HTTP ${result.status} · `}
          {t("took", { time: formatMs(result.latency_ms) })}
        </p>
      </div>
    </div>
  );
}

/** One cheap request straight to the provider. */
export function TestPanel({ id, atOnce }: { id: string; atOnce?: boolean }) {
  const { t } = useTranslation("channels");
  const [result, setResult] = useState<TestResult | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const began = useRef(false);

  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      setResult((await testChannel(id)).data);
    } catch (failure) {
      setResult(null);
      setError(failure);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (!atOnce || began.current) return;
    began.current = true;
    void run();
  });

  return (
    <section className="space-y-2.5">
      <div className="flex items-center gap-3">
        <div className="flex-1">
          <h3 className="font-semibold">{t("live_test")}</h3>
          <p className="text-xs text-muted">{t("live_test_hint")}</p>
        </div>
        <Button icon={FlaskConical} busy={busy} onClick={() => void run()}>
          {t("test")}
        </Button>
      </div>
      {result && <TestVerdict result={result} />}
      {error !== null && <Failure error={error} />}
    </section>
  );
}
