import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, FlaskConical, Route } from "lucide-react";
import { useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { keyNamesQuery } from "@/api/names";
import { cn } from "@/lib/cn";
import { formatCount, formatRelative, formatTime } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Field, Input, Select, TextArea } from "@/ui/field";
import { Empty, Failure } from "@/ui/states";
import { useNow } from "@/ui/time";
import {
  askedCount,
  notAsked,
  passedOf,
  reasonKey,
  reasonTone,
  type Candidate,
  type Explanation,
  type Understood,
} from "./explain";
import { lineOfError } from "./place";
import { headersOf, samples, type Sample } from "./samples";

const dialects = ["anthropic", "chat", "responses", "gemini"] as const;

/* ---- the question -------------------------------------------------------------- */

interface Question {
  body: string;
  dialect: string;
  headers: string;
  model: string;
  key: string;
}

const questionOf = (sample: Sample): Question => ({
  body: JSON.stringify(sample.body(), null, 2),
  dialect: sample.dialect,
  headers: sample.headers ?? "",
  model: sample.model ?? "",
  key: "",
});

async function ask(question: Question): Promise<Explanation> {
  const { dialect, model, key } = question;
  const body = {
    body: JSON.parse(question.body) as unknown,
    headers: headersOf(question.headers) ?? {},
    ...(dialect && { dialect }),
    ...(model && { model }),
    ...(key && { key }),
  };
  const { data } = await unwrap(api.POST("/api/routing/test", { body: body as never }));
  return data as unknown as Explanation;
}

/* ---- the answer ------------------------------------------------------------------ */

function Facts({ request }: { request: Understood }) {
  const { t } = useTranslation("routing");
  const word = (name: string) => t(`word.${name as "coding"}`, { defaultValue: name });
  const counted = (["messages", "tools", "images", "documents", "audio"] as const)
    .filter((name) => request[name] > 0)
    .map((name) => t(`fact.${name}`, { count: request[name] }));
  const flags = (["stream", "thinking", "web_search", "subagent"] as const)
    .filter((name) => request[name])
    .map((name) => t(`say.${name}`));
  const guesses = [
    word(request.content_category),
    word(request.intent),
    word(request.complexity_level),
    request.programming_language !== "none" && word(request.programming_language),
  ].filter((one): one is string => !!one);
  return (
    <span className="mt-1.5 flex flex-wrap gap-1.5">
      <Badge>{t("fact.tokens", { value: formatCount(request.tokens) })}</Badge>
      {[...counted, ...flags].map((one) => (
        <Badge key={one}>{one}</Badge>
      ))}
      {[...new Set(guesses)].map((one) => (
        <Badge key={one} tone="info" title={t("guessed")}>
          {one}
        </Badge>
      ))}
    </span>
  );
}

function Step({
  tone = "neutral",
  title,
  children,
}: {
  tone?: "neutral" | "ok" | "warn" | "bad";
  title: ReactNode;
  children?: ReactNode;
}) {
  const dot = { neutral: "bg-line-strong", ok: "bg-ok", warn: "bg-warn", bad: "bg-bad" };
  return (
    <li className="group relative flex gap-3 pb-4 last:pb-0">
      <span aria-hidden className="absolute top-4 bottom-0 left-[0.28rem] w-px bg-line group-last:hidden" />
      <span aria-hidden className={cn("mt-1.5 size-2.5 shrink-0 rounded-full", dot[tone])} />
      <div className="min-w-0 flex-1">
        <p>{title}</p>
        {children}
      </div>
    </li>
  );
}

