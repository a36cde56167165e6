import { expect, test } from "vitest";

import { movesFor } from "./order";

const list = (...rows: [string, number][]) =>
  rows.map(([id, priority]) => ({ id, priority }));

const after = (rows: ReturnType<typeof list>, moved: string) => {
  const moves = movesFor(rows, moved);
  const result = rows.map((one) => ({
    ...one,
    priority: moves.find((m) => m.id === one.id)?.to ?? one.priority,
  }));
  for (let i = 1; i < result.length; i++)
    expect(result[i - 1]!.priority).toBeGreaterThanOrEqual(result[i]!.priority);
  return moves;
};

test("only the moved one changes where there is room", () => {
  expect(after(list(["a", 100], ["x", 5], ["b", 50]), "x")).toEqual([
    { id: "x", from: 5, to: 75 },
  ]);
  expect(after(list(["x", 5], ["a", 100]), "x")).toEqual([
    { id: "x", from: 5, to: 110 },
  ]);
  expect(after(list(["a", 100], ["x", 500]), "x")).toEqual([
    { id: "x", from: 500, to: 90 },
  ]);
});

test("without room those above make it, and no more than needed", () => {
  const moves = after(
    list(["z", 900], ["a", 100], ["x", 90], ["b", 100], ["c", 100]),
    "x",
  );
  expect(moves).toEqual([
    { id: "x", from: 90, to: 110 },
    { id: "a", from: 100, to: 120 },
  ]);
});

test("ties are broken: the moved one stands strictly above the next", () => {
  const rows = list(["a", 100], ["x", 100], ["b", 100]);
  const moves = after(rows, "x");
  expect(moves.find((one) => one.id === "x")!.to).toBeGreaterThan(100);
});

test("alone, nothing moves", () => {
  expect(movesFor(list(["x", 1]), "x")).toEqual([]);
});
