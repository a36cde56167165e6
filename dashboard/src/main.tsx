import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { onSignedOut } from "./api/client";
import { newQueryClient } from "./api/query";
import { forgetSession, sessionQuery } from "./api/session";
import { fetchFirst } from "./app/page";
import { newRouter } from "./app/router";
import { startTexts } from "./i18n";

const queryClient = newQueryClient();
const router = newRouter(queryClient);

onSignedOut(() => {
  forgetSession(queryClient);
  void router.invalidate();
});

void queryClient.prefetchQuery(sessionQuery);
void startTexts();
fetchFirst(router);
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
