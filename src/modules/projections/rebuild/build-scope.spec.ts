import { sliceEvents } from '../../../tracking-log/batch-slices.js';
import {
  type Bounds,
  boundsOf,
  countedHours,
  hoursWithin,
  isWithin,
  mapRanges,
  neededTimes,
  type Ranges,
  spanOf,
  wantedEvents,
} from './build-scope.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OPEN = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
/** A day that begins half an hour before an hour does. */
const KOLKATA: Bounds = { from: 10 * DAY_MS - 5.5 * HOUR_MS, to: 11 * DAY_MS - 5.5 * HOUR_MS };
const UTC: Bounds = { from: 10 * DAY_MS, to: 11 * DAY_MS };
const ranges: Ranges = { usual: UTC, bySite: new Map([['b', KOLKATA]]) };

it('has for a site the bounds that are its own, else those of most sites', () => {
  expect(boundsOf(ranges, 'b')).toBe(KOLKATA);
  expect(boundsOf(ranges, 'a')).toBe(UTC);
});

it('begins with the first instant of its first day and ends before the next of its last', () => {
  expect([UTC.from - 1, UTC.from, UTC.to - 1, UTC.to].map((time) => isWithin(UTC, time))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it('spans what any of the sites has', () => {
  expect(spanOf(ranges)).toEqual({ from: KOLKATA.from, to: UTC.to });
});

it('counts anew every hour of UTC of which some part is of its days', () => {
  expect(hoursWithin(KOLKATA)).toEqual({
    from: 10 * DAY_MS - 6 * HOUR_MS,
    to: 11 * DAY_MS - 5 * HOUR_MS,
  });
  expect(hoursWithin(UTC)).toEqual(UTC);
});

it('counts anew the hours that sessions of its days go on into, of the sites that have such', () => {
  const lastEnds = new Map([
    ['a', UTC.to + 2 * HOUR_MS],
    ['b', KOLKATA.to + 1],
  ]);
  const hours = countedHours(ranges, lastEnds);
  expect(boundsOf(hours, 'a')).toEqual({ from: UTC.from, to: UTC.to + 3 * HOUR_MS });
  // Within the hour that is counted anyway.
  expect(boundsOf(hours, 'b')).toEqual(hoursWithin(KOLKATA));
  expect(boundsOf(hours, 'c')).toEqual(UTC);
});

it.each([hoursWithin, neededTimes])('has no bound where none was asked for', (map) => {
  expect(map(OPEN)).toEqual(OPEN);
});

describe('wanted events', () => {
  const isWanted = (
    of: readonly string[] | null,
    during: Ranges | null,
    events: readonly [string, number][],
    deleted: readonly string[] = [],
  ) => {
    const wanted = wantedEvents({ sites: of, deleted }, during)!;
    const event = { id: 'e', name: 'pageview', receivedAt: 0, visitor: '00a1b2c3d4e5f607' };
    return sliceEvents(events.map(([site, occurredAt]) => ({ ...event, site, occurredAt }))).map(wanted);
  };

  it('are all where all is asked for: nothing is asked of an event', () => {
    expect(wantedEvents({ sites: null, deleted: [] }, null)).toBeNull();
  });

  it('are those of the sites', () => {
    expect(
      isWanted(['a', 'b'], null, [
        ['a', 0],
        ['c', 0],
      ]),
    ).toEqual([true, false]);
  });

  it('are never those of a site that was deleted', () => {
    for (const during of [null, ranges]) {
      const events: [string, number][] = [
        ['a', UTC.from],
        ['b', UTC.from],
      ];
      expect(isWanted(null, during, events, ['a'])).toEqual([false, true]);
    }
  });

  it('are those of the days, of a day before, and of as long after as a session may last', () => {
    const last = UTC.to + 49 * HOUR_MS;
    expect(
      isWanted(null, ranges, [
        ['a', UTC.from - DAY_MS - 1],
        ['a', UTC.from - DAY_MS],
        ['a', last - 1],
        ['a', last],
        ['b', UTC.from - DAY_MS - 1],
      ]),
    ).toEqual([false, true, true, false, true]);
  });

  it('are those of the sites on their days', () => {
    expect(
      isWanted(['b'], ranges, [
        ['a', UTC.from],
        ['b', UTC.from],
        ['b', 0],
      ]),
    ).toEqual([false, true, false]);
  });
});

it('maps the bounds of every site', () => {
  const later = mapRanges(ranges, ({ from, to }) => ({ from: from + 1, to: to + 1 }));
  expect(boundsOf(later, 'a').from).toBe(UTC.from + 1);
  expect(boundsOf(later, 'b').to).toBe(KOLKATA.to + 1);
});
