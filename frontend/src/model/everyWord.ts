/** Whether every word of a filter box stands somewhere in a text; case does not count. */
export function hasEveryWord(text: string, filter: string): boolean {
  const all = text.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
