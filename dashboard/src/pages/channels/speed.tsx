/** Which of some addresses answers fastest. */
import { Gauge } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { formatMs } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, TextArea } from "@/ui/field";
import { Bar } from "@/ui/stat";
import { Failure } from "@/ui/states";
import { patchChannel, useChannelActions } from "./actions";

type Result = Schemas["SpeedResult"];

function Line({
  result,
  slowest,
  fastest,
  used,
  onUse,
}: {
  result: Result;
  slowest: number;
  fastest: boolean;
  used: boolean;
  onUse: () => void;
}) {
  const { t } = useTranslation("channels");
  const { base_url, median_ms, answered, rounds } = result;
  return (
    <li className="px-3.5 py-2">
      <div className="mb-1 flex items-center gap-2">
        <code className="min-w-0 flex-1 truncate font-mono text-xs">{base_url}</code>
        {fastest && <Badge tone="ok">{t("speed_fastest")}</Badge>}
        <span className="font-medium tabular">{formatMs(median_ms)}</span>
        {!used && median_ms !== null && (
          <Button size="sm" onClick={onUse} aria-label={t("speed_use_of", { url: base_url })}>
            {t("speed_use")}
          </Button>
        )}
      </div>
      {median_ms === null ? (
        <p className="text-xs text-bad-text">{result.message}</p>
      ) : (
        <>
          <Bar
            part={slowest ? median_ms / slowest : 0}
            label={base_url}
            tone={fastest ? "ok" : "accent"}
          />
          <p className="mt-1 text-xs text-muted tabular">
            {t("speed_line", { answered, rounds, best: formatMs(result.best_ms) })}
          </p>
        </>
      )}
    </li>
  );
}

export function SpeedTest({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  const { changed } = useChannelActions();
  const own = channel.effective_endpoints
    .map((one) => one.base_url)
    .filter((url, i, all): url is string => !!url && all.indexOf(url) === i);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [results, setResults] = useState<Result[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const urls = [...new Set([...own, ...text.split(/\s+/).filter(Boolean)])];

  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      const { data } = await unwrap(
        api.POST("/api/channels/{id}/speedtest", {
          params: { path: { id: channel.id } },
          body: { urls, rounds: 3 },
        }),
      );
      setResults(data);
    } catch (failure) {
      setResults(null);
      setError(failure);
    }
    setBusy(false);
  };
  const use = async (base_url: string) => {
    try {
      await patchChannel(channel.id, { base_url });
      await changed(channel);
    } catch (failure) {
      setError(failure);
    }
  };
  const times = (results ?? []).flatMap((one) => one.median_ms ?? []);
  return (
    <section className="space-y-2.5">
      <div className="flex items-center gap-3">
        <div className="flex-1">
          <h3 className="font-semibold">{t("speed")}</h3>
          <p className="text-xs text-muted">{t("speed_hint")}</p>
        </div>
        <Button icon={Gauge} busy={busy} disabled={urls.length === 0} onClick={() => void run()}>
          {t("speed_run")}
        </Button>
      </div>
      <Field label={t("speed_more")} optional hint={t("speed_more_hint")}>
        {(control) => (
          <TextArea
            {...control}
            rows={2}
            spellCheck={false}
            placeholder={own[0] ?? "https://"}
            className="min-h-14 font-mono text-xs"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      {results && (
        <ol className="divide-y divide-line rounded-lg border border-line">
          {results.map((one, i) => (
            <Line
              key={one.base_url}
              result={one}
              slowest={Math.max(...times)}
              fastest={i === 0 && times.length > 1}
              used={own.includes(one.base_url)}
              onUse={() => void use(one.base_url)}
            />
          ))}
        </ol>
      )}
      {error !== null && <Failure error={error} />}
    </section>
  );
}
