/**
 * Where the focus was before something opened over the page.  A menu does not
 * count: by the time what it opened is closed again, its items are gone.
 */
let last: HTMLElement | null = null;

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement && !target.closest("[role=menu]")) last = target;
});

export const lastFocused = () => last;

/** To where it was; to the page itself where that is gone. */
export function focusAgain(place: HTMLElement | null) {
  (place?.isConnected ? place : document.getElementById("main"))?.focus({
    preventScroll: true,
  });
}
