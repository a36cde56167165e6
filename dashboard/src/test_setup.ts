import { afterEach, beforeAll } from "vitest";

import { startTexts } from "./i18n";

beforeAll(async () => {
  await startTexts();
});
afterEach(() => {
  document.body.innerHTML = "";
});
