/**
 * Adding a channel: it is made paused, tested, and set to work once the provider
 * has answered.  A wrong key never costs a client a try.
 */
import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { toast } from "@/ui/toast";
import { createChannel, patchChannel, testChannel, useChannelActions } from "./actions";
import { blank, bodyOf, fieldOf, schema, type Values } from "./form";

type Provider = Schemas["Provider"];

/** "openai", or "openai-2" when that is taken. */
function freeName(type: string, taken: Channel[]) {
  const names = new Set(taken.map((one) => one.name));
  for (let i = 1; ; i++) {
    const name = i === 1 ? type : `${type}-${i}`;
    if (!names.has(name)) return name;
  }
}

export function useAdding(taken: Channel[], onAdded: (channel: Channel) => void) {
  const { t } = useTranslation(["channels", "common"]);
  const { refresh } = useChannelActions();
  const [provider, setProvider] = useState<Provider | null>(null);
  const [made, setMade] = useState<Channel | null>(null);
  const [result, setResult] = useState<Schemas["TestResult"] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: blank,
  });

  const choose = (one: Provider | null) => {
    if (one) form.reset({ ...blank, name: freeName(one.type, taken) });
    setProvider(one);
  };
  const finish = async (channel: Channel) => {
    await patchChannel(channel.id, { status: "enabled" });
    toast({ text: t("added", { name: channel.name }) });
    onAdded(channel);
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
  const useAnyway = () => (made ? finish(made).catch(setError) : undefined);

  return { form, provider, choose, made, result, error, submit, useAnyway };
}
