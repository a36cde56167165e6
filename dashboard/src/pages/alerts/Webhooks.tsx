import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  CircleCheck,
  CircleX,
  Ellipsis,
  Pencil,
  Plus,
  Send,
  Trash2,
  Webhook as Icon,
} from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, everyPage, unwrap, type Schemas } from "@/api/client";
import { formatMs } from "@/lib/format";
import { Badge, Dot, type Tone } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { useConfirm } from "@/ui/confirm";
import { Switch } from "@/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago } from "@/ui/time";
import { toast, toastError } from "@/ui/toast";

const WebhookForm = lazy(() => import("./WebhookForm"));

export type Webhook = Schemas["Webhook"];

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      unwrap(
        api.GET("/api/webhooks", {
          params: { query: { limit: 200, cursor } },
          signal,
        }),
      ),
    ),
  refetchInterval: 10_000,
});

const at = (id: string) => ({ params: { path: { id } } });

function toneOf(hook: Webhook): Tone {
  if (hook.status !== "enabled") return "neutral";
  if (hook.last_error) return hook.given_up > 0 ? "bad" : "warn";
  return hook.last_at ? "ok" : "neutral";
}

function Deliveries({ hook }: { hook: Webhook }) {
  const { t } = useTranslation("alerts");
  return (
    <div className="min-w-0 text-xs">
      {hook.last_at ? (
        <p className="truncate" title={hook.last_error ?? undefined}>
          {hook.last_error ? (
            <span className="text-warn-text">{hook.last_error}</span>
          ) : (
            t("delivered", { status: hook.last_status })
          )}{" "}
          <span className="text-muted">
            · <Ago time={hook.last_at} />
          </span>
        </p>
      ) : (
        <p className="text-muted">{t("never_delivered")}</p>
      )}
      <p className="text-muted tabular">
        {[
          hook.waiting > 0 && t("waiting", { count: hook.waiting }),
          hook.given_up > 0 && t("given_up", { count: hook.given_up }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
    </div>
  );
}

function Verdict({ result }: { result: Schemas["WebhookTest"] }) {
  const Mark = result.ok ? CircleCheck : CircleX;
  return (
    <p
      role="status"
      className={`flex gap-2 text-xs ${result.ok ? "text-ok-text" : "text-bad-text"}`}
    >
      <Mark aria-hidden className="mt-px size-4 shrink-0" />
      <span className="min-w-0 wrap-anywhere">
        {result.message}
        {result.status !== null && ` · HTTP ${result.status}`}
        {` · ${formatMs(result.latency_ms)}`}
      </span>
    </p>
  );
}

function Line({ hook, onEdit }: { hook: Webhook; onEdit: () => void }) {
  const { t } = useTranslation(["alerts", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const [testing, setTesting] = useState(false);
  const [result, setResult] = useState<Schemas["WebhookTest"] | null>(null);
  const reload = () => client.invalidateQueries({ queryKey: webhooksQuery.queryKey });

  const test = async () => {
    setTesting(true);
    try {
      const { data } = await unwrap(
        api.POST("/api/webhooks/{id}/test", at(hook.id)),
      );
      setResult(data);
    } catch (error) {
      toastError(error);
    }
    setTesting(false);
    await reload();
  };
  const patch = async (body: Schemas["WebhookPatch"]) => {
    try {
      await unwrap(api.PATCH("/api/webhooks/{id}", { ...at(hook.id), body }));
    } catch (error) {
      toastError(error);
    }
    await reload();
  };
  const remove = async () => {
    const sure = await confirm({
      title: t("remove_title", { name: hook.name }),
      changes: [
        t("remove_told"),
        ...(hook.waiting > 0 ? [t("remove_waiting", { count: hook.waiting })] : []),
        t("remove_secret"),
      ],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return;
    try {
      await unwrap(api.DELETE("/api/webhooks/{id}", at(hook.id)));
      toast({ text: t("removed", { name: hook.name }) });
    } catch (error) {
      toastError(error);
    }
    await reload();
  };

  return (
    <li className="px-4 py-3">
      <div className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 md:grid-cols-[minmax(0,4fr)_minmax(0,3fr)_minmax(0,4fr)_auto]">
        <div className="flex min-w-0 items-center gap-3">
          <Dot tone={toneOf(hook)} />
          <div className="min-w-0">
            <p className="truncate font-medium">{hook.name}</p>
            <p className="truncate font-mono text-2xs text-muted">{hook.url}</p>
          </div>
        </div>
        <div className="col-start-1 row-start-2 flex flex-wrap gap-1 pl-5 md:col-start-auto md:row-start-auto md:pl-0">
          <Badge>{t(`least.${hook.severity}`)}</Badge>
          <Badge>
            {hook.kinds.length === 0
              ? t("all_kinds")
              : hook.kinds.length === 1
                ? t(`kind.${hook.kinds[0]!}`)
                : t("some_kinds", { count: hook.kinds.length })}
          </Badge>
        </div>
        <div className="col-start-1 row-start-3 min-w-0 pl-5 md:col-start-auto md:row-start-auto md:pl-0">
          <Deliveries hook={hook} />
        </div>
        <div className="col-start-2 row-start-1 flex items-center gap-1.5 md:col-start-auto md:row-start-auto">
          <Switch
            label={t("use", { name: hook.name })}
            checked={hook.status === "enabled"}
            onCheckedChange={(on) =>
              void patch({ status: on ? "enabled" : "disabled" })
            }
          />
          <Button
            size="sm"
            icon={Send}
            busy={testing}
            className="ml-2"
            aria-label={t("test_of", { name: hook.name })}
            onClick={() => void test()}
          >
            {t("test")}
          </Button>
          <Menu
            trigger={
              <IconButton
                size="sm"
                icon={Ellipsis}
                label={t("more_of", { name: hook.name })}
              />
            }
          >
            <MenuItem icon={Pencil} onSelect={onEdit}>
              {t("common:edit")}
            </MenuItem>
            <MenuSeparator />
            <MenuItem danger icon={Trash2} onSelect={() => void remove()}>
              {t("common:delete")}
            </MenuItem>
          </Menu>
        </div>
      </div>
      {result && (
        <div className="mt-2 pl-5">
          <Verdict result={result} />
        </div>
      )}
    </li>
  );
}

export function Webhooks() {
  const { t } = useTranslation("alerts");
  const hooks = useQuery(webhooksQuery);
  const [editing, setEditing] = useState<Webhook | "new" | null>(null);
  const list = hooks.data;
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => setEditing("new")}>
      {t("add")}
    </Button>
  );
  return (
    <>
      {hooks.error && (
        <Failure
          className="mb-4"
          error={hooks.error}
          onRetry={() => void hooks.refetch()}
        />
      )}
      <Card>
        <CardHead title={t("webhooks")} hint={t("webhooks_hint")}>
          {list && list.length > 0 && add}
        </CardHead>
        {!list ? (
          !hooks.error && <SkeletonRows rows={2} />
        ) : list.length === 0 ? (
          <Empty icon={Icon} title={t("no_webhook")} action={add}>
            {t("no_webhook_text")}
          </Empty>
        ) : (
          <ul className="divide-y divide-line">
            {list.map((one) => (
              <Line key={one.id} hook={one} onEdit={() => setEditing(one)} />
            ))}
          </ul>
        )}
      </Card>
      <Suspense>
        {editing && (
          <WebhookForm
            hook={editing === "new" ? null : editing}
            onClose={() => setEditing(null)}
          />
        )}
      </Suspense>
    </>
  );
}
