/**
 * A menu whose code comes with its first use (or a little before: when the
 * pointer or the focus is on its button), so that no page has to wait for it.
 */
import {
  cloneElement,
  lazy,
  Suspense,
  useState,
  type ComponentType,
  type ReactElement,
} from "react";

export interface LateMenuProps {
  trigger: ReactElement;
}

export function lateMenu(load: () => Promise<{ default: ComponentType<LateMenuProps> }>) {
  const Menu = lazy(load);
  const prepare = () => void load();
  return function Late({ trigger }: LateMenuProps) {
    const [wanted, setWanted] = useState(false);
    const button = cloneElement(trigger as ReactElement<Record<string, unknown>>, {
      "aria-haspopup": "menu",
      "aria-expanded": false,
      onClick: () => setWanted(true),
      onPointerEnter: prepare,
      onFocus: prepare,
    });
    if (!wanted) return button;
    return (
      <Suspense fallback={button}>
        <Menu trigger={trigger} />
      </Suspense>
    );
  };
}
