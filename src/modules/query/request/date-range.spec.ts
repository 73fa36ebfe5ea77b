import {
  type DateRangeForm,
  isDateRangeForm,
  localTimestamp,
  resolveDateRange,
  withoutFuture,
} from './date-range.js';

// A Saturday, 00:30 in Berlin, while it is still Friday in New York.
const NOW = Date.parse('2026-11-20T23:30:00.250Z');

const resolve = (form: DateRangeForm, zone: string, now = NOW) => {
  const outcome = resolveDateRange(form, { zone, now, earliest: Date.parse('2025-12-24T18:15:00Z') });
  if (outcome.outcome === 'refused') return `${outcome.path}: ${outcome.reason}`;
  return [localTimestamp(outcome.range.from, zone), localTimestamp(outcome.range.to, zone)];
};

describe('keywords', () => {
  it.each([
    ['day', '2026-11-21T00:00:00+01:00', '2026-11-22T00:00:00+01:00'],
    ['24h', '2026-11-20T00:30:01+01:00', '2026-11-21T00:30:01+01:00'],
    ['7d', '2026-11-14T00:00:00+01:00', '2026-11-21T00:00:00+01:00'],
    ['28d', '2026-10-24T00:00:00+02:00', '2026-11-21T00:00:00+01:00'],
    ['30d', '2026-10-22T00:00:00+02:00', '2026-11-21T00:00:00+01:00'],
    ['91d', '2026-08-22T00:00:00+02:00', '2026-11-21T00:00:00+01:00'],
    ['1d', '2026-11-20T00:00:00+01:00', '2026-11-21T00:00:00+01:00'],
    ['month', '2026-11-01T00:00:00+01:00', '2026-11-22T00:00:00+01:00'],
    ['6mo', '2026-05-01T00:00:00+02:00', '2026-11-01T00:00:00+01:00'],
    ['12mo', '2025-11-01T00:00:00+01:00', '2026-11-01T00:00:00+01:00'],
    ['1mo', '2026-10-01T00:00:00+02:00', '2026-11-01T00:00:00+01:00'],
    ['year', '2026-01-01T00:00:00+01:00', '2026-11-22T00:00:00+01:00'],
    ['all', '2025-12-24T00:00:00+01:00', '2026-11-22T00:00:00+01:00'],
  ])('%s', (keyword, from, to) => {
    expect(resolve(keyword, 'Europe/Berlin')).toEqual([from, to]);
  });

  it('mean the days of the site, not of UTC', () => {
    expect(resolve('day', 'America/New_York')).toEqual([
      '2026-11-20T00:00:00-05:00',
      '2026-11-21T00:00:00-05:00',
    ]);
    expect(resolve('7d', 'Asia/Kathmandu')).toEqual([
      '2026-11-14T00:00:00+05:45',
      '2026-11-21T00:00:00+05:45',
    ]);
    expect(resolve('all', 'Asia/Kathmandu')).toEqual([
      '2025-12-25T00:00:00+05:45',
      '2026-11-22T00:00:00+05:45',
    ]);
  });

  it('all is today while the site has no session', () => {
    const outcome = resolveDateRange('all', { zone: 'UTC', now: NOW, earliest: null });
    expect(outcome).toEqual({
      outcome: 'resolved',
      range: { from: Date.parse('2026-11-20T00:00:00Z'), to: Date.parse('2026-11-21T00:00:00Z') },
    });
  });

  it('know days of 23 and 25 hours', () => {
    const hours = (now: string, zone: string) => {
      const outcome = resolveDateRange('day', { zone, now: Date.parse(now), earliest: null });
      return outcome.outcome === 'resolved' && (outcome.range.to - outcome.range.from) / 3_600_000;
    };
    expect(hours('2026-03-29T12:00:00Z', 'Europe/Berlin')).toBe(23);
    expect(hours('2026-10-25T12:00:00Z', 'Europe/Berlin')).toBe(25);
    expect(hours('2026-11-01T12:00:00Z', 'America/New_York')).toBe(25);
    expect(hours('2026-04-05T02:00:00Z', 'Australia/Lord_Howe')).toBe(24.5);
    expect(hours('2026-10-25T12:00:00Z', 'UTC')).toBe(24);
  });

  it('begin a day without midnight at its first instant', () => {
    expect(resolve(['2026-04-24', '2026-04-24'], 'Africa/Cairo')).toEqual([
      '2026-04-24T01:00:00+03:00',
      '2026-04-25T00:00:00+03:00',
    ]);
  });
});

describe('two ends', () => {
  it('as dates are days of the site, both included', () => {
    expect(resolve(['2026-10-25', '2026-10-26'], 'Europe/Berlin')).toEqual([
      '2026-10-25T00:00:00+02:00',
      '2026-10-27T00:00:00+01:00',
    ]);
  });

  it('as date-times are instants, the second excluded', () => {
    expect(resolve(['2026-11-01T10:00:00+05:30', '2026-11-01T06:00Z'], 'UTC')).toEqual([
      '2026-11-01T04:30:00+00:00',
      '2026-11-01T06:00:00+00:00',
    ]);
  });

  it.each([
    [['2026-02-30', '2026-03-01'], 'date_range[0]: there is no 2026-02-30'],
    [['2026-01-01', '2026-13-01'], 'date_range[1]: there is no 2026-13-01'],
    [['2026-01-02', '2026-01-01'], 'date_range: must end after it begins'],
    [['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'], 'date_range: must end after it begins'],
    [['1850-01-01', '2026-01-01'], 'date_range: must lie between the years 1970 and 2999'],
    [['2026-01-01', '9999-01-01'], 'date_range: must lie between the years 1970 and 2999'],
  ] as const)('%j is refused', (form, reason) => {
    expect(resolve(form, 'UTC')).toBe(reason);
  });

  it('refuses more days than there are dates', () => {
    expect(resolve('99999d', 'UTC')).toBe('date_range: must lie between the years 1970 and 2999');
  });
});

it.each([
  ['yesterday'],
  ['0d'],
  ['-7d'],
  ['7 d'],
  [['2026-01-01']],
  [['2026-01-01', '2026-01-02T00:00Z']],
  [['2026-01-01T00:00:00', '2026-01-02T00:00:00']],
  [30],
  [null],
])('%j is no date range', (form) => {
  expect(isDateRangeForm(form)).toBe(false);
});

it.each([
  ['day', '2026-11-21T01:00:00+01:00'],
  ['month', '2026-11-21T01:00:00+01:00'],
  ['7d', '2026-11-21T00:00:00+01:00'],
  [['2026-11-01', '2026-11-30'], '2026-12-01T00:00:00+01:00'],
] as const)('%j without the future ends at %s', (form, to) => {
  const context = { zone: 'Europe/Berlin', now: NOW, earliest: null };
  const outcome = resolveDateRange(form, context);
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  const trimmed = withoutFuture(outcome.range, form, context);
  expect(trimmed.from).toBe(outcome.range.from);
  expect(localTimestamp(trimmed.to, 'Europe/Berlin')).toBe(to);
});
