// When the next segment is due: when its first batch has waited for the interval, or sooner where the last
// segment was filled sooner. So a busy partition is archived in segments of even size, as it comes.
import type { Segment } from './segment.js';

/** However fast events come. */
const DELAY_MIN_MS = 1_000;

export interface CutDelayOptions {
  readonly segmentIntervalMs: number;
  readonly segmentEventsMax: number;
}

/** From the append of a segment's first batch; `last`: the segment before it. */
export function cutDelayMs(
  last: Segment | undefined,
  { segmentIntervalMs, segmentEventsMax }: CutDelayOptions,
): number {
  // One that is far from full tells no rate: it may hold a single moment.
  if (last === undefined || last.events < segmentEventsMax / 2) return segmentIntervalMs;
  const msPerEvent = (last.lastAppendedAt - last.firstAppendedAt) / last.events;
  return Math.min(Math.max(msPerEvent * segmentEventsMax, DELAY_MIN_MS), segmentIntervalMs);
}
