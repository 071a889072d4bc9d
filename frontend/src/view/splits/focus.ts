// Where the focus goes when a step ends and the button of that step is gone or locked.

/** Moves the focus, unless somebody is writing: letters typed into a button would be commands. */
export function moveFocus(to: HTMLElement | null | undefined): void {
  const from = document.activeElement;
  const writing = from instanceof HTMLInputElement && (from.type === 'text' || from.type === 'search');
  if (to !== null && to !== undefined && !writing) {
    to.focus();
  }
}

/** As an action: takes the focus when the element appears. */
export function takeFocus(node: HTMLElement): void {
  moveFocus(node);
}

/** Whether the focus is nowhere, because what had it was taken away. */
export function focusIsLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
