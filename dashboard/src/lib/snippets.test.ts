import { expect, test } from "vitest";

import { clients, clientUrl, snippetsFor } from "./snippets";

test.each(clients)("%s is told address and key", (client) => {
  const text = snippetsFor(client, "http://router:8080", "rtx_k", "gpt-5")
    .map((one) => one.text)
    .join("\n");
  expect(text).toContain("http://router:8080");
  expect(text).toContain("rtx_k");
});

test("what is pasted into JSON files is JSON", () => {
  for (const client of clients)
    for (const { file, text } of snippetsFor(client, "http://a", "k", 'm"x'))
      if (file?.endsWith(".json")) expect(() => JSON.parse(text)).not.toThrow();
});

const at = (url: string) => new URL(url) as unknown as Location;

test("an address of this machine is not given to other machines", () => {
  const local = at("http://127.0.0.1:8081/dashboard");
  const far = at("https://router.example:8081/dashboard");
  expect(clientUrl("http://127.0.0.1:8080", local)).toBe("http://127.0.0.1:8080");
  expect(clientUrl("http://127.0.0.1:8080", far)).toBe("http://router.example:8080");
  expect(clientUrl("http://0.0.0.0:8080", local)).toBe("http://127.0.0.1:8080");
  expect(clientUrl("http://10.0.0.5:8080", far)).toBe("http://10.0.0.5:8080");
  expect(clientUrl(undefined, far)).toBe("https://router.example:8081");
});
