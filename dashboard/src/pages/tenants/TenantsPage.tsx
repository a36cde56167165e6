import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import {
  Ban,
  Building2,
  Check,
  Ellipsis,
  KeyRound,
  Plus,
  RefreshCw,
  Search,
  Trash2,
  X,
} from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { keysQuery, monthQuery, tenantsQuery, type Key, type Tenant } from "@/api/tenants";
import { cn } from "@/lib/cn";
import { formatMoney, formatRelative, formatShort } from "@/lib/format";
import { Badge, Dot } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, CardHead, PageHead } from "@/ui/card";
import { Input, Select } from "@/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { DataTable, type Column } from "@/ui/table";
import { Ago, useNow } from "@/ui/time";
import { useTenantActions } from "./actions";
import type { TenantsSearch } from "./route";
import { keyState } from "./state";
import { TightestUse } from "./Uses";

const KeySheet = lazy(() => import("./KeySheet"));
const TenantSheet = lazy(() => import("./TenantSheet"));
const AddTenant = lazy(() =>
  import("./TenantSheet").then((one) => ({ default: one.AddTenant })),
);
const AddKey = lazy(() => import("./AddKey"));
const Rotate = lazy(() => import("./Rotate"));

export function KeyBadge({
  secret: key,
  tenant,
}: {
  secret: Key;
  tenant: Tenant | undefined;
}) {
  const { t } = useTranslation("tenants");
  const now = useNow();
  const { state, tone } = keyState(key, tenant, now);
  return (
    <Badge tone={tone}>
      {state === "expiring"
        ? t("key_state.expiring", { time: formatRelative(key.expires_at, now) })
        : t(`key_state.${state}`)}
    </Badge>
  );
}

interface TenantProps {
  tenant: Tenant;
  sums: Schemas["Sums"] | undefined;
  onOpen: () => void;
  onKeys: () => void;
}

