// By how much the clock at a site is ahead of UTC, and from when: what turns the times of a range into
// what that clock shows. Pure.
import { Temporal } from 'temporal-polyfill';
import type { Range } from './date-range.js';

export interface WallClock {
  /** Epoch milliseconds, ascending; the first is the range's beginning. */
  readonly since: readonly number[];
  /** Milliseconds ahead of UTC, from each of those instants on. */
  readonly aheadMs: readonly number[];
}

const NANOSECONDS_A_MS = 1_000_000;
/** Clocks change twice a year: two hundred years of them, after which no event lies. */
const OFFSETS_MAX = 400;

export function wallClockOf({ from, to }: Range, zone: string): WallClock {
  const since: number[] = [];
  const aheadMs: number[] = [];
  let at: Temporal.ZonedDateTime | null =
    Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone);
  do {
    since.push(at.epochMilliseconds);
    aheadMs.push(Math.round(at.offsetNanoseconds / NANOSECONDS_A_MS));
    at = at.getTimeZoneTransition('next');
  } while (at !== null && at.epochMilliseconds < to && since.length < OFFSETS_MAX);
  return { since, aheadMs };
}
