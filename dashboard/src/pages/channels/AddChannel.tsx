import { zodResolver } from "@hookform/resolvers/zod";
import { ArrowLeft, Search } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Input } from "@/ui/field";
import { Failure } from "@/ui/states";
import { toast } from "@/ui/toast";
import { createChannel, patchChannel, testChannel, useChannelActions } from "./actions";
import { MainFields, MoreFields } from "./fields";
import { blank, bodyOf, fieldOf, schema, type Values } from "./form";
import { TestVerdict, type TestResult } from "./TestPanel";

type Provider = Schemas["Provider"];

function Presets({
  providers,
  onChoose,
}: {
  providers: Provider[];
  onChoose: (provider: Provider) => void;
}) {
  const { t } = useTranslation("channels");
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const found = providers.filter((one) =>
    `${one.title} ${one.type} ${one.help}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <div className="relative mb-3">
        <Search
          aria-hidden
          className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted"
        />
        <Input
          type="search"
          autoFocus
          aria-label={t("find_provider")}
          placeholder={t("find_provider")}
          className="pl-8"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <ul className="grid gap-2 sm:grid-cols-2">
        {found.map((one) => (
          <li key={one.type}>
            <button
              onClick={() => onChoose(one)}
              className="flex h-full w-full flex-col rounded-lg border border-line px-3 py-2.5 text-left transition-colors hover:border-accent hover:bg-accent-soft/40"
            >
              <span className="font-medium">{one.title}</span>
              <span className="line-clamp-2 text-xs text-muted">{one.help}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p className="py-8 text-center text-muted">{t("no_provider")}</p>
      )}
    </>
  );
}

/** "openai", or "openai-2" when that is taken. */
function freeName(type: string, taken: Channel[]) {
  const names = new Set(taken.map((one) => one.name));
  for (let i = 1; ; i++) {
    const name = i === 1 ? type : `${type}-${i}`;
    if (!names.has(name)) return name;
  }
}

interface Props {
  providers: Provider[];
  taken: Channel[];
  onClose: () => void;
}

/**
 * The channel is made paused, tested, and set to work once the provider has
 * answered: a wrong key never costs a client a try.
 */
export default function AddChannel({ providers, taken, onClose }: Props) {
  const { t } = useTranslation(["channels", "common"]);
  const { refresh } = useChannelActions();
  const [provider, setProvider] = useState<Provider | null>(null);
  const [made, setMade] = useState<Channel | null>(null);
  const [result, setResult] = useState<TestResult | null>(null);
  const [error, setError] = useState<unknown>(null);
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: blank,
  });

  const choose = (one: Provider) => {
    form.reset({ ...blank, name: freeName(one.type, taken) });
    setProvider(one);
  };
  const finish = async (channel: Channel) => {
    await patchChannel(channel.id, { status: "enabled" });
    toast({ text: t("added", { name: channel.name }) });
    onClose();
  };
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    setResult(null);
    try {
      const body = { ...bodyOf(values), name: values.name };
      const { data: channel } = made
        ? await patchChannel(made.id, {
            ...body,
            // What was tried before is replaced, not joined.
            ...(values.new_keys.trim() && { keys: [values.new_keys.trim()] }),
          })
        : await createChannel({ ...body, type: provider!.type, status: "paused" });
      setMade(channel);
      const { data: verdict } = await testChannel(channel.id);
      setResult(verdict);
      if (verdict.ok) await finish(channel);
    } catch (failure) {
      const field = isApiError(failure) ? fieldOf(failure.field) : undefined;
      if (field && field !== "timeouts" && failure instanceof Error)
        form.setError(field, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
    await refresh();
  });

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={provider ? t("add_of", { provider: provider.title }) : t("add")}
      description={provider ? provider.help : t("add_hint")}
      className={provider ? undefined : "max-w-2xl"}
      footer={
        provider && (
          <>
            {!made && (
              <Button
                kind="ghost"
                icon={ArrowLeft}
                className="mr-auto"
                onClick={() => setProvider(null)}
              >
                {t("other_provider")}
              </Button>
            )}
            {made && result && !result.ok && (
              <Button onClick={() => void finish(made).catch(setError)}>
                {t("use_anyway")}
              </Button>
            )}
            <Button
              kind="primary"
              type="submit"
              form="add-channel"
              busy={form.formState.isSubmitting}
            >
              {t(made ? "test_again" : "add_and_test")}
            </Button>
          </>
        )
      }
    >
      {!provider ? (
        <Presets providers={providers} onChoose={choose} />
      ) : (
        <form
          id="add-channel"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <MainFields form={form} provider={provider} />
          <MoreFields form={form} />
          {result && !result.ok && (
            <div className="space-y-1.5">
              <TestVerdict result={result} />
              <p className="text-xs text-muted">{t("kept_paused")}</p>
            </div>
          )}
          {error !== null && <Failure error={error} />}
        </form>
      )}
    </Dialog>
  );
}
