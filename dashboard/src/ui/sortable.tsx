/**
 * A list whose order people make, by pointer, touch or keyboard:
 *
 *   <Sortable items={rules} idOf={(r) => r.id} nameOf={(r) => r.name} onMove={save}>
 *     {(rule, handle) => <div>{handle} {rule.name}</div>}
 *   </Sortable>
 */
import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DragEndEvent,
} from "@dnd-kit/core";
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { GripVertical } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cn } from "@/lib/cn";

interface Props<T> {
  items: T[];
  idOf: (item: T) => string;
  nameOf: (item: T) => string;
  /** All of them in their new order, and what was moved. */
  onMove: (items: T[], moved: T) => void;
  disabled?: boolean;
  children: (item: T, handle: ReactNode) => ReactNode;
}

function Item({
  id,
  name,
  disabled,
  children,
}: {
  id: string;
  name: string;
  disabled?: boolean;
  children: (handle: ReactNode) => ReactNode;
}) {
  const { t } = useTranslation();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } =
    useSortable({ id, disabled });
  const handle = (
    <button
      ref={setActivatorNodeRef}
      {...attributes}
      {...listeners}
      disabled={disabled}
      aria-label={t("reorder.handle", { name })}
      className="grid size-6 shrink-0 cursor-grab touch-none place-items-center rounded text-muted hover:bg-hover hover:text-text active:cursor-grabbing disabled:invisible"
    >
      <GripVertical aria-hidden className="size-4" />
    </button>
  );
  return (
    <li
      ref={setNodeRef}
      style={{ transform: CSS.Translate.toString(transform), transition }}
      className={cn(
        "relative bg-surface",
        isDragging && "z-10 rounded-md shadow-pop",
      )}
    >
      {children(handle)}
    </li>
  );
}

export function Sortable<T>({
  items,
  idOf,
  nameOf,
  onMove,
  disabled,
  children,
}: Props<T>) {
  const { t } = useTranslation();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const ids = items.map(idOf);
  const words = (key: "lifted" | "moved" | "dropped", id: unknown, over: unknown) => {
    const item = items[ids.indexOf(String(id))];
    return t(`reorder.${key}`, {
      name: item ? nameOf(item) : "",
      at: ids.indexOf(String(over ?? id)) + 1,
      count: ids.length,
    });
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => words("lifted", active.id, active.id),
    onDragOver: ({ active, over }) => words("moved", active.id, over?.id),
    onDragEnd: ({ active, over }) => words("dropped", active.id, over?.id),
    onDragCancel: ({ active }) =>
      t("reorder.cancelled", {
        name: nameOf(items[ids.indexOf(String(active.id))]!),
      }),
  };
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    const from = ids.indexOf(String(active.id));
    const to = ids.indexOf(String(over?.id ?? active.id));
    if (from !== to) onMove(arrayMove(items, from, to), items[from]!);
  };

  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
      accessibility={{
        announcements,
        screenReaderInstructions: { draggable: t("reorder.help") },
      }}
    >
      <SortableContext items={ids} strategy={verticalListSortingStrategy}>
        <ul className="divide-y divide-line">
          {items.map((item) => (
            <Item
              key={idOf(item)}
              id={idOf(item)}
              name={nameOf(item)}
              disabled={disabled}
            >
              {(handle) => children(item, handle)}
            </Item>
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}
