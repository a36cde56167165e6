import { zodResolver } from "@hookform/resolvers/zod";
import { KeyRound, Pause, Play, RotateCcw, Trash2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { formatRelative } from "@/lib/format";
import { troubleWord } from "@/lib/words";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { useConfirm } from "@/ui/confirm";
import { Sheet } from "@/ui/dialog";
import { DeleteButton, EditActions } from "@/ui/edit";
import { Switch } from "@/ui/field";
import { Failure } from "@/ui/states";
import { Ago, useNow } from "@/ui/time";
import { patchChannel, useChannelActions } from "./actions";
import { MainFields, MoreFields } from "./fields";
import { HealthPanel } from "./health";
import { SpeedTest } from "./speed";
import { Windows } from "./windows";
import { bodyOf, fieldOf, schema, valuesOf, type Values } from "./form";
import { StateBadge } from "./ChannelsPage";
import { TestPanel } from "./TestPanel";
import { TransformerEditor } from "./transformers";

interface Props {
  channel: Channel;
  provider: Schemas["Provider"] | undefined;
  testAtOnce?: boolean;
  onClose: () => void;
}

/** What the data planes learnt, and until when they heed it. */
function Troubles({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const now = useNow();
  const { reset } = useChannelActions();
  const troubles = channel.availability?.troubles ?? [];
  if (troubles.length === 0 || channel.status !== "enabled") return null;
  const keyOf = (id: string) =>
    `…${channel.keys.find((one) => one.id === id)?.last4 ?? id}`;
  return (
    <section className="rounded-lg bg-warn-soft px-3.5 py-3">
      <ul className="space-y-1.5">
        {troubles.map((one, i) => (
          <li key={i} className="flex gap-2.5">
            <TriangleAlert
              aria-hidden
              className="mt-0.5 size-4 shrink-0 text-warn-text"
            />
            <span className="min-w-0 flex-1">
              <span className="font-medium text-warn-text">
                {troubleWord(one.reason)}
              </span>
              <span className="block text-xs text-soft">
                {[
                  one.key && t("of_key", { key: keyOf(one.key) }),
                  one.model,
                  one.plane,
                  one.until &&
                    t("until", { time: formatRelative(one.until, now) }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </span>
          </li>
        ))}
      </ul>
      <Button
        size="sm"
        icon={RotateCcw}
        className="mt-2.5"
        onClick={() => void reset(channel)}
      >
        {t("reset")}
      </Button>
    </section>
  );
}

function Keys({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "common"]);
  const { setKeys } = useChannelActions();
  const confirm = useConfirm();
  const { keys } = channel;
  if (keys.length === 0) return null;

  const toggle = (id: string, on: boolean) =>
    setKeys(
      channel,
      keys.map((one) => ({
        id: one.id,
        status: one.id === id ? (on ? "enabled" : "disabled") : one.status,
      })),
    );
  const drop = async (gone: Channel["keys"][number]) => {
    const sure = await confirm({
      title: t("drop_key", { key: `…${gone.last4}` }),
      changes: [
        t("drop_key_change", { name: channel.name, count: keys.length - 1 }),
        t("drop_key_gone"),
      ],
      action: t("common:delete"),
      danger: true,
    });
    if (sure)
      await setKeys(
        channel,
        keys.filter((one) => one.id !== gone.id).map(({ id }) => ({ id })),
      );
  };
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("keys")}</h3>
      <ul className="divide-y divide-line rounded-lg border border-line">
        {keys.map((one) => (
          <li key={one.id} className="flex items-center gap-3 py-1.5 pr-2 pl-3.5">
            <KeyRound aria-hidden className="size-4 text-muted" />
            <span className="min-w-0 flex-1">
              <span className="font-mono text-xs">
                {one.last4 ? `…${one.last4}` : t("no_key")}
              </span>
              <span className="ml-3 text-xs text-muted">
                <Ago time={one.created_at} />
              </span>
            </span>
            <Switch
              label={t("use_key", { key: `…${one.last4}` })}
              checked={one.status === "enabled"}
              onCheckedChange={(on) => void toggle(one.id, on)}
            />
            <IconButton
              size="sm"
              icon={Trash2}
              label={t("drop_key", { key: `…${one.last4}` })}
              onClick={() => void drop(one)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Endpoints({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("endpoints")}</h3>
      <dl className="divide-y divide-line rounded-lg border border-line">
        {channel.effective_endpoints.map((one) => (
          <div key={one.dialect} className="flex items-center gap-3 px-3.5 py-2">
            <dt className="w-24 shrink-0">
              <Badge>{one.dialect}</Badge>
            </dt>
            <dd className="min-w-0 flex-1 truncate font-mono text-xs text-soft">
              {one.base_url}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export default function ChannelSheet({
  channel,
  provider,
  testAtOnce,
  onClose,
}: Props) {
  const { t } = useTranslation(["channels", "common"]);
  const actions = useChannelActions();
  const [error, setError] = useState<unknown>(null);
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    values: valuesOf(channel),
    resetOptions: { keepDirtyValues: true },
  });
  const { isDirty, isSubmitting } = form.formState;
  const running = channel.status === "enabled";

  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      const { data } = await patchChannel(
        channel.id,
        bodyOf(values, channel.keys),
      );
      form.reset(valuesOf(data));
      await actions.changed(channel);
    } catch (failure) {
      const field = isApiError(failure) ? fieldOf(failure.field) : undefined;
      if (field && field !== "timeouts" && failure instanceof Error)
        form.setError(field, { message: failure.message }, { shouldFocus: true });
      else setError(failure);
    }
  });

  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        <span className="flex items-center gap-2.5">
          {channel.name} <StateBadge channel={channel} />
        </span>
      }
      description={provider?.title ?? channel.type}
      footer={
        <EditActions
          save="channel"
          busy={isSubmitting}
          dirty={isDirty}
          onCancel={isDirty ? () => form.reset() : undefined}
        >
          <DeleteButton
            onClick={() =>
              void actions.remove(channel).then((gone) => gone && onClose())
            }
          />
          <Button
            icon={running ? Pause : Play}
            onClick={() => void (running ? actions.pause : actions.resume)(channel)}
          >
            {t(running ? "pause" : "resume")}
          </Button>
        </EditActions>
      }
    >
      <div className="space-y-6">
        <Troubles channel={channel} />
        <TestPanel id={channel.id} atOnce={testAtOnce} />
        <Windows channel={channel} />
        <HealthPanel channel={channel} />
        <Keys channel={channel} />
        <form
          id="channel"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <MainFields form={form} provider={provider} hasKeys={channel.keys.length > 0} />
          <MoreFields form={form} />
          {error !== null && <Failure error={error} />}
        </form>
        <TransformerEditor channel={channel} />
        <Endpoints channel={channel} />
        <SpeedTest channel={channel} />
      </div>
    </Sheet>
  );
}
