import { useSyncExternalStore } from "react";

export const themes = ["light", "dark", "system"] as const;
export type Theme = (typeof themes)[number];

const STORED = "routex.theme"; // public/theme.js reads it, too
const system = matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

function stored(): Theme {
  const text = localStorage.getItem(STORED);
  return themes.includes(text as Theme) ? (text as Theme) : "system";
}

function apply() {
  const theme = stored();
  const dark = theme === "dark" || (theme === "system" && system.matches);
  document.documentElement.classList.toggle("dark", dark);
  watchers.forEach((fn) => fn());
}

system.addEventListener("change", apply);
addEventListener("storage", (event) => {
  if (event.key === STORED) apply();
});

export function setTheme(theme: Theme) {
  localStorage.setItem(STORED, theme);
  apply();
}

function watch(fn: () => void) {
  watchers.add(fn);
  return () => watchers.delete(fn);
}

export const useTheme = () => useSyncExternalStore(watch, stored);
/** Which of the two is on the screen now. */
export const useIsDark = () =>
  useSyncExternalStore(watch, () =>
    document.documentElement.classList.contains("dark"),
  );
