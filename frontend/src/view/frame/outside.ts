/** Tells of a press outside of the element, as long as it is there. */
export function outside(node: HTMLElement, onpress: () => void): { destroy(): void } {
  const hear = (event: PointerEvent): void => {
    if (event.target instanceof Node && !node.contains(event.target)) {
      onpress();
    }
  };
  document.addEventListener('pointerdown', hear);
  return { destroy: () => document.removeEventListener('pointerdown', hear) };
}
