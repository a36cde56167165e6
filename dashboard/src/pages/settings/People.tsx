import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, KeyRound, Plus, Trash2, UserRound, UserPlus } from "lucide-react";
import { useState, type ComponentProps, type ReactNode } from "react";
import { Controller } from "react-hook-form";
import { useTranslation } from "react-i18next";

import { api, unwrap, type Schemas } from "@/api/client";
import { isApiError } from "@/api/errors";
import { sessionQuery, isSignedIn } from "@/api/session";
import { formatTime } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { useConfirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Field, Input, SecretInput, Select } from "@/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { OneTimeSecret } from "@/ui/secret";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { Ago } from "@/ui/time";
import { toast, toastError } from "@/ui/toast";
import { FormDialog, useChecked, useWrong } from "./form";
import {
  areas,
  reaches,
  roles,
  spans,
  tokenBody,
  tokenSchema,
  userSchema,
  withArea,
  type TokenValues,
  type UserValues,
} from "./people";
import { tokensQuery, usersQuery } from "./queries";

type User = Schemas["User"];

const at = (id: string) => ({ params: { path: { id } } });
const patchUser = (id: string, body: Schemas["UserPatch"]) =>
  unwrap(api.PATCH("/api/users/{id}", { ...at(id), body }));

function useRefresh(key: readonly unknown[]) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: key });
}

function NameField({ error, ...rest }: ComponentProps<"input"> & { error: ReactNode }) {
  const { t } = useTranslation("settings");
  return (
    <Field label={t("name")} error={error}>
      {(given) => <Input {...given} autoComplete="off" spellCheck={false} {...rest} />}
    </Field>
  );
}

