/** What was said, where bodies are captured: asked for only when somebody wants it. */
import { useQuery } from "@tanstack/react-query";
import { Brain, Braces, MessagesSquare, Paperclip, Wrench } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { cn } from "@/lib/cn";
import { formatBytes } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Snippet } from "@/ui/copy";
import { Failure, Skeleton } from "@/ui/states";
import { requestTurns, responseTurns, type Part, type Turn } from "./conversation";
import { bodyQuery } from "./queries";

const LONG = 1_200; // letters; more is folded

function Words({ text, mono }: { text: string; mono?: boolean }) {
  const { t } = useTranslation("requests");
  const [open, setOpen] = useState(false);
  const folded = text.length > LONG && !open;
  return (
    <>
      <div className={cn("break-words whitespace-pre-wrap", mono && "font-mono text-xs leading-5")}>
        {folded ? `${text.slice(0, LONG)}…` : text}
      </div>
      {folded && (
        <button
          className="mt-1 text-xs text-accent-text underline underline-offset-2"
          onClick={() => setOpen(true)}
        >
          {t("said.all", { count: text.length })}
        </button>
      )}
    </>
  );
}

function Aside({ icon: Icon, title, children }: { icon: typeof Brain; title: ReactNode; children: ReactNode }) {
  return (
    <details className="group rounded-md border border-line bg-sunken/60">
      <summary className="flex list-none items-center gap-2 px-2.5 py-1.5 text-xs font-medium text-soft">
        <Icon aria-hidden className="size-3.5 text-muted" />
        <span className="min-w-0 flex-1 truncate">{title}</span>
      </summary>
      <div className="border-t border-line px-2.5 py-2">{children}</div>
    </details>
  );
}

function PartView({ part }: { part: Part }) {
  const { t } = useTranslation("requests");
  switch (part.kind) {
    case "text":
      return <Words text={part.text} />;
    case "thinking":
      return (
        <Aside icon={Brain} title={t("said.thinking")}>
          <Words text={part.text} />
        </Aside>
      );
    case "call":
      return (
        <Aside icon={Wrench} title={<span className="font-mono">{t("said.call", { name: part.name })}</span>}>
          <Words text={part.text} mono />
        </Aside>
      );
    case "result":
      return (
        <Aside icon={Braces} title={t("said.result")}>
          <Words text={part.text} mono />
        </Aside>
      );
    case "media":
      return (
        <Badge>
          <Paperclip aria-hidden /> {part.name}
        </Badge>
      );
  }
}

const looks: Record<Turn["role"], string> = {
  system: "border border-dashed border-line text-soft",
  user: "bg-accent-soft/70",
  assistant: "border border-line bg-surface dark:bg-sunken",
  tool: "bg-sunken",
};

function TurnView({ turn }: { turn: Turn }) {
  const { t } = useTranslation("requests");
  return (
    <li className={cn("rounded-lg px-3.5 py-2.5", looks[turn.role])}>
      <p className="mb-1 text-2xs font-semibold text-muted">{t(`said.${turn.role}`)}</p>
      <div className="space-y-2">
        {turn.parts.map((part, i) => (
          <PartView key={i} part={part} />
        ))}
      </div>
    </li>
  );
}

const pretty = (text: string) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

function Raw({ title, body }: { title: string; body: Schemas["CapturedBody"] }) {
  return (
    <div>
      <h4 className="mb-1 text-xs font-medium text-soft">
        {title} <span className="font-normal text-muted">{formatBytes(body.bytes)}</span>
      </h4>
      <Snippet text={pretty(body.text)} className="max-h-96 overflow-y-auto" />
    </div>
  );
}

function Said({ body }: { body: Schemas["RequestBody"] }) {
  const { t } = useTranslation("requests");
  const [raw, setRaw] = useState(false);
  const { request, response, redacted } = body;
  const turns = [...requestTurns(request.text), ...responseTurns(response.text)];
  const notes = [
    redacted > 0 && t("said.redacted", { count: redacted }),
    (request.truncated || response.truncated) && t("said.cut"),
  ].filter(Boolean);
  const asIs = raw || turns.length === 0;
  return (
    <div className="space-y-3">
      {(notes.length > 0 || turns.length > 0) && (
        <div className="flex items-center gap-3 text-xs text-muted">
          <span className="flex-1">{notes.join(" · ")}</span>
          {turns.length > 0 && (
            <Button size="sm" kind="ghost" icon={raw ? MessagesSquare : Braces} onClick={() => setRaw(!raw)}>
              {t(raw ? "said.as_conversation" : "said.as_sent")}
            </Button>
          )}
        </div>
      )}
      {asIs ? (
        <>
          <Raw title={t("said.request")} body={request} />
          <Raw title={t("said.response")} body={response} />
        </>
      ) : (
        <ol className="space-y-2">
          {turns.map((turn, i) => (
            <TurnView key={i} turn={turn} />
          ))}
        </ol>
      )}
    </div>
  );
}

export function Conversation({ id }: { id: string }) {
  const { t } = useTranslation("requests");
  const [wanted, setWanted] = useState(false);
  const { data, error, refetch } = useQuery({ ...bodyQuery(id), enabled: wanted });
  if (!wanted)
    return (
      <Button icon={MessagesSquare} onClick={() => setWanted(true)}>
        {t("said.show")}
      </Button>
    );
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return data ? <Said body={data} /> : <Skeleton className="h-32" />;
}
