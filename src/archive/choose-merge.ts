// Which neighbouring segments are worth being one: many and small, together no larger than a segment may be.
// What is written again ends up in a segment at least twice as large, so that an event is written again a
// logarithmic number of times, however many segments come.
import type { Segment } from './segment.js';

/** Fewer are left alone: merging reads and writes them all. */
const SEGMENTS_MIN = 8;

export interface MergeLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** The longest such run, the earliest of several; undefined when there is none. */
export function chooseMerge(
  segments: readonly Segment[],
  limits: MergeLimits,
): readonly Segment[] | undefined {
  let longest: readonly Segment[] | undefined;
  for (let start = 0; start < segments.length; start++) {
    const run = runFrom(segments, start, limits);
    if (run.length >= SEGMENTS_MIN && run.length > (longest?.length ?? 0)) longest = run;
  }
  return longest;
}

/** The longest run from there whose largest segment is at most half of it. */
function runFrom(
  segments: readonly Segment[],
  start: number,
  { eventsMax, bytesMax }: MergeLimits,
): readonly Segment[] {
  let [events, bytes, largest, end] = [0, 0, 0, start];
  for (let index = start; index < segments.length; index++) {
    const segment = segments[index]!;
    const isNeighbour = index === start || segments[index - 1]!.last === segment.after;
    if (!isNeighbour || events + segment.events > eventsMax || bytes + segment.bytes > bytesMax) break;
    events += segment.events;
    bytes += segment.bytes;
    largest = Math.max(largest, segment.events);
    if (2 * largest <= events || events === 0) end = index + 1;
  }
  return segments.slice(start, end);
}
