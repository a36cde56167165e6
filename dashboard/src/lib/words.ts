/**
 * Words of the API in the reader's language.  One that this dashboard does not
 * know yet is shown as it is.
 */
import i18next from "i18next";

const plain = (word: string) => word.replaceAll("_", " ");

export const troubleWord = (reason: string) =>
  i18next.t(`trouble.${reason}` as "trouble.failing", {
    ns: "common",
    defaultValue: plain(reason),
  });

/** What to do about an error with this code. */
export const adviceFor = (code: string) =>
  i18next.t(`errors.${code}` as "errors.internal", {
    ns: "common",
    defaultValue: i18next.t("errors.internal", { ns: "common" }),
  });
