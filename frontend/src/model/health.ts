// Health as words, order and glyph. Thresholds live in the engine; here it is only read.

export const HEALTHS = ['unknown', 'idle', 'ok', 'degraded', 'failing'] as const;
export type Health = (typeof HEALTHS)[number];

/** Health of a wire string; a word we do not know is unknown, never ok. */
export function healthOf(text: string): Health {
  return HEALTHS.find((health) => health === text) ?? 'unknown';
}

/** 0 for unknown up to 4 for failing: larger is worse. Also the code used in typed arrays. */
export function healthRank(health: Health): number {
  return HEALTHS.indexOf(health);
}

export function worst(healths: Iterable<Health>): Health {
  let found: Health = 'unknown';
  for (const health of healths) {
    if (healthRank(health) > healthRank(found)) {
      found = health;
    }
  }
  return found;
}

export function isUnhealthy(health: Health): boolean {
  return health === 'degraded' || health === 'failing';
}
