// The slice of a long list that is worth mounting.

export interface Slice {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
  /** Pixels above the first mounted row. */
  readonly offset: number;
  /** Pixels of the whole list. */
  readonly height: number;
}

export function sliceOf(
  count: number,
  rowHeight: number,
  scrollTop: number,
  viewHeight: number,
  overscan = 6,
): Slice {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - overscan));
  const end = Math.min(count, Math.ceil((scrollTop + viewHeight) / rowHeight) + overscan);
  return { first, end: Math.max(first, end), offset: first * rowHeight, height: count * rowHeight };
}

/** Where to scroll so that row `index` is inside the view; the present position if it already is. */
export function scrollToRow(index: number, rowHeight: number, scrollTop: number, viewHeight: number): number {
  const top = index * rowHeight;
  if (top < scrollTop) {
    return top;
  }
  return top + rowHeight > scrollTop + viewHeight ? top + rowHeight - viewHeight : scrollTop;
}
