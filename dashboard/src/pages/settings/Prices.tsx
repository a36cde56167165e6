import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp, Pencil, Plus, RotateCcw, Search } from "lucide-react";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, unwrap } from "@/api/client";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Card, CardHead } from "@/ui/card";
import { Field, Input, Select } from "@/ui/field";
import { Empty, Failure, SkeletonRows } from "@/ui/states";
import { DataTable, type Column } from "@/ui/table";
import { toast, toastError } from "@/ui/toast";
import { FormDialog, useChecked, useWrong } from "./form";
import {
  priceBody,
  priceSchema,
  priceValues,
  rates,
  type Price,
  type PriceValues,
} from "./price";
import { pricesQuery } from "./queries";

const setPrice = (model: string, body: ReturnType<typeof priceBody>) =>
  unwrap(api.PUT("/api/prices/{model}", { params: { path: { model } }, body }));
const unsetPrice = (model: string) =>
  unwrap(api.DELETE("/api/prices/{model}", { params: { path: { model } } }));

function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["prices"] });
}

/** Back to how it was: its own price, or the file's. */
const restore = (before: Price | null, model: string) =>
  before?.source === "override"
    ? setPrice(model, priceBody(priceValues(before), before))
    : unsetPrice(model);

function EditPrice({ price, onClose }: { price: Price | null; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const refresh = useRefresh();
  const { form, submit, error } = useChecked<PriceValues>(
    priceSchema,
    priceValues(price),
    async (values) => {
      await setPrice(values.model, priceBody(values, price));
      await refresh();
      toast({
        text: t("price_set", { model: values.model }),
        undo: async () => {
          await restore(price, values.model);
          await refresh();
        },
      });
      onClose();
    },
  );
  const wrong = useWrong(form);
  return (
    <FormDialog
      title={price ? t("price_of", { model: price.model }) : t("add_price")}
      hint={t("price_hint")}
      action={t("common:save")}
      busy={form.formState.isSubmitting}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    >
      {!price && (
        <Field label={t("model")} error={wrong("model")}>
          {(given) => (
            <Input
              {...given}
              spellCheck={false}
              className="font-mono text-xs"
              {...form.register("model")}
            />
          )}
        </Field>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        {rates.map((name) => (
          <Field
            key={name}
            label={t(`rate.${name}`)}
            optional={name !== "input" && name !== "output"}
            error={wrong(name)}
          >
            {(given) => (
              <span className="relative block">
                <span aria-hidden className="absolute top-1.5 left-2.5 text-muted select-none">
                  $
                </span>
                <Input
                  {...given}
                  inputMode="decimal"
                  className="pl-6"
                  {...form.register(name)}
                />
              </span>
            )}
          </Field>
        ))}
      </div>
      {price?.tiers && price.tiers.length > 0 && (
        <p className="text-xs text-muted">{t("price_tiers")}</p>
      )}
    </FormDialog>
  );
}

function LoadFile() {
  const { t } = useTranslation("settings");
  const refresh = useRefresh();
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const load = async (file: File) => {
    setBusy(true);
    try {
      const body = JSON.parse(await file.text()) as Record<string, never>;
      const { data } = await unwrap(
        api.POST("/api/prices", { params: { query: { source: file.name } }, body }),
      );
      await refresh();
      toast({ text: t("prices_loaded", { count: data.models, format: data.format }) });
    } catch (error) {
      toastError(error instanceof SyntaxError ? new Error(t("no_json")) : error);
    }
    setBusy(false);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        aria-label={t("load_file")}
        className="hidden"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) void load(file);
        }}
      />
      <Button
        icon={FileUp}
        busy={busy}
        title={t("load_file_hint")}
        onClick={() => input.current?.click()}
      >
        {t("load_file")}
      </Button>
    </>
  );
}

const usd = (text: string | undefined) =>
  text === undefined ? <span className="text-muted">—</span> : `$${text}`;

