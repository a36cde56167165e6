import { ArrowLeft } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Channel } from "@/api/channels";
import type { Schemas } from "@/api/client";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Failure } from "@/ui/states";
import { useAdding } from "./adding";
import { MainFields, MoreFields } from "./fields";
import { Presets } from "./Presets";
import { TestVerdict } from "./TestPanel";

interface Props {
  providers: Schemas["Provider"][];
  taken: Channel[];
  onClose: () => void;
}

export default function AddChannel({ providers, taken, onClose }: Props) {
  const { t } = useTranslation(["channels", "common"]);
  const { form, provider, choose, made, result, error, submit, useAnyway } =
    useAdding(taken, onClose);

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={provider ? t("add_of", { provider: provider.title }) : t("add")}
      description={provider ? provider.help : t("add_hint")}
      className={provider ? undefined : "max-w-2xl"}
      footer={
        provider && (
          <>
            {!made && (
              <Button
                kind="ghost"
                icon={ArrowLeft}
                className="mr-auto"
                onClick={() => choose(null)}
              >
                {t("other_provider")}
              </Button>
            )}
            {made && result && !result.ok && (
              <Button onClick={() => void useAnyway()}>
                {t("use_anyway")}
              </Button>
            )}
            <Button
              kind="primary"
              type="submit"
              form="add-channel"
              busy={form.formState.isSubmitting}
            >
              {t(made ? "test_again" : "add_and_test")}
            </Button>
          </>
        )
      }
    >
      {!provider ? (
        <Presets providers={providers} onChoose={choose} />
      ) : (
        <form
          id="add-channel"
          noValidate
          onSubmit={(event) => void submit(event)}
          className="space-y-4"
        >
          <MainFields form={form} provider={provider} />
          <MoreFields form={form} />
          {result && !result.ok && (
            <div className="space-y-1.5">
              <TestVerdict result={result} />
              <p className="text-xs text-muted">{t("kept_paused")}</p>
            </div>
          )}
          {error !== null && <Failure error={error} />}
        </form>
      )}
    </Dialog>
  );
}
