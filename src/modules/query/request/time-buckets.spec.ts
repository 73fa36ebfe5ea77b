import { resolveDateRange } from './date-range.js';
import type { TimeDimension } from '../vocabulary/dimensions.js';
import { cutIntoBuckets, granularityFor } from './time-buckets.js';

const rangeOf = (zone: string, form: readonly [string, string]) => {
  const outcome = resolveDateRange(form, { zone, now: 0, earliest: null });
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  return outcome.range;
};

const cut = (dimension: TimeDimension, zone: string, ...form: readonly [string, string]) => {
  const outcome = cutIntoBuckets(dimension, rangeOf(zone, form), { zone });
  if (outcome.outcome !== 'cut') throw new Error(outcome.outcome);
  return outcome.buckets;
};

const hoursOf = ({ bounds }: { readonly bounds: readonly number[] }) =>
  bounds.slice(1).map((bound, index) => (bound - bounds[index]!) / 3_600_000);

describe('hours', () => {
  it('skip the one that summer time skips', () => {
    const { labels, bounds } = cut('time:hour', 'Europe/Berlin', '2026-03-29', '2026-03-29');
    expect(labels).toHaveLength(23);
    expect(labels.slice(0, 4)).toEqual(['00', '01', '03', '04'].map((hour) => `2026-03-29 ${hour}:00:00`));
    expect(new Set(hoursOf({ bounds }))).toEqual(new Set([1]));
  });

  it('make one bucket of the two that look the same when summer time ends', () => {
    const { labels, bounds } = cut('time:hour', 'Europe/Berlin', '2026-10-25', '2026-10-25');
    expect(labels).toHaveLength(24);
    expect(hoursOf({ bounds }).slice(0, 4)).toEqual([1, 1, 2, 1]);
  });

  it('begin on the half or quarter hour of UTC where the zone does', () => {
    for (const [zone, minutes] of [
      ['Asia/Kolkata', 30],
      ['Asia/Kathmandu', 15],
    ] as const) {
      const { labels, bounds } = cut('time:hour', zone, '2026-11-01', '2026-11-02');
      expect(labels).toHaveLength(48);
      expect(new Date(bounds[1]!).getUTCMinutes()).toBe(minutes);
    }
  });

  it('are cut by a range that begins and ends within one', () => {
    const { labels, bounds } = cut('time:hour', 'UTC', '2026-11-01T10:20:00Z', '2026-11-01T12:10:00Z');
    expect(labels).toEqual(['10', '11', '12'].map((hour) => `2026-11-01 ${hour}:00:00`));
    expect(hoursOf({ bounds })).toEqual([2 / 3, 1, 1 / 6]);
  });

  it('of which the clock skips a part are as long as what is left', () => {
    const { labels, bounds } = cut('time:hour', 'Pacific/Chatham', '2026-09-27', '2026-09-27');
    expect(labels.slice(1, 5)).toEqual(['01', '02', '03', '04'].map((hour) => `2026-09-27 ${hour}:00:00`));
    expect(hoursOf({ bounds }).slice(1, 5)).toEqual([1, 0.75, 0.25, 1]);
  });

  it('of a half-hour change of clocks are 30 and 90 minutes', () => {
    expect(hoursOf(cut('time:hour', 'Australia/Lord_Howe', '2026-10-04', '2026-10-04'))[2]).toBe(0.5);
    expect(hoursOf(cut('time:hour', 'Australia/Lord_Howe', '2026-04-05', '2026-04-05'))[1]).toBe(1.5);
  });
});

