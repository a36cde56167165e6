import { expect, test } from "vitest";

import { behindBy, inOrder, rateOf, totalsOf, type Plane } from "./plane";

const plane = (id: string, more: Partial<Plane> = {}): Plane => ({
  id,
  state: "in_sync",
  connected: true,
  in_sync: true,
  software: "0.1.0",
  applied: { epoch: 7, version: 12 },
  rejected: [],
  client_url: "",
  ops_url: "",
  requests: 0,
  active: 2,
  journal: { bytes: 100, records: 3, dropped: 0 },
  rss_bytes: 1_000,
  started_at: null,
  seen_at: null,
  ...more,
});
const published = { epoch: 7, version: 14, items: 1, bytes: 1, trouble: null };

test("those in trouble come first, those that stopped last", () => {
  const list = [
    plane("b"),
    plane("gone", { state: "left", connected: false }),
    plane("a"),
    plane("z", { state: "lost", connected: false }),
  ];
  expect(inOrder(list).map((one) => one.id)).toEqual(["z", "a", "b", "gone"]);
});

test("versions are only compared within an epoch", () => {
  expect(behindBy(plane("a"), published)).toBe(2);
  expect(behindBy(plane("a", { applied: { epoch: 6, version: 99 } }), published)).toBe(
    null,
  );
});

test("what a lost plane said last is not counted, what it lost is", () => {
  const totals = totalsOf([
    plane("a"),
    plane("b", {
      state: "lost",
      connected: false,
      journal: { bytes: 9, records: 9, dropped: 4 },
    }),
    plane("c", { state: "left", connected: false }),
  ]);
  expect(totals).toMatchObject({
    there: 1,
    expected: 2,
    active: 2,
    waiting: 3,
    dropped: 4,
  });
});

test("a rate needs two looks, and no restart between", () => {
  expect(rateOf(undefined, { at: 1_000, requests: 5 })).toBe(null);
  expect(rateOf({ at: 0, requests: 5 }, { at: 2_000, requests: 15 })).toBe(5);
  expect(rateOf({ at: 0, requests: 50 }, { at: 2_000, requests: 1 })).toBe(null);
});
