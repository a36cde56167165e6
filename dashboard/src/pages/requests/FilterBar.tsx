import { useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { channelsQuery } from "@/api/channels";
import { dayQuery } from "@/api/day";
import { keyNamesQuery, tenantNamesQuery } from "@/api/names";
import { cn } from "@/lib/cn";
import { Button } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { isNarrowed, outcomes, spans, type Filter, type Outcome } from "./filter";

const statuses = [200, 400, 401, 403, 404, 429, 499, 500, 502, 503, 504, 529];
const TYPING_MS = 250;

function Choice({
  label,
  all,
  value,
  options,
  onChange,
}: {
  label: string;
  all: string;
  value: string | undefined;
  options: { value: string; label: string }[];
  onChange: (value: string | undefined) => void;
}) {
  const known = options.some((one) => one.value === value);
  return (
    <Select
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
      className={cn(
        "w-auto min-w-36 flex-1 sm:max-w-44 sm:min-w-26 sm:flex-none",
        value && "border-accent bg-accent-soft font-medium text-accent-text dark:bg-accent-soft",
      )}
    >
      <option value="">{all}</option>
      {value && !known && <option value={value}>{value}</option>}
      {options.map((one) => (
        <option key={one.value} value={one.value}>
          {one.label}
        </option>
      ))}
    </Select>
  );
}

const plain = (names: string[] | undefined) =>
  (names ?? []).map((name) => ({ value: name, label: name }));

export function FilterBar({
  filter,
  onChange,
}: {
  filter: Filter;
  onChange: (filter: Filter) => void;
}) {
  const { t } = useTranslation("requests");
  const channels = useQuery(channelsQuery);
  const day = useQuery(dayQuery);
  const keys = useQuery(keyNamesQuery);
  const tenants = useQuery(tenantNamesQuery);
  const [text, setText] = useState(filter.text ?? "");
  useEffect(() => setText(filter.text ?? ""), [filter.text]);
  useEffect(() => {
    const wanted = text.trim() || undefined;
    if (wanted === filter.text) return;
    const timer = setTimeout(() => onChange({ ...filter, text: wanted }), TYPING_MS);
    return () => clearTimeout(timer);
    // Only typing starts it.
  }, [text]);
  const set = (change: Filter) => onChange({ ...filter, ...change });
  const models = day.data?.by_model
    ?.toSorted((a, b) => b.requests - a.requests)
    .flatMap((one) => one.name ?? one.id ?? []);

  return (
    <div
      role="search"
      aria-label={t("filters")}
      className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2.5"
    >
      <div className="relative min-w-52 flex-1 basis-full sm:basis-52">
        <Search
          aria-hidden
          className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted"
        />
        <Input
          type="search"
          aria-label={t("search")}
          placeholder={t("search")}
          title={t("search_help")}
          className="pl-8"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Choice
        label={t("outcome")}
        all={t("any_outcome")}
        value={filter.outcome}
        options={outcomes.map((one) => ({ value: one, label: t(`outcomes.${one}`) }))}
        onChange={(outcome) => set({ outcome: outcome as Outcome | undefined })}
      />
      <Choice
        label={t("status")}
        all={t("any_status")}
        value={filter.status?.toString()}
        options={plain(statuses.map(String))}
        onChange={(status) => set({ status: status ? Number(status) : undefined })}
      />
      <Choice
        label={t("channel")}
        all={t("any_channel")}
        value={filter.channel}
        options={plain(channels.data?.map((one) => one.name))}
        onChange={(channel) => set({ channel })}
      />
      <Choice
        label={t("model")}
        all={t("any_model")}
        value={filter.model}
        options={plain(models)}
        onChange={(model) => set({ model })}
      />
      <Choice
        label={t("key")}
        all={t("any_key")}
        value={filter.key}
        options={plain(keys.data)}
        onChange={(key) => set({ key })}
      />
      {((tenants.data?.length ?? 0) > 1 || filter.tenant) && (
        <Choice
          label={t("tenant")}
          all={t("any_tenant")}
          value={filter.tenant}
          options={plain(tenants.data)}
          onChange={(tenant) => set({ tenant })}
        />
      )}
      {(["agent", "client"] as const).map(
        (name) =>
          filter[name] && (
            <Choice
              key={name}
              label={t(name)}
              all={t(`any_${name}`)}
              value={filter[name]}
              options={[]}
              onChange={(value) => set({ [name]: value })}
            />
          ),
      )}
      <Choice
        label={t("since")}
        all={t("any_time")}
        value={filter.since}
        options={spans.map((one) => ({ value: one, label: t(`spans.${one}`) }))}
        onChange={(since) => set({ since })}
      />
      {isNarrowed(filter) && (
        <Button kind="ghost" icon={X} onClick={() => onChange({})}>
          {t("clear")}
        </Button>
      )}
    </div>
  );
}