export default function Prices() {
  const { t } = useTranslation(["settings", "common"]);
  const [find, setFind] = useState("");
  const [own, setOwn] = useState(false);
  const [editing, setEditing] = useState<Price | "new" | null>(null);
  const wanted = useDeferredValue(find.trim());
  const prices = useQuery(pricesQuery(wanted, own));
  const refresh = useRefresh();

  const columns = useMemo<Column<Price>[]>(() => {
    const drop = async (price: Price) => {
      try {
        await unsetPrice(price.model);
        toast({
          text: t("price_unset", { model: price.model }),
          undo: async () => {
            await restore(price, price.model);
            await refresh();
          },
        });
      } catch (error) {
        toastError(error);
      }
      await refresh();
    };
    const rate = (name: (typeof rates)[number], from?: "sm" | "md"): Column<Price> => ({
      id: name,
      header: t(`rate_short.${name}`),
      align: "right",
      width: from ? "8rem" : "7rem",
      from,
      sort: (price) => (price[name] === undefined ? null : Number(price[name])),
      cell: (price) => usd(price[name]),
    });
    return [
      {
        id: "model",
        header: t("model"),
        sort: (price) => price.model,
        cell: (price) => (
          <span className="flex items-center gap-2">
            <span className="truncate font-mono text-xs" title={price.model}>
              {price.model}
            </span>
            {price.source !== "built-in" && (
              <Badge tone={price.source === "override" ? "accent" : "neutral"}>
                {t(`source.${price.source}`)}
              </Badge>
            )}
          </span>
        ),
      },
      rate("input"),
      rate("output"),
      rate("cache_read", "sm"),
      rate("cache_write_5m", "md"),
      {
        id: "more",
        header: t("common:more"),
        quiet: true,
        align: "right",
        width: "5.5rem",
        cell: (price) => (
          <span className="inline-flex">
            {price.source === "override" && (
              <IconButton
                size="sm"
                icon={RotateCcw}
                label={t("unset", { model: price.model })}
                onClick={() => void drop(price)}
              />
            )}
            <IconButton
              size="sm"
              icon={Pencil}
              label={t("edit_price", { model: price.model })}
              onClick={() => setEditing(price)}
            />
          </span>
        ),
      },
    ];
  }, [t]);

  return (
    <Card className="overflow-hidden">
      <CardHead title={t("prices")} hint={t("prices_hint")}>
        <span className="hidden sm:inline">
          <LoadFile />
        </span>
        <Button kind="primary" icon={Plus} onClick={() => setEditing("new")}>
          {t("add_price")}
        </Button>
      </CardHead>
      <div className="flex gap-2 border-b border-line px-4 py-2.5">
        <span className="relative flex-1">
          <Search
            aria-hidden
            className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted"
          />
          <Input
            type="search"
            aria-label={t("find_model")}
            placeholder={t("find_model")}
            className="pl-8"
            value={find}
            onChange={(event) => setFind(event.target.value)}
          />
        </span>
        <Select
          aria-label={t("whose")}
          className="w-36 shrink-0"
          value={own ? "own" : "all"}
          onChange={(event) => setOwn(event.target.value === "own")}
        >
          <option value="all">{t("source.all")}</option>
          <option value="own">{t("source.override")}</option>
        </Select>
      </div>
      {prices.error ? (
        <Failure className="m-4" error={prices.error} onRetry={() => void prices.refetch()} />
      ) : !prices.data ? (
        <SkeletonRows />
      ) : prices.data.data.length === 0 ? (
        <Empty icon={Search} title={t("no_price")} className="py-10">
          {t("no_price_text")}
        </Empty>
      ) : (
        <>
          <DataTable
            label={t("prices")}
            columns={columns}
            rows={prices.data.data}
            rowKey={(price) => `${price.provider}/${price.model}`}
            height={prices.data.data.length > 12 ? "36rem" : undefined}
          />
          {prices.data.next && (
            <p className="border-t border-line px-4 py-2 text-xs text-muted">
              {t("first_prices", { count: prices.data.data.length })}
            </p>
          )}
        </>
      )}
      {editing && (
        <EditPrice
          price={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </Card>
  );
}
