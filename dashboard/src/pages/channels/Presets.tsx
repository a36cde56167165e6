/** Which provider it is; everything else comes with it. */
import { Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { Input } from "@/ui/field";

type Provider = Schemas["Provider"];

export function Presets({
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
