import type { Selection } from './place.svelte';

/** World point at the picture's top left corner, and screen pixels per world pixel. */
export interface KeptCamera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** How the Mesh screen was left: picture and table go on from there, because a camera never moves by itself. */
export class MeshView {
  /** Where the picture was left; null until it was fitted for the first time. */
  camera: KeptCamera | null = null;
  /** The last selection that was brought into sight, or was there already. */
  shown: Selection | null = null;
  /** What the table lists. */
  rows = $state<'node' | 'edge'>('node');
  sort = $state<{ readonly column: string; readonly down: boolean }>({ column: 'health', down: true });
}
