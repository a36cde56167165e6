/**
 * Vite's plugin for the first paint: index.html gets the frame of the pages (it
 * looks as src/app/shell.tsx draws it, in every language; styles.css shows one)
 * and the links by which the browser fetches the scripts side by side.
 */
import { readFileSync } from "node:fs";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import type { Plugin } from "vite";

import { nav } from "../src/app/nav.ts";

interface Texts {
  [name: string]: string | Texts;
}
const languages = ["en", "zh-CN"];
const texts = new Map(
  languages.map((one) => [
    one,
    JSON.parse(
      readFileSync(new URL(`../src/i18n/${one}/common.json`, import.meta.url), "utf8"),
    ) as Texts,
  ]),
);

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function said(key: string): string {
  const in_ = (language: string) =>
    key
      .split(".")
      .reduce<string | Texts>((at, name) => (at as Texts)[name]!, texts.get(language)!);
  return languages
    .map((one) => `<span lang="${one}">${escaped(in_(one) as string)}</span>`)
    .join("");
}

const group = ({ label, items }: (typeof nav)[number]) =>
  `<div class="mb-4"><p class="mb-1 px-2 text-2xs font-medium text-muted">${said(label)}</p><ul class="space-y-px">${items
    .map(
      (one) =>
        `<li class="flex h-8 items-center gap-2.5 rounded-md px-2 font-medium text-soft [&_svg]:size-4 [&_svg]:text-muted">${renderToStaticMarkup(
          createElement(one.icon, { "aria-hidden": true }),
        )}${said(one.label)}</li>`,
    )
    .join("")}</ul></div>`;

const mark = `<svg viewBox="0 0 32 32" class="size-6 shrink-0"><rect width="32" height="32" rx="8" fill="var(--accent)"/><path d="M9 23V13.5A4.5 4.5 0 0 1 13.5 9H23M23 9l-4-4M23 9l-4 4M9 23h6.5A4.5 4.5 0 0 0 20 18.5V18" fill="none" stroke="white" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

const frame = () =>
  `<div id="frame" aria-hidden="true" class="fixed inset-0 bg-bg"><div class="flex h-dvh"><aside class="hidden h-dvh w-56 shrink-0 flex-col border-r border-line bg-sunken lg:flex"><div class="flex h-13 shrink-0 items-center gap-2.5 px-5 text-base font-semibold tracking-tight">${mark}Routex</div><div class="flex-1 overflow-hidden px-3 py-2">${nav
    .map(group)
    .join("")}</div></aside><div class="min-w-0 flex-1"><div class="flex h-13 items-center gap-2 border-b border-line px-4 sm:px-6"><span class="lg:hidden">${mark}</span></div></div></div></div>`;

export function framePlugin(): Plugin {
  return {
    name: "frame",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        const wanted = Object.values(bundle ?? {}).filter(
          (one) =>
            one.type === "chunk" &&
            /^assets\/(app|base|runtime|rolldown-runtime)-/.test(one.fileName) &&
            !html.includes(one.fileName),
        );
        return {
          html: html.replace("<!--frame-->", frame()),
          tags: wanted.map(({ fileName }) => ({
            tag: "link",
            attrs: {
              rel: "modulepreload",
              crossorigin: true,
              href: `/dashboard/${fileName}`,
            },
            injectTo: "head" as const,
          })),
        };
      },
    },
  };
}
