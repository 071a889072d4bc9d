/** Below this width, in CSS pixels, what the frame can spare goes into its menu. */
const NARROW = '(max-width: 959px)';

/** How much room the window has, where that decides what is on the screen at all. */
export class Width {
  narrow = $state(false);

  watch(match: (query: string) => MediaQueryList): () => void {
    const query = match(NARROW);
    const read = (): void => {
      this.narrow = query.matches;
    };
    read();
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }
}
