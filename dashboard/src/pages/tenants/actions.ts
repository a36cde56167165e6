/** Changes of tenants and keys, with the way back where there is one. */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, unwrap, type Schemas } from "@/api/client";
import { keysQuery, tenantsQuery, type Key, type Tenant } from "@/api/tenants";
import { useConfirm } from "@/ui/confirm";
import { toast, toastError } from "@/ui/toast";
import { formatRelative } from "@/lib/format";

const at = (id: string) => ({ params: { path: { id } } });

export const createKey = (body: Schemas["KeyInput"]) =>
  unwrap(api.POST("/api/keys", { body }));
export const patchKey = (id: string, body: Schemas["KeyPatch"]) =>
  unwrap(api.PATCH("/api/keys/{id}", { ...at(id), body }));
export const rotateKey = (id: string, overlap_s: number) =>
  unwrap(api.POST("/api/keys/{id}/rotate", { ...at(id), body: { overlap_s } }));
export const createTenant = (body: Schemas["TenantInput"]) =>
  unwrap(api.POST("/api/tenants", { body }));
export const patchTenant = (id: string, body: Schemas["TenantPatch"]) =>
  unwrap(api.PATCH("/api/tenants/{id}", { ...at(id), body }));

const noLimits: Schemas["Limits"] = {
  requests_per_min: null,
  tokens_per_min: null,
  concurrent: null,
  quota: null,
  budget: null,
};

/** All that can be changed, as it was. */
function wayBack(one: Tenant | Key) {
  const { name, status, models, channels, ips } = one;
  const limits = { ...noLimits, ...one.limits };
  return { name, status, models, channels, ips, limits };
}

export function useTenantActions() {
  const { t } = useTranslation(["tenants", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: keysQuery.queryKey }),
      client.invalidateQueries({ queryKey: tenantsQuery.queryKey }),
    ]);
  const attempt = async (fn: () => Promise<unknown>) => {
    try {
      await fn();
      return true;
    } catch (error) {
      toastError(error);
      return false;
    } finally {
      await refresh();
    }
  };
  const enableWord = (on: boolean) => (on ? "enabled" : "disabled");

  const switchKey = (key: Key, on: boolean) =>
    attempt(async () => {
      await patchKey(key.id, { status: enableWord(on) });
      toast({
        text: t(on ? "was_enabled" : "was_disabled", { name: key.name }),
        undo: () =>
          attempt(() => patchKey(key.id, { status: key.status })).then(() => {}),
      });
    });

  const switchTenant = async (tenant: Tenant, on: boolean) => {
    if (!on && tenant.key_count > 0) {
      const sure = await confirm({
        title: t("disable_tenant", { name: tenant.name }),
        changes: [t("disable_tenant_keys", { count: tenant.key_count })],
        action: t("disable"),
        danger: true,
      });
      if (!sure) return;
    }
    await attempt(async () => {
      await patchTenant(tenant.id, { status: enableWord(on) });
      toast({
        text: t(on ? "was_enabled" : "was_disabled", { name: tenant.name }),
        undo: () =>
          attempt(() => patchTenant(tenant.id, { status: tenant.status })).then(
            () => {},
          ),
      });
    });
  };

  const removeKey = async (key: Key) => {
    const used = key.last_used_at
      ? t("delete_key_used", { time: formatRelative(key.last_used_at) })
      : t("delete_key_unused");
    const sure = await confirm({
      title: t("delete_key", { name: key.name }),
      body: t("delete_key_body"),
      changes: [t("delete_key_refused", { last4: key.last4 }), used, t("delete_history")],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    return attempt(async () => {
      await unwrap(api.DELETE("/api/keys/{id}", at(key.id)));
      toast({ text: t("was_deleted", { name: key.name }) });
    });
  };

  const removeTenant = async (tenant: Tenant) => {
    const sure = await confirm({
      title: t("delete_tenant", { name: tenant.name }),
      changes: [t("delete_tenant_limits"), t("delete_history")],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return false;
    return attempt(async () => {
      await unwrap(api.DELETE("/api/tenants/{id}", at(tenant.id)));
      toast({
        text: t("was_deleted", { name: tenant.name }),
        undo: () => attempt(() => createTenant(wayBack(tenant))).then(() => {}),
      });
    });
  };

  const changedKey = async (before: Key) => {
    await refresh();
    const { tenant, expires_at, may_force_channel } = before;
    toast({
      text: t("was_changed", { name: before.name }),
      undo: () =>
        attempt(() =>
          patchKey(before.id, {
            ...wayBack(before),
            tenant,
            expires_at,
            may_force_channel,
          }),
        ).then(() => {}),
    });
  };

  const changedTenant = async (before: Tenant) => {
    await refresh();
    toast({
      text: t("was_changed", { name: before.name }),
      undo: () =>
        attempt(() => patchTenant(before.id, wayBack(before))).then(() => {}),
    });
  };

  return {
    refresh,
    switchKey,
    switchTenant,
    removeKey,
    removeTenant,
    changedKey,
    changedTenant,
  };
}
