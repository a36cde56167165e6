/**
 * Texts: src/i18n/<language>/<namespace>.json, a namespace per page.  Each file
 * is fetched with the page that needs it (see app/page.ts); those of the frame
 * and of the first page come with the scripts.
 */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import en from "./en/common.json";
import enOverview from "./en/overview.json";
import zh from "./zh-CN/common.json";
import zhOverview from "./zh-CN/overview.json";

export const languages = { en: "English", "zh-CN": "简体中文" } as const;
export type Language = keyof typeof languages;

const files = import.meta.glob<{ default: Record<string, unknown> }>([
  "./*/*.json",
  "!./*/{common,overview}.json",
]);

async function read(language: string, namespace: string) {
  const file = files[`./${language}/${namespace}.json`];
  if (!file) throw new Error(`no texts: ${language}/${namespace}`);
  return (await file()).default;
}

const STORED = "routex.language";

function preferred(): Language {
  const known = Object.keys(languages) as Language[];
  const stored = localStorage.getItem(STORED);
  if (known.includes(stored as Language)) return stored as Language;
  return navigator.languages.some((one) => one.toLowerCase().startsWith("zh"))
    ? "zh-CN"
    : "en";
}

export function startTexts() {
  i18next.on("languageChanged", (language) => {
    document.documentElement.lang = language;
  });
  return i18next
    .use({
      type: "backend",
      init() {},
      read(language: string, namespace: string, done: Done) {
        read(language, namespace).then(
          (texts) => done(null, texts),
          (error: Error) => done(error, null),
        );
      },
    } as const)
    .use(initReactI18next)
    .init({
      lng: preferred(),
      // Those are there when this returns.
      initAsync: false,
      partialBundledLanguages: true,
      resources: {
        en: { common: en, overview: enOverview },
        "zh-CN": { common: zh, overview: zhOverview },
      },
      supportedLngs: Object.keys(languages),
      load: "currentOnly",
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    });
}

type Done = (error: Error | null, texts: Record<string, unknown> | null) => void;

export async function setLanguage(language: Language) {
  localStorage.setItem(STORED, language);
  await i18next.changeLanguage(language);
}
