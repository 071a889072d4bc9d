import { describe, expect, it } from 'vitest';

import { session } from '../../tests/fixture/mesh';
import { Clock } from './clock.svelte';
import { Feed } from './feed.svelte';

describe('the time until writes are locked', () => {
  it('is never more than what was granted, though the clock ticks only once a second', () => {
    const clock = new Clock();
    const feed = new Feed(clock);
    feed.setSession(
      session({ writes: { armed: true, remaining_s: 900, needs_name: false, forbidden: false } }),
    );
    clock.now = feed.sessionAt - 999;
    expect(feed.armedFor).toBe(900);
    clock.now = feed.sessionAt + 10_000;
    expect(feed.armedFor).toBe(890);
    expect(feed.armed).toBe(true);
    clock.now = feed.sessionAt + 900_000;
    expect(feed.armed).toBe(false);
  });
});
