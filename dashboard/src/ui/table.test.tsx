import { fireEvent, render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";

import { DataTable, type Column } from "./table";

interface Row {
  name: string;
  size: number | null;
}
const rows: Row[] = [
  { name: "b", size: 2 },
  { name: "c", size: null },
  { name: "a", size: 10 },
];
const columns: Column<Row>[] = [
  { id: "name", header: "Name", cell: (row) => row.name },
  { id: "size", header: "Size", cell: (row) => row.size, sort: (row) => row.size },
];

const names = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("cell")[0]!.textContent);

test("rows are sorted by what the header says; unknown is last either way", () => {
  render(
    <DataTable label="Things" columns={columns} rows={rows} rowKey={(r) => r.name} />,
  );
  expect(names()).toEqual(["b", "c", "a"]);
  expect(screen.queryByRole("button", { name: "Name" })).toBeNull();
  const size = screen.getByRole("columnheader", { name: "Size" });
  fireEvent.click(within(size).getByRole("button"));
  const first = names();
  expect(size.getAttribute("aria-sort")).not.toBeNull();
  fireEvent.click(within(size).getByRole("button"));
  const second = names();
  expect([first, second]).toContainEqual(["b", "a", "c"]);
  expect([first, second]).toContainEqual(["a", "b", "c"]);
});
