import { createRoute } from "@tanstack/react-router";

import { page } from "@/app/page";
import { shellRoute } from "@/app/root";

export interface TenantsSearch {
  /** Whose panel is open. */
  tenant?: string;
  key?: string;
  /** Only this tenant's keys. */
  of?: string;
  find?: string;
}

const text = (value: unknown) =>
  typeof value === "string" && value !== "" ? value : undefined;

export const tenantsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/tenants",
  validateSearch: (search: Record<string, unknown>): TenantsSearch =>
    Object.fromEntries(
      (["tenant", "key", "of", "find"] as const).flatMap((name) => {
        const value = text(search[name]);
        return value ? [[name, value]] : [];
      }),
    ),
  ...page("tenants", () => import("./TenantsPage")),
});
