import { describe, expect, it, vi } from 'vitest';

import { update } from '../../tests/fakeBackend';
import { GRAPH, session, source } from '../../tests/fixture/mesh';
import { Clock } from './clock.svelte';
import { Feed } from './feed.svelte';

describe('several contexts', () => {
  const open = { armed: true, remaining_s: 300, needs_name: false, forbidden: false };

  function several(): { clock: Clock; feed: Feed } {
    const clock = new Clock();
    const feed = new Feed(clock);
    const [eu, us] = ['eu', 'us'].map((context) => session({ context, class: 'normal', writes: open }));
    const sources = ['eu', 'us'].map((context) => source('metrics', 'Prometheus', { context }));
    feed.receive(update({ sessions: [eu, us].flatMap((one) => one ?? []), graph: { ...GRAPH, sources } }));
    return { clock, feed };
  }

  it('are armed each for its own time: an answer of one makes none of the others younger', () => {
    const { clock, feed } = several();
    vi.useFakeTimers({ now: feed.receivedAt + 60_000 });
    feed.setSession(session({ context: 'us', writes: { ...open, remaining_s: 900 } }));
    clock.now = Date.now();
    vi.useRealTimers();
    expect(feed.armedForIn(feed.sessionOf('eu'))).toBe(240);
    expect(feed.armedForIn(feed.sessionOf('us'))).toBe(900);
    expect(feed.armedFor).toBe(240);
    expect(feed.armedSessions.map(({ context }) => context)).toEqual(['eu', 'us']);
  });

  it('grow old each for itself, and the whole is old when all are', () => {
    const { feed } = several();
    const late = (context: string) => source('metrics', 'Prometheus', { context, state: 'stale', age_s: 34 });
    const show = (...sources: ReturnType<typeof source>[]): void =>
      feed.receive(update({ sessions: [...feed.sessions], graph: { ...GRAPH, sources } }));
    show(late('eu'), source('metrics', 'Prometheus', { context: 'us' }));
    expect([feed.stale, feed.staleIn('eu'), feed.staleIn('us')]).toEqual([false, true, false]);
    expect(Math.round(feed.age ?? 0)).toBe(4);
    show(late('eu'), late('us'));
    expect(feed.stale).toBe(true);
    expect(Math.round(feed.age ?? 0)).toBe(34);
  });
});

describe('the time until writes are locked', () => {
  it('is never more than what was granted, though the clock ticks only once a second', () => {
    const clock = new Clock();
    const feed = new Feed(clock);
    const writes = { armed: true, remaining_s: 900, needs_name: false, forbidden: false };
    feed.receive(update({ session: session({ writes }) }));
    clock.now = feed.receivedAt - 999;
    expect(feed.armedFor).toBe(900);
    clock.now = feed.receivedAt + 10_000;
    expect(feed.armedFor).toBe(890);
    expect(feed.armed).toBe(true);
    clock.now = feed.receivedAt + 900_000;
    expect(feed.armed).toBe(false);
  });
});
