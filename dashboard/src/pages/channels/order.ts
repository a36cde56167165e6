/** Order is priority: higher is asked first. */
import type { Channel } from "@/api/channels";

export interface Move {
  id: string;
  from: number;
  to: number;
}

type Ranked = Pick<Channel, "id" | "priority">;

/**
 * The fewest new priorities that put `list` in its order.  Only the moved one
 * changes where there is room between its neighbours; else those above it make
 * room.
 */
export function movesFor(list: Ranked[], movedId: string): Move[] {
  const at = list.findIndex((one) => one.id === movedId);
  const above = list[at - 1]?.priority;
  const below = list[at + 1]?.priority;
  const one = (to: number) => [{ id: movedId, from: list[at]!.priority, to }];

  if (above === undefined && below === undefined) return [];
  if (above === undefined) return one(below! + 10);
  if (below === undefined) return one(above - 10);
  if (above - below >= 2) return one(below + Math.floor((above - below) / 2));

  const moves: Move[] = [];
  let floor = below;
  for (let i = at; i >= 0; i--) {
    const { id, priority } = list[i]!;
    if (i < at && priority > floor) break;
    floor += 10;
    if (priority !== floor) moves.push({ id, from: priority, to: floor });
  }
  return moves;
}