function TenantLine({ tenant, sums, onOpen, onKeys }: TenantProps) {
  const { t } = useTranslation(["tenants", "common"]);
  const actions = useTenantActions();
  const enabled = tenant.status === "enabled";
  return (
    <li className="flex items-center gap-3 py-2.5 pr-3 pl-4 hover:bg-hover/50">
      <Dot tone={enabled ? "ok" : "neutral"} />
      <button onClick={onOpen} className="min-w-0 flex-1 rounded-md text-left">
        <span className={cn("block truncate font-medium", !enabled && "text-muted")}>
          {tenant.name}
          {!enabled && (
            <Badge className="ml-2">{t("common:status.disabled")}</Badge>
          )}
        </span>
        <span className="block truncate text-xs text-muted tabular">
          {t("keys_count", { count: tenant.key_count })} ·{" "}
          {t("month_short", {
            count: sums?.requests ?? 0,
            requests: formatShort(sums?.requests ?? 0),
            cost: formatMoney(sums?.cost_usd ?? (sums?.requests ? null : 0)),
          })}
        </span>
      </button>
      <div className="hidden w-64 shrink-0 sm:block">
        <TightestUse state={tenant.limits_state} />
      </div>
      <Menu
        trigger={
          <IconButton
            size="sm"
            icon={Ellipsis}
            label={t("more_name", { name: tenant.name })}
          />
        }
      >
        <MenuItem icon={KeyRound} onSelect={onKeys}>
          {t("show_keys", { count: tenant.key_count })}
        </MenuItem>
        <MenuItem
          icon={enabled ? Ban : Check}
          onSelect={() => void actions.switchTenant(tenant, !enabled)}
        >
          {t(enabled ? "disable" : "enable")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          danger
          icon={Trash2}
          disabled={tenant.key_count > 0}
          onSelect={() => void actions.removeTenant(tenant)}
        >
          {t("common:delete")}
        </MenuItem>
      </Menu>
    </li>
  );
}

interface KeyMenuProps {
  secret: Key;
  onRotate: () => void;
}

function KeyMenu({ secret: key, onRotate }: KeyMenuProps) {
  const { t } = useTranslation(["tenants", "common"]);
  const actions = useTenantActions();
  const enabled = key.status === "enabled";
  return (
    <span
      className="inline-flex"
      onClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <Menu
        trigger={
          <IconButton
            size="sm"
            icon={Ellipsis}
            label={t("more_name", { name: key.name })}
          />
        }
      >
        <MenuItem icon={RefreshCw} onSelect={onRotate}>
          {t("rotate_menu")}
        </MenuItem>
        <MenuItem
          icon={enabled ? Ban : Check}
          onSelect={() => void actions.switchKey(key, !enabled)}
        >
          {t(enabled ? "disable" : "enable")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          danger
          icon={Trash2}
          onSelect={() => void actions.removeKey(key)}
        >
          {t("common:delete")}
        </MenuItem>
      </Menu>
    </span>
  );
}

function useColumns(
  tenants: Tenant[] | undefined,
  sums: Schemas["Sums"][] | undefined,
  onOpen: (key: Key) => void,
  onRotate: (key: Key) => void,
) {
  const { t } = useTranslation(["tenants", "common"]);
  return useMemo<Column<Key>[]>(() => {
    const byId = new Map(sums?.map((one) => [one.id, one]));
    const tenantOf = (key: Key) => tenants?.find((one) => one.id === key.tenant_id);
    const costOf = (key: Key) => byId.get(key.id)?.cost_usd ?? null;
    return [
      {
        id: "name",
        header: t("key"),
        sort: (key) => key.name.toLowerCase(),
        cell: (key) => (
          <button
            onClick={(event) => {
              event.stopPropagation();
              onOpen(key);
            }}
            className="block max-w-full rounded text-left"
          >
            <span className="block truncate font-medium">{key.name}</span>
            <span className="block truncate font-mono text-2xs text-muted">
              rtx_…{key.last4}
            </span>
          </button>
        ),
      },
      {
        id: "tenant",
        header: t("tenant"),
        sort: (key) => key.tenant.toLowerCase(),
        cell: (key) => <span className="text-soft">{key.tenant}</span>,
        width: "13%",
        from: "md",
      },
      {
        id: "state",
        header: t("state"),
        sort: (key) => keyState(key, tenantOf(key), Date.now()).state,
        cell: (key) => <KeyBadge secret={key} tenant={tenantOf(key)} />,
        width: "10.5rem",
      },
      {
        id: "limit",
        header: t("limits"),
        cell: (key) => <TightestUse state={key.limits_state} />,
        width: "12rem",
        from: "lg",
      },
      {
        id: "requests",
        header: t("requests_30d"),
        align: "right",
        sort: (key) => byId.get(key.id)?.requests ?? 0,
        cell: (key) => formatShort(byId.get(key.id)?.requests ?? 0),
        width: "9rem",
        from: "sm",
      },
      {
        id: "cost",
        header: t("cost_30d"),
        align: "right",
        sort: (key) => (costOf(key) === null ? null : Number(costOf(key))),
        cell: (key) => formatMoney(costOf(key)),
        width: "7.5rem",
        from: "md",
      },
      {
        id: "used",
        header: t("last_used"),
        align: "right",
        sort: (key) => key.last_used_at,
        cell: (key) =>
          key.last_used_at ? (
            <Ago time={key.last_used_at} />
          ) : (
            <span className="text-muted">{t("never")}</span>
          ),
        width: "8.5rem",
        from: "sm",
      },
      {
        id: "more",
        header: t("common:more"),
        quiet: true,
        align: "right",
        cell: (key) => <KeyMenu secret={key} onRotate={() => onRotate(key)} />,
        width: "4rem",
      },
    ];
  }, [t, tenants, sums, onOpen, onRotate]);
}

export default function TenantsPage() {
  const { t } = useTranslation("tenants");
  const tenants = useQuery(tenantsQuery);
  const keys = useQuery(keysQuery);
  const month = useQuery(monthQuery);
  const search = useSearch({ from: "/shell/tenants" });
  const navigate = useNavigate({ from: "/tenants" });
  const [adding, setAdding] = useState<"key" | "tenant" | null>(null);
  const [rotating, setRotating] = useState<string | null>(null);

  const go = useMemo(
    () => (more: TenantsSearch, replace = false) =>
      void navigate({
        replace,
        search: (old) =>
          Object.fromEntries(
            Object.entries({ ...old, ...more }).filter(([, value]) => value),
          ),
      }),
    [navigate],
  );
  const openKey = useMemo(() => (key: Key) => go({ key: key.id }), [go]);
  const rotate = useMemo(() => (key: Key) => setRotating(key.id), []);
  const columns = useColumns(tenants.data, month.data?.by_key, openKey, rotate);

  const wanted = (search.find ?? "").toLowerCase();
  const only = tenants.data?.find(
    (one) => one.id === search.of || one.name === search.of,
  );
  const shown = keys.data?.filter(
    (one) =>
      (!only || one.tenant_id === only.id) &&
      `${one.name} ${one.last4} ${one.tenant}`.toLowerCase().includes(wanted),
  );
  const tenant = tenants.data?.find(
    (one) => one.id === search.tenant || one.name === search.tenant,
  );
  const key = keys.data?.find(
    (one) => one.id === search.key || one.name === search.key,
  );
  const rotated = keys.data?.find((one) => one.id === rotating);
  const tenantSums = new Map(month.data?.by_tenant?.map((one) => [one.id, one]));
  const error = tenants.error ?? keys.error;
  const addKey = (
    <Button kind="primary" icon={Plus} onClick={() => setAdding("key")}>
      {t("add_key")}
    </Button>
  );

  return (
    <>
      <PageHead title={t("title")} hint={t("hint")}>
        <Button icon={Plus} onClick={() => setAdding("tenant")}>
          {t("add_tenant")}
        </Button>
        {addKey}
      </PageHead>
      {error && (
        <Failure
          className="mb-4"
          error={error}
          onRetry={() => {
            void tenants.refetch();
            void keys.refetch();
          }}
        />
      )}
      <div className="space-y-4">
        <Card className="overflow-hidden">
          <CardHead title={t("tenants")} hint={t("tenants_hint")} />
          {!tenants.data ? (
            <SkeletonRows rows={2} />
          ) : tenants.data.length === 0 ? (
            <Empty icon={Building2} title={t("no_tenants")} className="py-8" />
          ) : (
            <ul className="divide-y divide-line">
              {tenants.data.map((one) => (
                <TenantLine
                  key={one.id}
                  tenant={one}
                  sums={tenantSums.get(one.id)}
                  onOpen={() => go({ tenant: one.id })}
                  onKeys={() => go({ of: one.name })}
                />
              ))}
            </ul>
          )}
        </Card>
        <Card className="overflow-hidden">
          <CardHead title={t("keys")} hint={t("keys_hint")}>
            {only && (
              <Button
                size="sm"
                onClick={() => go({ of: undefined })}
              >
                {only.name}
                <span className="sr-only">{t("show_all")}</span>
                <X aria-hidden />
              </Button>
            )}
            {!only && tenants.data && tenants.data.length > 1 && (
              <Select
                aria-label={t("of_tenant")}
                className="hidden w-40 sm:block"
                value=""
                onChange={(event) => go({ of: event.target.value })}
              >
                <option value="">{t("all_tenants")}</option>
                {tenants.data.map(({ id, name }) => (
                  <option key={id} value={name}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
            <span className="relative w-32 shrink-0 sm:w-52">
              <Search
                aria-hidden
                className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted"
              />
              <Input
                type="search"
                aria-label={t("find_key")}
                placeholder={t("find_key")}
                className="pl-8"
                value={search.find ?? ""}
                onChange={(event) => go({ find: event.target.value }, true)}
              />
            </span>
          </CardHead>
          {!shown ? (
            <SkeletonRows />
          ) : keys.data?.length === 0 ? (
            <Empty icon={KeyRound} title={t("no_keys")} action={addKey}>
              {t("no_keys_text")}
            </Empty>
          ) : shown.length === 0 ? (
            <Empty
              icon={Search}
              title={t("none_found")}
              className="py-10"
              action={
                <Button onClick={() => go({ of: undefined, find: undefined })}>
                  {t("show_all")}
                </Button>
              }
            />
          ) : (
            <DataTable
              label={t("keys")}
              columns={columns}
              rows={shown}
              rowKey={(one) => one.id}
              rowHeight={53}
              height={shown.length > 100 ? "70vh" : undefined}
              onOpen={openKey}
              isOpen={(one) => one.id === key?.id}
            />
          )}
        </Card>
      </div>
      <Suspense>
        {tenant && (
          <TenantSheet
            key={tenant.id}
            tenant={tenant}
            sums={tenantSums.get(tenant.id)}
            onKeys={() => go({ tenant: undefined, of: tenant.name })}
            onClose={() => go({ tenant: undefined })}
          />
        )}
        {key && (
          <KeySheet
            key={key.id}
            secret={key}
            tenant={tenants.data?.find((one) => one.id === key.tenant_id)}
            onRotate={() => rotate(key)}
            onClose={() => go({ key: undefined })}
          />
        )}
        {rotated && <Rotate secret={rotated} onClose={() => setRotating(null)} />}
        {adding === "tenant" && <AddTenant onClose={() => setAdding(null)} />}
        {adding === "key" && (
          <AddKey
            tenant={only?.name ?? "default"}
            onClose={() => setAdding(null)}
          />
        )}
      </Suspense>
    </>
  );
}
