/**
 * Cuts a stream of text into lines, whatever the borders of its chunks. Lines without content (heartbeats) are dropped;
 * a last line without its newline is not a line yet.
 */
export class LineSplitter {
  private rest = '';

  /** The lines that `chunk` completes, in order. */
  push(chunk: string): string[] {
    const parts = (this.rest + chunk).split('\n');
    this.rest = parts.pop() ?? '';
    return parts.map((line) => line.trim()).filter((line) => line !== '');
  }
}
