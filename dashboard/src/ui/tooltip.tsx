import { cloneElement, useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from "react";

const GAP = 6;
const EDGE = 8;

/** Below `of`, or above where there is no room; never over an edge. */
function place(box: HTMLElement, of: DOMRect) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const x = of.left + of.width / 2 - width / 2;
  const below = of.bottom + GAP;
  const y = below + height + EDGE > innerHeight ? of.top - GAP - height : below;
  box.style.left = `${Math.max(EDGE, Math.min(x, innerWidth - width - EDGE))}px`;
  box.style.top = `${Math.max(EDGE, y)}px`;
}

/** More words about what is under the pointer or has the focus; Escape hides them. */
export function Tooltip({
  text,
  children,
}: {
  text: ReactNode;
  children: ReactElement<{ "aria-describedby"?: string }>;
}) {
  const id = useId();
  const around = useRef<HTMLSpanElement>(null);
  const box = useRef<HTMLSpanElement>(null);
  const [open, setOpen] = useState(false);

  useEffect(() => {
    if (!open || !box.current) return;
    box.current.showPopover();
    const of = around.current?.firstElementChild;
    if (of) place(box.current, of.getBoundingClientRect());
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [open]);

  return (
    <span
      ref={around}
      className="contents"
      onPointerEnter={() => setOpen(true)}
      onPointerLeave={() => setOpen(false)}
      onFocus={() => setOpen(true)}
      onBlur={() => setOpen(false)}
    >
      {cloneElement(children, { "aria-describedby": open ? id : undefined })}
      {open && (
        <span
          ref={box}
          id={id}
          role="tooltip"
          popover="manual"
          className="fixed m-0 max-w-72 animate-fade rounded-md border-0 bg-raised px-2.5 py-1.5 text-xs text-text shadow-pop"
        >
          {text}
        </span>
      )}
    </span>
  );
}
