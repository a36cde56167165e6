import { expect, test, vi } from "vitest";

import { merge, RequestList, type Page, type Row } from "./list";

const row = (id: number, at = id) =>
  ({ id: String(id), started_at: new Date(at * 1_000).toISOString() }) as Row;
const ids = (rows: Row[]) => rows.map((one) => Number(one.id));
const page = (from: number, to: number, next: string | null = null): Page => ({
  data: Array.from({ length: from - to + 1 }, (_, i) => row(from - i)),
  next,
});

async function open(first: Page, ...more: Page[]) {
  const pages = [first, ...more];
  const fetch = vi.fn(() => Promise.resolve(pages.shift()!));
  const list = new RequestList({ fetch, fits: () => true });
  await list.load();
  return { list, fetch };
}

test("what finishes late stands where it began", () => {
  const rows = [row(5, 50), row(4, 40), row(2, 20)];
  expect(ids(merge(rows, [row(7, 60), row(6, 30)]))).toEqual([7, 5, 4, 6, 2]);
});

test("what is there already is there once", () => {
  expect(ids(merge([row(3), row(2), row(1)], [row(4), row(3)]))).toEqual([
    4, 3, 2, 1,
  ]);
});

test("pages follow each other until there is none", async () => {
  const { list, fetch } = await open(page(9, 7, "a"), page(6, 5, null));
  expect(list.view.older).toBe(true);
  await list.more();
  expect(ids(list.view.rows)).toEqual([9, 8, 7, 6, 5]);
  expect(list.view.older).toBe(false);
  await list.more();
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("who follows sees what finishes; who does not is told how many", async () => {
  const { list } = await open(page(2, 1));
  list.take(row(3));
  list.tick();
  expect(ids(list.view.rows)).toEqual([3, 2, 1]);
  list.follow(false);
  list.take(row(4));
  list.take(row(5));
  list.tick();
  expect(ids(list.view.rows)).toEqual([3, 2, 1]);
  expect(list.view.waiting).toBe(2);
  list.follow(true);
  expect(ids(list.view.rows)).toEqual([5, 4, 3, 2, 1]);
  expect(list.view.waiting).toBe(0);
});

test("too many held back are fetched instead", async () => {
  const { list } = await open(page(2, 1), page(2005, 2000));
  list.follow(false);
  for (let id = 3; id < 2006; id++) list.take(row(id));
  list.tick();
  expect(list.view.waiting).toBe(2003);
  list.follow(true);
  await vi.waitFor(() => expect(list.view.state).toBe("idle"));
  expect(ids(list.view.rows)).toEqual([2005, 2004, 2003, 2002, 2001, 2000]);
});

test("after a break the hole is closed, or all is fetched anew", async () => {
  const { list } = await open(page(3, 1, "a"), page(5, 3, "b"), page(99, 97, "c"), page(99, 97, "c"));
  await list.catchUp();
  expect(ids(list.view.rows)).toEqual([5, 4, 3, 2, 1]);
  await list.catchUp();
  await vi.waitFor(() => expect(ids(list.view.rows)).toEqual([99, 98, 97]));
});

test("a failure says so, and loading again heals it", async () => {
  const fetch = vi
    .fn<() => Promise<Page>>()
    .mockRejectedValueOnce(new Error("no"))
    .mockResolvedValueOnce(page(1, 1));
  const list = new RequestList({ fetch, fits: () => true });
  await list.load();
  expect(list.view.state).toBe("failed");
  await list.load();
  expect(ids(list.view.rows)).toEqual([1]);
});
