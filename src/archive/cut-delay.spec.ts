import { cutDelayMs } from './cut-delay.js';
import type { Segment } from './segment.js';

const HOUR_MS = 3_600_000;
const options = { segmentIntervalMs: HOUR_MS, segmentEventsMax: 1_000 };
const filled = (events: number, inMs: number): Segment => ({
  ...{ object: 'o', partition: 0, after: null, first: '1', last: '9', bytes: 1, sha256: '', schema: 1 },
  ...{ events, firstAppendedAt: 5_000, lastAppendedAt: 5_000 + inMs },
});

it.each([
  ['nothing is archived yet', undefined, HOUR_MS],
  ['the last segment was far from full', filled(499, 10_000), HOUR_MS],
  ['it held a single moment', filled(3, 0), HOUR_MS],
  ['it was filled in ten minutes', filled(1_000, 600_000), 600_000],
  ['it was nearly full after ten minutes', filled(800, 600_000), 750_000],
  ['it was filled in no time', filled(1_000, 0), 1_000],
  ['it took longer than the interval', filled(1_000, 5 * HOUR_MS), HOUR_MS],
])('when %s, the next is due after %j', (_, last, delayMs) => {
  expect(cutDelayMs(last, options)).toBe(delayMs);
});
