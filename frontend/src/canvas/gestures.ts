// Pointer and wheel on the picture: drag and wheel pan, Ctrl or Cmd with the wheel (and a pinch, which browsers report
// as the same) zooms at the pointer.

export interface GestureEvents {
  pan(dx: number, dy: number): void;
  zoom(factor: number, x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  /** A press without a drag, and not on a DOM part that handles its own. */
  click(x: number, y: number): void;
}

const DRAG_THRESHOLD_PX = 4;
const LINE_PX = 32;

export class Gestures {
  private readonly host: HTMLElement;
  private readonly events: GestureEvents;
  private readonly ended = new AbortController();
  private from: { x: number; y: number; dragged: boolean; onPart: boolean } | null = null;

  constructor(host: HTMLElement, events: GestureEvents) {
    this.host = host;
    this.events = events;
    const { signal } = this.ended;
    host.addEventListener('pointerdown', (event) => this.down(event), { signal });
    host.addEventListener('pointermove', (event) => this.move(event), { signal });
    host.addEventListener('pointerup', (event) => this.up(event), { signal });
    host.addEventListener('pointercancel', () => this.cancel(), { signal });
    host.addEventListener('pointerleave', () => events.leave(), { signal });
    host.addEventListener('wheel', (event) => this.wheel(event), { signal, passive: false });
    // A drag that began on a card must not press it when it ends there.
    host.addEventListener('click', (event) => this.swallow(event), { signal, capture: true });
  }

  destroy(): void {
    this.ended.abort();
  }

  private down(event: PointerEvent): void {
    if (event.button === 0 || event.button === 1) {
      const onPart = event.target instanceof Element && event.target.closest('button') !== null;
      this.from = { x: event.clientX, y: event.clientY, dragged: false, onPart };
    }
  }

  private move(event: PointerEvent): void {
    const from = this.from;
    if (from === null) {
      this.events.hover(...this.local(event));
      return;
    }
    const dx = event.clientX - from.x;
    const dy = event.clientY - from.y;
    if (!from.dragged && Math.hypot(dx, dy) < DRAG_THRESHOLD_PX) {
      return;
    }
    if (!from.dragged) {
      this.host.setPointerCapture(event.pointerId);
      this.host.classList.add('dragging');
    }
    this.from = { ...from, x: event.clientX, y: event.clientY, dragged: true };
    this.events.pan(dx, dy);
  }

  private up(event: PointerEvent): void {
    const from = this.from;
    this.host.classList.remove('dragging');
    if (from !== null && !from.dragged) {
      this.from = null;
      if (!from.onPart && event.button === 0) {
        this.events.click(...this.local(event));
      }
      return;
    }
    // The click event of a drag comes right after this one and is swallowed there.
    setTimeout(() => {
      this.from = null;
    });
  }

  private cancel(): void {
    this.host.classList.remove('dragging');
    this.from = null;
  }

  private swallow(event: MouseEvent): void {
    if (this.from?.dragged === true) {
      event.stopPropagation();
      event.preventDefault();
    }
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    if (event.ctrlKey || event.metaKey) {
      this.events.zoom(Math.exp(-event.deltaY * unit * 0.004), ...this.local(event));
    } else if (event.shiftKey && event.deltaX === 0) {
      this.events.pan(-event.deltaY * unit, 0);
    } else {
      this.events.pan(-event.deltaX * unit, -event.deltaY * unit);
    }
  }

  private local(event: MouseEvent): [number, number] {
    const rect = this.host.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  }
}
