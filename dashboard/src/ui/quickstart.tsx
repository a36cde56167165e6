/** What to paste so that a client uses this router. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { servedQuery } from "@/api/models";
import { statusQuery } from "@/api/status";
import { clients, clientTitles, clientUrl, snippetsFor, type Client } from "@/lib/snippets";
import { Snippet } from "./copy";
import { Tabs } from "./tabs";

export function QuickStart({ secret }: { secret: string }) {
  const { t } = useTranslation();
  const [client, setClient] = useState<Client>("claude");
  const { data: status } = useQuery(statusQuery);
  const { data: models } = useQuery(servedQuery);
  const plane = status?.planes.find((one) => one.connected && one.client_url);
  const url = clientUrl(plane?.client_url, location);
  const model =
    models?.find((one) => !one.model.includes("*"))?.model ?? "claude-sonnet-4-5";
  return (
    <Tabs
      label={t("client")}
      value={client}
      onChange={setClient}
      items={clients.map((value) => ({ value, label: clientTitles[value] }))}
    >
      <div className="space-y-3">
        {snippetsFor(client, url, secret, model).map(({ file, text }) => (
          <div key={text}>
            {file && <p className="mb-1 font-mono text-2xs text-muted">{file}</p>}
            <Snippet text={text} />
          </div>
        ))}
      </div>
    </Tabs>
  );
}
