import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";

import { Button } from "@/ui/button";
import { Empty, Failure } from "@/ui/states";
import { useArrived } from "./arrived";

/** A page that broke; the rest of the dashboard goes on. */
export function Crash({ error }: ErrorComponentProps) {
  useArrived();
  const router = useRouter();
  return (
    <div className="mx-auto max-w-2xl p-6">
      <Failure error={error} onRetry={() => void router.invalidate()} />
    </div>
  );
}

export function NotFound() {
  useArrived();
  const { t } = useTranslation();
  return (
    <Empty
      icon={Compass}
      as="h1"
      title={t("not_found.title")}
      action={
        <Button asChild>
          <Link to="/">{t("not_found.home")}</Link>
        </Button>
      }
      className="min-h-[60vh] justify-center"
    >
      {t("not_found.text")}
    </Empty>
  );
}
