import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

import { framePlugin } from "./scripts/frame.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const base =
  /node_modules\/(react|react-dom|scheduler|react-i18next|i18next|openapi-fetch|tailwind-merge|clsx|class-variance-authority|@tanstack\/(router-core|react-router|history|store|react-store|query-core|react-query))\//;

export default defineConfig({
  base: "/dashboard/",
  plugins: [react(), tailwindcss(), framePlugin()],
  resolve: {
    alias: {
      "@": here("./src"),
      // The kept one adds <style> elements, which our CSP forbids.
      "react-style-singleton": here("./src/lib/style_singleton.ts"),
    },
  },
  build: {
    target: "es2023",
    outDir: process.env.OUT_DIR ?? "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the CSP has no data: for scripts and styles
    reportCompressedSize: false,
    // What every page needs is packed best together: what stays the same for long,
    // and what is ours, with all that it needs at once.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What src/start.ts needs, so that it waits for nothing else.
            { name: "runtime", test: /vite\/preload-helper|rolldown/, priority: 3 },
            { name: "base", test: base, priority: 2 },
            { name: "app", test: /src\/main\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
  // `npm run dev` beside a running `routex up`.
  server: {
    proxy: { "/api": process.env.ROUTEX_ADMIN ?? "http://127.0.0.1:8081" },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test_setup.ts"],
  },
});