function CandidateList({ candidates, chosen }: { candidates: Candidate[]; chosen: Explanation["chosen"] }) {
  const { t } = useTranslation("routing");
  const now = useNow();
  let first = true;
  return (
    <ul className="mt-2 divide-y divide-line rounded-lg border border-line">
      {candidates.map((one, i) => {
        const key = reasonKey(one.reason);
        const isChosen = first && one.channel_id === chosen?.channel_id && one.key_id === chosen.key_id;
        if (isChosen) first = false;
        const tone = reasonTone(one.reason);
        return (
          <li
            key={i}
            className={cn("flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2", tone === "neutral" && "text-muted")}
          >
            <span className="w-4 text-xs text-muted tabular">{one.reason === "ok" ? i + 1 : ""}</span>
            <span className={cn("font-medium", isChosen && "text-accent-text")}>{one.channel}</span>
            <span className="min-w-0 flex-1 truncate font-mono text-xs text-muted">{one.model}</span>
            <Badge tone={isChosen ? "accent" : tone}>
              {isChosen ? t("chosen") : key ? t(`reason.${key as "ok"}`) : one.reason}
            </Badge>
            {one.until && (
              <time dateTime={one.until} title={formatTime(one.until)} className="text-xs text-muted">
                {t("until", { time: formatRelative(one.until, now) })}
              </time>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Story({ answer }: { answer: Explanation }) {
  const { t } = useTranslation("routing");
  const { chosen, rule, request, steps, candidates } = answer;
  const passed = passedOf(steps);
  const skipped = notAsked(steps);
  const asked = askedCount(steps);
  const usable = candidates.filter((one) => one.reason === "ok").length;
  const last = steps.find((one) => one.step === "candidates")?.text ?? "";
  return (
    <div className="space-y-5 p-4">
      <div
        role="status"
        className={cn("flex items-start gap-3 rounded-lg px-3.5 py-3", chosen ? "bg-ok-soft" : "bg-bad-soft")}
      >
        {chosen ? (
          <CircleCheck aria-hidden className="mt-0.5 size-5 shrink-0 text-ok-text" />
        ) : (
          <CircleX aria-hidden className="mt-0.5 size-5 shrink-0 text-bad-text" />
        )}
        <div className="min-w-0 flex-1">
          <p className={cn("text-base font-semibold break-words", chosen ? "text-ok-text" : "text-bad-text")}>
            {chosen ? `${chosen.channel} · ${chosen.model}` : t("refused")}
          </p>
          <p className="text-soft">
            {rule
              ? t("because_rule", { rule: rule.name })
              : skipped
                ? t(`skipped.${skipped}`)
                : chosen
                  ? t("because_none")
                  : last.replace(/^none: /, "")}
          </p>
        </div>
      </div>
      <ol>
        <Step title={t("understood", { dialect: request.dialect, model: request.model || "—" })}>
          <Facts request={request} />
        </Step>
        {passed.map((one, i) => (
          <Step key={i} tone="warn" title={one.rule ? t("passed_by", { rule: one.rule }) : t("passed_tag")}>
            <p className="text-xs text-muted">{one.why}</p>
          </Step>
        ))}
        <Step
          tone={rule ? "ok" : "neutral"}
          title={
            rule
              ? t("rule_holds", { rule: rule.name, count: asked })
              : skipped
                ? t(`skipped.${skipped}`)
                : asked > 0
                  ? t("none_holds", { count: asked })
                  : t("no_rules_there")
          }
        />
        <Step
          tone={chosen ? "ok" : "bad"}
          title={usable > 0 ? t("can_be_tried", { count: usable }) : t("nobody_can")}
        >
          <CandidateList candidates={candidates} chosen={chosen} />
        </Step>
      </ol>
      {(answer.session || answer.snapshot_version !== undefined) && (
        <p className="text-xs text-muted">
          {[
            answer.session && t("session", { session: answer.session }),
            answer.snapshot_version !== undefined && t("version", { version: answer.snapshot_version }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      )}
    </div>
  );
}

/* ------------------------------------------------------------------------------------ */

export default function Bench() {
  const { t } = useTranslation(["routing", "common"]);
  const keys = useQuery(keyNamesQuery);
  const [sample, setSample] = useState<string>("claude_code");
  const [question, setQuestion] = useState<Question>(() => questionOf(samples[1]!));
  const [wrong, setWrong] = useState<{ body?: string; headers?: string }>({});
  const test = useMutation({ mutationFn: ask });
  const set = (change: Partial<Question>) => {
    setWrong({});
    setSample("");
    setQuestion({ ...question, ...change });
  };
  const run = (asked = question) => {
    const found: typeof wrong = {};
    try {
      JSON.parse(asked.body);
    } catch (error) {
      const line = lineOfError(asked.body, error);
      const message = error instanceof Error ? error.message : "";
      found.body = line > 0 ? `${t("line", { line })}: ${message}` : message;
    }
    if (!headersOf(asked.headers)) found.headers = t("headers_wrong");
    setWrong(found);
    if (!found.body && !found.headers) test.mutate(asked);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    run();
  };

  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card>
        <CardHead title={t("request")}>
          <Button
            kind="primary"
            size="sm"
            icon={FlaskConical}
            busy={test.isPending}
            aria-keyshortcuts="Control+Enter"
            onClick={() => run()}
          >
            {t("explain")}
          </Button>
        </CardHead>
        <div className="space-y-4 p-4" onKeyDown={onKeyDown}>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("sample")}>
              {(control) => (
                <Select
                  {...control}
                  value={sample}
                  onChange={(event) => {
                    const chosen = samples.find((one) => one.id === event.target.value);
                    if (!chosen) return;
                    const next = { ...questionOf(chosen), key: question.key };
                    setSample(chosen.id);
                    setQuestion(next);
                    run(next);
                  }}
                >
                  <option value="" disabled>
                    {t("own_request")}
                  </option>
                  {samples.map((one) => (
                    <option key={one.id} value={one.id}>
                      {t(`samples.${one.id}`)}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label={t("dialect")}>
              {(control) => (
                <Select
                  {...control}
                  value={question.dialect}
                  onChange={(event) => set({ dialect: event.target.value })}
                >
                  <option value="">{t("guess")}</option>
                  {dialects.map((one) => (
                    <option key={one} value={one}>
                      {t(`word.${one}`)}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </div>
          <Field label={t("body")} error={wrong.body} hint={t("body_hint")}>
            {(control) => (
              <TextArea
                {...control}
                rows={14}
                spellCheck={false}
                wrap="off"
                className="font-mono text-xs leading-5"
                value={question.body}
                onChange={(event) => set({ body: event.target.value })}
              />
            )}
          </Field>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("as_key")} optional>
              {(control) => (
                <Select {...control} value={question.key} onChange={(event) => set({ key: event.target.value })}>
                  <option value="">{t("any_key")}</option>
                  {keys.data?.map((one) => <option key={one}>{one}</option>)}
                </Select>
              )}
            </Field>
            {(question.dialect === "gemini" || question.model) && (
              <Field label={t("model_in_path")} optional>
                {(control) => (
                  <Input
                    {...control}
                    spellCheck={false}
                    className="font-mono text-xs"
                    value={question.model}
                    onChange={(event) => set({ model: event.target.value })}
                  />
                )}
              </Field>
            )}
          </div>
          <Field label={t("headers")} optional error={wrong.headers}>
            {(control) => (
              <TextArea
                {...control}
                rows={2}
                spellCheck={false}
                placeholder="x-routex-tag: essay"
                className="min-h-14 font-mono text-xs"
                value={question.headers}
                onChange={(event) => set({ headers: event.target.value })}
              />
            )}
          </Field>
        </div>
      </Card>
      <Card className="lg:sticky lg:top-19">
        <CardHead title={t("answer")} />
        {test.error ? (
          <Failure className="m-4" error={test.error} />
        ) : test.data ? (
          <Story answer={test.data} />
        ) : (
          <Empty icon={Route} title={t("not_asked")}>
            {t("not_asked_text")}
          </Empty>
        )}
      </Card>
    </div>
  );
}
