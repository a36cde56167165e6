import { expect, test } from "vitest";

import { stateOf } from "./state";

const channel = (troubles: object[], status = "enabled", keys = 2) =>
  ({
    status,
    keys: Array.from({ length: keys }, (_, i) => ({
      id: `k${i}`,
      status: "enabled",
    })),
    availability: { troubled: troubles.length > 0, troubles },
  }) as never;

test("who does not work on purpose has no trouble", () => {
  const state = stateOf(channel([{ reason: "failing", until: null }], "paused"));
  expect(state).toMatchObject({ tone: "neutral", trouble: null });
});

test("one key of two in trouble is a warning", () => {
  const state = stateOf(
    channel([{ reason: "credential_refused", until: null, key: "k0" }]),
  );
  expect(state).toMatchObject({ tone: "warn", keysInTrouble: 1 });
});

test("all keys refused: it is down", () => {
  const state = stateOf(
    channel([
      { reason: "credential_refused", until: null, key: "k0" },
      { reason: "credential_refused", until: null, key: "k1" },
    ]),
  );
  expect(state).toMatchObject({ tone: "bad", keysInTrouble: 0 });
});

test("what lasts longest says when it is back", () => {
  const state = stateOf(
    channel([
      { reason: "overloaded", until: "2026-01-01T00:00:00Z" },
      { reason: "rate_limited", until: "2026-01-02T00:00:00Z" },
    ]),
  );
  expect(state).toMatchObject({
    trouble: "rate_limited",
    until: "2026-01-02T00:00:00Z",
  });
});