describe('minutes', () => {
  it('have labels as the clock there shows them', () => {
    const { labels, bounds } = cut(
      'time:minute',
      'Asia/Kathmandu',
      '2026-11-01T18:13:30Z',
      '2026-11-01T18:16:00Z',
    );
    expect(labels).toEqual(['2026-11-01 23:58:00', '2026-11-01 23:59:00', '2026-11-02 00:00:00']);
    expect(bounds.map((bound) => bound % 60_000)).toEqual([30_000, 0, 0, 0]);
  });

  it('that the clock shows twice are two buckets of one name', () => {
    const { labels, bounds } = cut(
      'time:minute',
      'Europe/Berlin',
      '2026-10-25T00:59:00Z',
      '2026-10-25T01:01:00Z',
    );
    expect(labels).toEqual(['2026-10-25 02:59:00', '2026-10-25 02:00:00']);
    expect(bounds[1]).toBe(Date.parse('2026-10-25T01:00:00Z'));
  });

  it('that summer time skips have none', () => {
    expect(
      cut('time:minute', 'Europe/Berlin', '2026-03-29T00:59:00Z', '2026-03-29T01:01:00Z').labels,
    ).toEqual(['2026-03-29 01:59:00', '2026-03-29 03:00:00']);
  });

  it('of a day are as many as it has', () => {
    expect(cut('time:minute', 'Europe/Berlin', '2026-10-25', '2026-10-25').labels).toHaveLength(25 * 60);
  });
});

describe('days, weeks, months and years', () => {
  it('days follow the calendar', () => {
    const { labels, bounds } = cut('time:day', 'America/New_York', '2026-10-31', '2026-11-02');
    expect(labels).toEqual(['2026-10-31', '2026-11-01', '2026-11-02']);
    expect(hoursOf({ bounds })).toEqual([24, 25, 24]);
  });

  it('weeks begin on Monday, a cut first one is labelled by the first day', () => {
    const { labels, bounds } = cut('time:week', 'Europe/Berlin', '2026-10-22', '2026-11-03');
    expect(labels).toEqual(['2026-10-22', '2026-10-26', '2026-11-02']);
    expect(hoursOf({ bounds })).toEqual([4 * 24 + 1, 168, 48]);
  });

  it('a week that begins with the range keeps its Monday', () => {
    expect(cut('time:week', 'UTC', '2026-11-02', '2026-11-08').labels).toEqual(['2026-11-02']);
  });

  it('weeks begin on Sunday where that is said', () => {
    const range = rangeOf('America/New_York', ['2026-10-31', '2026-11-08']);
    const outcome = cutIntoBuckets('time:week', range, { zone: 'America/New_York', weekStart: 'sunday' });
    expect(outcome).toMatchObject({ buckets: { labels: ['2026-10-31', '2026-11-01', '2026-11-08'] } });
  });

  it('years are labelled by their first day', () => {
    const { labels, bounds } = cut('time:year', 'Asia/Kolkata', '2023-06-01', '2025-01-01');
    expect(labels).toEqual(['2023-01-01', '2024-01-01', '2025-01-01']);
    expect(hoursOf({ bounds })[1]).toBe(366 * 24);
  });

  it('months are labelled by their first day', () => {
    expect(cut('time:month', 'Asia/Kathmandu', '2026-01-15', '2026-03-02').labels).toEqual([
      '2026-01-01',
      '2026-02-01',
      '2026-03-01',
    ]);
  });

  it('a day that a zone skipped has no bucket', () => {
    expect(cut('time:day', 'Pacific/Apia', '2011-12-29', '2011-12-31').labels).toEqual([
      '2011-12-29',
      '2011-12-31',
    ]);
  });
});

it('refuses to make more buckets than an answer holds', () => {
  const tenYears = rangeOf('UTC', ['2016-01-01', '2025-12-31']);
  expect(cutIntoBuckets('time:hour', tenYears, { zone: 'UTC' })).toMatchObject({ outcome: 'too-many' });
  expect(cutIntoBuckets('time:day', tenYears, { zone: 'UTC' })).toMatchObject({ outcome: 'cut' });
});

it.each([
  ['2026-10-25', '2026-10-26', 'time:hour'],
  ['2026-10-24', '2026-10-26', 'time:day'],
  ['2026-10-01', '2026-11-09', 'time:day'],
  ['2026-10-01', '2026-11-10', 'time:week'],
  ['2025-11-01', '2026-10-30', 'time:week'],
  ['2025-11-01', '2026-10-31', 'time:month'],
])('time from %s to %s means %s', (first, last, dimension) => {
  expect(granularityFor(rangeOf('Europe/Berlin', [first, last]), 'Europe/Berlin')).toBe(dimension);
});
