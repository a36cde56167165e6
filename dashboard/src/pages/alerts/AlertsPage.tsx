import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { openAlertsQuery } from "@/api/alerts";
import { PageHead } from "@/ui/card";
import { Tabs } from "@/ui/tabs";
import { OpenAlerts, PastAlerts } from "./AlertList";
import { Audit } from "./Audit";
import { parts } from "./search";
import { Webhooks } from "./Webhooks";

const content = {
  open: <OpenAlerts />,
  past: <PastAlerts />,
  webhooks: <Webhooks />,
  audit: <Audit />,
};

export default function AlertsPage() {
  const { t } = useTranslation("alerts");
  const { part = "open" } = useSearch({ from: "/shell/alerts" });
  const navigate = useNavigate({ from: "/alerts" });
  const { data } = useQuery(openAlertsQuery);
  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <Tabs
        label={t("title")}
        value={part}
        onChange={(next) =>
          void navigate({
            search: next === "open" ? {} : { part: next },
            replace: true,
          })
        }
        items={parts.map((value) => ({
          value,
          label: t(`part.${value}`),
          count: value === "open" ? data?.length : undefined,
        }))}
      >
        {content[part]}
      </Tabs>
    </>
  );
}
