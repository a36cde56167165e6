import { createRoute } from "@tanstack/react-router";
import i18next from "i18next";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export const steps = ["provider", "strategy", "key", "client"] as const;
export type Step = (typeof steps)[number];

export const welcomeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/welcome",
  validateSearch: (search: Record<string, unknown>): { step?: Step } =>
    steps.includes(search.step as Step) ? { step: search.step as Step } : {},
  ...page("welcome", () => import("./WelcomePage")),
  // The form of a channel speaks the words of its page.
  loader: () => i18next.loadNamespaces(["welcome", "channels"]),
});
