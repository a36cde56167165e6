import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import type { Key } from "@/api/tenants";
import { formatTime } from "@/lib/format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Select } from "@/ui/field";
import { Failure } from "@/ui/states";
import { rotateKey, useTenantActions } from "./actions";
import { NewSecret } from "./NewSecret";

const overlaps = [
  ["none", 0],
  ["hour", 3_600],
  ["day", 86_400],
  ["week", 604_800],
  ["month", 2_592_000],
] as const;

/** A new text for a key; the old one may go on for a while. */
export default function Rotate({
  secret: key,
  onClose,
}: {
  secret: Key;
  onClose: () => void;
}) {
  const { t } = useTranslation(["tenants", "common"]);
  const { refresh } = useTenantActions();
  const [overlap, setOverlap] = useState<number>(86_400);
  const [made, setMade] = useState<Schemas["NewKey"] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const rotate = async () => {
    setBusy(true);
    setError(null);
    try {
      setMade((await rotateKey(key.id, overlap)).data);
      await refresh();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  if (made) return <NewSecret rotated made={made} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("rotate_title", { name: key.name })}
      description={t("rotate_hint")}
      footer={
        <>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button
            kind={overlap === 0 ? "danger" : "primary"}
            busy={busy}
            onClick={() => void rotate()}
          >
            {t("rotate")}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <Field label={t("overlap")} hint={t("overlap_hint")}>
          {(given) => (
            <Select
              {...given}
              value={overlap}
              onChange={(event) => setOverlap(Number(event.target.value))}
            >
              {overlaps.map(([name, seconds]) => (
                <option key={name} value={seconds}>
                  {t(`overlap_of.${name}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <ul className="space-y-1.5 rounded-md border border-line bg-sunken px-3 py-2.5 text-xs text-soft">
          <li>
            {overlap === 0
              ? t("rotate_now", { last4: key.last4 })
              : t("rotate_later", {
                  last4: key.last4,
                  time: formatTime(Date.now() + overlap * 1_000),
                })}
          </li>
          {key.previous && (
            <li>{t("rotate_previous", { last4: key.previous.last4 })}</li>
          )}
          <li>{t("rotate_keeps")}</li>
        </ul>
        {error !== null && <Failure error={error} />}
      </div>
    </Dialog>
  );
}
