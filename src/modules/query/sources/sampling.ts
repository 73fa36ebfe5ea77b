// What a sample of visitors says of all of them. A visitor is in it or not by a hash, with all of its
// sessions: so every counter, which are all sums over visitors, is scaled by the same factor, and
// rates and means are left as they are.
import { SAMPLE_STEPS } from '../facts/facts-query.js';
import type { Counters } from '../vocabulary/counters.js';
import type { Group } from '../report.js';

const ERROR_DECIMALS = 10_000;

/** Null: as many sessions may be looked at. */
export function sampledSteps(sessions: number, sessionsMax: number): number | null {
  if (sessions <= sessionsMax) return null;
  return Math.max(1, Math.floor((SAMPLE_STEPS * sessionsMax) / sessions));
}

export const sampleRate = (steps: number): number => steps / SAMPLE_STEPS;

export function scaled(group: Group, rate: number): Group {
  const counters = Object.entries(group.counters).map(([name, value]: [string, unknown]) => [
    name,
    scaledValue(value, rate),
  ]);
  return { ...group, counters: Object.fromEntries(counters) as Counters };
}

function scaledValue(value: unknown, rate: number): unknown {
  if (typeof value === 'bigint') return BigInt(Math.round(Number(value) / rate));
  return typeof value === 'number' ? Math.round(value / rate) : value;
}

/**
 * The largest standard error of the groups' visitors, as a fraction: each visitor was in the sample with
 * a probability of `rate`, so of N there are n ± √(N·rate·(1 − rate)). Rounded up; 1 where none was.
 */
export function sampleError(sampled: readonly Group[], rate: number): number {
  const fewest = Math.min(...sampled.map(({ counters }) => counters.visitors).filter((count) => count > 0));
  if (!Number.isFinite(fewest)) return 1;
  return Math.ceil(Math.sqrt((1 - rate) / fewest) * ERROR_DECIMALS) / ERROR_DECIMALS;
}