function AddUser({ first, onClose }: { first: boolean; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const refresh = useRefresh(usersQuery.queryKey);
  const client = useQueryClient();
  const { form, submit, error } = useChecked<UserValues>(
    userSchema,
    { name: "", role: first ? "owner" : "viewer", password: "" },
    async (values) => {
      await unwrap(api.POST("/api/users", { body: values }));
      await refresh();
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      toast({ text: t("user_added", { name: values.name }) });
      onClose();
    },
  );
  const wrong = useWrong(form);
  return (
    <FormDialog
      title={t("add_user")}
      hint={t(first ? "first_user" : "add_user_hint")}
      action={t("add_user")}
      busy={form.formState.isSubmitting}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField error={wrong("name")} {...form.register("name")} />
      <Field label={t("role")} hint={t(`role_hint.${form.watch("role")}`)} error={wrong("role")}>
        {(given) => (
          <Select {...given} disabled={first} {...form.register("role")}>
            {roles.map((role) => (
              <option key={role} value={role}>
                {t(`common:roles.${role}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t("password")} hint={t("password_hint")} error={wrong("password")}>
        {(given) => (
          <SecretInput {...given} autoComplete="new-password" {...form.register("password")} />
        )}
      </Field>
    </FormDialog>
  );
}

function NewPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const { form, submit, error } = useChecked(
    userSchema.pick({ password: true }),
    { password: "" },
    async (values) => {
      await patchUser(user.id, values);
      toast({ text: t("password_set", { name: user.name }) });
      onClose();
    },
  );
  const wrong = useWrong(form);
  return (
    <FormDialog
      title={t("set_password", { name: user.name })}
      hint={t("set_password_hint")}
      action={t("common:save")}
      busy={form.formState.isSubmitting}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label={t("password")} hint={t("password_hint")} error={wrong("password")}>
        {(given) => (
          <SecretInput {...given} autoComplete="new-password" {...form.register("password")} />
        )}
      </Field>
    </FormDialog>
  );
}

function Users() {
  const { t } = useTranslation(["settings", "common"]);
  const users = useQuery(usersQuery);
  const { data: who } = useQuery(sessionQuery);
  const refresh = useRefresh(usersQuery.queryKey);
  const confirm = useConfirm();
  const [adding, setAdding] = useState(false);
  const [password, setPassword] = useState<User | null>(null);
  const me = who && isSignedIn(who) ? who.id : "";

  const attempt = async (fn: () => Promise<unknown>) => {
    try {
      await fn();
    } catch (error) {
      toastError(error);
    }
    await refresh();
  };
  const setRole = (user: User, role: User["role"]) =>
    attempt(async () => {
      await patchUser(user.id, { role });
      toast({
        text: t("role_set", { name: user.name, role: t(`common:roles.${role}`) }),
        undo: () => attempt(() => patchUser(user.id, { role: user.role })),
      });
    });
  const remove = async (user: User) => {
    const sure = await confirm({
      title: t("remove_user", { name: user.name }),
      changes: [t("remove_user_out"), t("remove_user_audit")],
      action: t("common:delete"),
      danger: true,
    });
    if (sure)
      await attempt(async () => {
        await unwrap(api.DELETE("/api/users/{id}", at(user.id)));
        toast({ text: t("removed", { name: user.name }) });
      });
  };
  const add = (
    <Button icon={UserPlus} onClick={() => setAdding(true)}>
      {t("add_user")}
    </Button>
  );

  return (
    <Card className="overflow-hidden">
      <CardHead title={t("users")} hint={t("users_hint")}>
        {users.data && users.data.length > 0 && add}
      </CardHead>
      {users.error ? (
        <Failure
          className="m-4"
          error={users.error}
          onRetry={() => void users.refetch()}
        />
      ) : !users.data ? (
        <SkeletonRows rows={2} />
      ) : users.data.length === 0 ? (
        <Empty icon={UserRound} title={t("no_users")} action={add} className="py-10">
          {t("no_users_text")}
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {users.data.map((user) => (
            <li key={user.id} className="flex items-center gap-3 px-4 py-2.5">
              <span
                aria-hidden
                className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text uppercase"
              >
                {user.name.slice(0, 1)}
              </span>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">
                  {user.name}
                  {user.id === me && <Badge className="ml-2">{t("you_badge")}</Badge>}
                </span>
                <span className="block truncate text-xs text-muted">
                  {user.last_login_at ? (
                    <>
                      {t("last_login")} <Ago time={user.last_login_at} />
                    </>
                  ) : (
                    t("never_logged_in")
                  )}
                </span>
              </span>
              <Select
                aria-label={t("role_of", { name: user.name })}
                className="w-28 shrink-0"
                value={user.role}
                onChange={(event) => void setRole(user, event.target.value as User["role"])}
              >
                {roles.map((role) => (
                  <option key={role} value={role}>
                    {t(`common:roles.${role}`)}
                  </option>
                ))}
              </Select>
              <Menu
                trigger={
                  <IconButton
                    size="sm"
                    icon={Ellipsis}
                    label={t("more_name", { name: user.name })}
                  />
                }
              >
                <MenuItem icon={KeyRound} onSelect={() => setPassword(user)}>
                  {t("new_password")}
                </MenuItem>
                <MenuSeparator />
                <MenuItem danger icon={Trash2} onSelect={() => void remove(user)}>
                  {t("common:delete")}
                </MenuItem>
              </Menu>
            </li>
          ))}
        </ul>
      )}
      {adding && (
        <AddUser first={users.data?.length === 0} onClose={() => setAdding(false)} />
      )}
      {password && <NewPassword user={password} onClose={() => setPassword(null)} />}
    </Card>
  );
}

function Areas({
  scopes,
  onChange,
}: {
  scopes: string[];
  onChange: (scopes: string[]) => void;
}) {
  const { t } = useTranslation("settings");
  const of = (area: string) =>
    (["write", "read"] as const).find((what) => scopes.includes(`${area}:${what}`)) ?? "";
  return (
    <div className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
      {areas.map((area) => (
        <label key={area} className="flex items-center gap-2">
          <span className="min-w-0 flex-1 truncate font-mono text-xs">{area}</span>
          <Select
            className="w-28 shrink-0"
            value={of(area)}
            onChange={(event) =>
              onChange(withArea(scopes, area, event.target.value as "read"))
            }
          >
            <option value="">{t("scope.none")}</option>
            <option value="read">{t("scope.read")}</option>
            <option value="write">{t("scope.write")}</option>
          </Select>
        </label>
      ))}
    </div>
  );
}

function AddToken({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const refresh = useRefresh(tokensQuery.queryKey);
  const [made, setMade] = useState<Schemas["AdminTokenMade"] | null>(null);
  const { form, submit, error } = useChecked<TokenValues>(
    tokenSchema,
    { name: "", reach: "read", scopes: [], expiry: "never" },
    async (values) => {
      const { data } = await unwrap(
        api.POST("/api/tokens", { body: tokenBody(values) }),
      );
      setMade(data);
      await refresh();
    },
  );
  const wrong = useWrong(form);
  const reach = form.watch("reach");
  if (made)
    return (
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title={t("token_made", { name: made.name })}
        description={t("token_made_hint")}
        footer={<Button onClick={onClose}>{t("done")}</Button>}
      >
        <OneTimeSecret text={made.token} label={t("token_itself")} />
      </Dialog>
    );
  return (
    <FormDialog
      title={t("add_token")}
      hint={t("add_token_hint")}
      action={t("make_token")}
      busy={form.formState.isSubmitting}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField error={wrong("name")} {...form.register("name")} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("reach")} error={wrong("scopes")}>
          {(given) => (
            <Select {...given} {...form.register("reach")}>
              {reaches.map((one) => (
                <option key={one} value={one}>
                  {t(`reach_of.${one === "*" ? "all" : one}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("expires")}>
          {(given) => (
            <Select {...given} {...form.register("expiry")}>
              {spans.map((one) => (
                <option key={one} value={one}>
                  {t(`expiry.${one}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {reach === "areas" && (
        <Controller
          control={form.control}
          name="scopes"
          render={({ field }) => (
            <Areas scopes={field.value} onChange={field.onChange} />
          )}
        />
      )}
    </FormDialog>
  );
}

function Tokens() {
  const { t } = useTranslation(["settings", "common"]);
  const tokens = useQuery(tokensQuery);
  const refresh = useRefresh(tokensQuery.queryKey);
  const confirm = useConfirm();
  const [adding, setAdding] = useState(false);
  const revoke = async (token: Schemas["AdminToken"]) => {
    const sure = await confirm({
      title: t("revoke_token", { name: token.name }),
      body: t("revoke_body"),
      changes: [t("revoke_change", { last4: token.last4 })],
      action: t("revoke"),
      danger: true,
    });
    if (!sure) return;
    try {
      await unwrap(api.DELETE("/api/tokens/{id}", at(token.id)));
      toast({ text: t("revoked", { name: token.name }) });
    } catch (error) {
      toastError(error);
    }
    await refresh();
  };
  return (
    <Card className="overflow-hidden">
      <CardHead title={t("tokens")} hint={t("tokens_hint")}>
        <Button icon={Plus} onClick={() => setAdding(true)}>
          {t("add_token")}
        </Button>
      </CardHead>
      {tokens.error ? (
        <Failure
          className="m-4"
          error={tokens.error}
          onRetry={() => void tokens.refetch()}
        />
      ) : !tokens.data ? (
        <SkeletonRows rows={2} />
      ) : tokens.data.length === 0 ? (
        <p className="px-4 py-8 text-center text-muted">{t("no_tokens")}</p>
      ) : (
        <ul className="divide-y divide-line">
          {tokens.data.map((token) => {
            const over =
              token.expires_at !== null && Date.parse(token.expires_at) < Date.now();
            return (
              <li key={token.id} className="flex items-center gap-3 px-4 py-2.5">
                <span className="min-w-0 flex-1">
                  <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                    <span className="truncate font-medium">{token.name}</span>
                    <span className="font-mono text-2xs text-muted">
                      rta_…{token.last4}
                    </span>
                    {token.scopes.map((scope) => (
                      <Badge key={scope} tone={scope === "*" ? "warn" : "neutral"}>
                        {scope === "*" ? t("reach_of.all") : scope}
                      </Badge>
                    ))}
                    {over && <Badge tone="bad">{t("expired")}</Badge>}
                  </span>
                  <span className="block truncate text-xs text-muted">
                    {token.last_used_at ? (
                      <>
                        {t("used")} <Ago time={token.last_used_at} />
                      </>
                    ) : (
                      t("never_used")
                    )}
                    {token.expires_at &&
                      !over &&
                      ` · ${t("until", { time: formatTime(token.expires_at) })}`}
                  </span>
                </span>
                <IconButton
                  size="sm"
                  icon={Trash2}
                  label={t("revoke_name", { name: token.name })}
                  onClick={() => void revoke(token)}
                />
              </li>
            );
          })}
        </ul>
      )}
      {adding && <AddToken onClose={() => setAdding(false)} />}
    </Card>
  );
}

export default function People() {
  const users = useQuery(usersQuery);
  if (isApiError(users.error) && users.error.status === 403)
    return <Failure error={users.error} />;
  return (
    <div className="space-y-4">
      <Users />
      <Tokens />
    </div>
  );
}
