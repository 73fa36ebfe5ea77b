// How long to wait before the next try of something that failed: doubling, bounded, with jitter so
// that nodes cut off together do not come back together.
const FIRST_WAIT_MS = 100;
const WAIT_MAX_MS = 5_000;

export function backoffMs(failures: number): number {
  const bound = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 16));
  return bound / 2 + Math.random() * (bound / 2);
}
