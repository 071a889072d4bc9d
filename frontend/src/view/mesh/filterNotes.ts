import { unreadWords } from '../../model/query';
import type { Visible } from '../../model/visible';
import { matchesNothing } from '../../model/visible';

/** What is to be said about the text of the filter box; nothing for one that works. */
export function filterNotes(visible: Visible, query: string): string[] {
  return [
    ...unreadWords(query).map(
      (word) =>
        `“${word}” is not understood and counts as a word. Understood: ns:shop cluster:prod-us health:failing err>1% p95>=200ms rps<5`,
    ),
    ...(matchesNothing(visible) ? [`Nothing matches “${query.trim()}”`] : []),
  ];
}
