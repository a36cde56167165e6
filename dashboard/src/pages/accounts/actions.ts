import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { accountsQuery, type Account } from "@/api/accounts";
import { channelsQuery } from "@/api/channels";
import { api, unwrap, type Schemas } from "@/api/client";
import { useConfirm } from "@/ui/confirm";
import { toast, toastError } from "@/ui/toast";

const at = (id: string) => ({ params: { path: { id } } });

export const startLogIn = (provider: string, account: string | null) =>
  unwrap(
    api.POST("/api/oauth/{provider}/start", {
      params: { path: { provider } },
      body: { account },
    }),
  );

export const finishLogIn = (login: Schemas["OauthLogin"], code: string) =>
  unwrap(
    api.POST("/api/oauth/{provider}/finish", {
      params: { path: { provider: login.provider } },
      // A bare code belongs to this log-in; all else brings its own state.
      body: /[#?&]/.test(code) ? { code } : { code, state: login.state },
    }),
  );

export function useAccountActions() {
  const { t } = useTranslation(["accounts", "common"]);
  const client = useQueryClient();
  const confirm = useConfirm();
  const reload = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: accountsQuery.queryKey }),
      client.invalidateQueries({ queryKey: channelsQuery.queryKey }),
      client.invalidateQueries({ queryKey: ["status"] }),
    ]);

  const renew = async (account: Account) => {
    try {
      await unwrap(api.POST("/api/oauth/accounts/{id}/refresh", at(account.id)));
      toast({ text: t("renewed", { name: account.name }) });
    } catch (error) {
      toastError(error);
    } finally {
      await reload();
    }
  };

  const remove = async (account: Account) => {
    const sure = await confirm({
      title: t("remove_title", { name: account.name }),
      body: t("remove_body"),
      changes: [t("remove_tokens"), t("remove_grant")],
      action: t("common:delete"),
      danger: true,
    });
    if (!sure) return;
    try {
      await unwrap(api.DELETE("/api/oauth/accounts/{id}", at(account.id)));
      toast({ text: t("removed", { name: account.name }) });
    } catch (error) {
      toastError(error);
    } finally {
      await reload();
    }
  };

  return { renew, remove, reload };
}
