import { expect, test } from "vitest";

import { byNeed, channelNameFor, expiryOf } from "./state";

const now = Date.parse("2026-01-01T12:00:00Z");
const soon = "2026-01-01T12:01:00Z";
const past = "2026-01-01T11:00:00Z";

test("an end that somebody renews is no worry", () => {
  const valid = { token_valid: true, expires_at: soon };
  expect(expiryOf({ ...valid, renewable: true }, now)).toEqual({
    state: "renews",
    seconds: 60,
  });
  expect(expiryOf({ ...valid, renewable: false }, now).state).toBe("ends");
  expect(
    expiryOf({ token_valid: false, renewable: true, expires_at: past }, now).state,
  ).toBe("expired");
});

test("no end is not the same as over", () => {
  const open = { renewable: false, expires_at: null };
  expect(expiryOf({ ...open, token_valid: true }, now).state).toBe("endless");
  expect(expiryOf({ ...open, token_valid: false }, now).state).toBe("expired");
});

test("who needs a person comes first", () => {
  const of = (name: string, status: string) => ({ name, status }) as never;
  const sorted = [
    of("b", "active"),
    of("a", "active"),
    of("z", "needs_login"),
    of("y", "failing"),
  ].sort(byNeed) as { name: string }[];
  expect(sorted.map((one) => one.name)).toEqual(["z", "y", "a", "b"]);
});

test("a channel's name comes of the account's, and is free", () => {
  expect(channelNameFor("work", [])).toBe("work");
  expect(channelNameFor("work", ["work", "work-2"])).toBe("work-3");
  expect(channelNameFor("Jo Doe@example.com", [])).toBe("Jo-Doe");
  expect(channelNameFor("…", [])).toBe("account");
});
