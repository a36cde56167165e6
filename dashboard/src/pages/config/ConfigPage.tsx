import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { PageHead } from "@/ui/card";
import { Tabs } from "@/ui/tabs";
import { BackupsPart } from "./BackupsPart";
import { ExportPart } from "./ExportPart";
import { ImportPart } from "./ImportPart";
import { parts } from "./route";

const content = {
  export: <ExportPart />,
  import: <ImportPart />,
  backups: <BackupsPart />,
};

export default function ConfigPage() {
  const { t } = useTranslation("config");
  const { part = "export" } = useSearch({ from: "/shell/config" });
  const navigate = useNavigate({ from: "/config" });
  return (
    <>
      <PageHead title={t("title")} hint={t("hint")} />
      <Tabs
        label={t("title")}
        value={part}
        onChange={(next) => void navigate({ search: { part: next }, replace: true })}
        items={parts.map((value) => ({ value, label: t(`part.${value}`) }))}
      >
        {content[part]}
      </Tabs>
    </>
  );
}
