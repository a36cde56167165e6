import { expect, test } from "vitest";

import { ownSchema, tokenBody, tokenSchema, userSchema, withArea } from "./people";

const token = { name: " ci ", reach: "areas", scopes: [] as string[], expiry: "never" } as const;

test("a token for areas needs one", () => {
  expect(tokenSchema.safeParse(token).error?.issues[0]).toMatchObject({
    path: ["scopes"],
  });
  expect(tokenSchema.safeParse({ ...token, scopes: ["keys:read"] }).success).toBe(true);
});

test("a token is asked for as the API has it", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(tokenBody({ ...token, reach: "read", expiry: "30d" }, now)).toEqual({
    name: "ci",
    scopes: ["read"],
    expires_at: "2026-01-31T00:00:00.000Z",
  });
  expect(tokenBody({ ...token, scopes: ["keys:write"] }, now)).toMatchObject({
    scopes: ["keys:write"],
    expires_at: null,
  });
});

test("an area has one scope at most", () => {
  expect(withArea(["keys:read", "channels:read"], "keys", "write")).toEqual([
    "channels:read",
    "keys:write",
  ]);
  expect(withArea(["keys:read"], "keys", "")).toEqual([]);
});

test("passwords are long, and typed twice alike", () => {
  expect(userSchema.safeParse({ name: "a", role: "owner", password: "short" }).success).toBe(
    false,
  );
  const own = { current: "x", password: "long enough one", again: "long enough two" };
  expect(ownSchema.safeParse(own).error?.issues[0]).toMatchObject({ path: ["again"] });
});
