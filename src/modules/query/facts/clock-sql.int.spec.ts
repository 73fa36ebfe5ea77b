// What clocks and calendars show at events, held to Intl, over the days on which clocks are changed.
import type { Pool } from 'pg';
import { askFacts } from '../../../../test/asking-facts.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  startReadModels,
  type GivenSession,
  insertSessions,
  isCounted,
  isPageview,
} from '../../../../test/read-model-rows.js';

const SITE = 'site-a';
const FROM = Date.parse('2026-10-20T00:00:00Z');
const TO = Date.parse('2026-11-04T00:00:00Z');
const METRICS = ['visitors', 'visits', 'pageviews', 'events'];
const DATE_RANGE = [new Date(FROM).toISOString(), new Date(TO).toISOString()];
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Dimension → what Intl calls it, and how it is written here. */
const PARTS: Readonly<Record<string, readonly [Intl.DateTimeFormatPartTypes, (text: string) => string]>> = {
  'event:minute_of_hour': ['minute', (text) => text.padStart(2, '0')],
  'event:hour_of_day': ['hour', (text) => text.padStart(2, '0')],
  'event:day_of_week': ['weekday', (text) => String(WEEKDAYS.indexOf(text) + 1)],
  'event:day_of_month': ['day', (text) => text.padStart(2, '0')],
  'event:month_of_year': ['month', (text) => text.padStart(2, '0')],
};

let postgres: { pool: Pool; stop(): Promise<void> };
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startReadModels();
  sessions = randomSessions({ seed: 31, site: SITE, count: 500, from: FROM, to: TO });
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

function shownAt(at: number, dimension: string, zone: string): string {
  if (dimension === 'event:date') {
    const [month, day] = ['event:month_of_year', 'event:day_of_month'].map((part) => shownAt(at, part, zone));
    return `2026-${month}-${day}`;
  }
  const [type, write] = PARTS[dimension]!;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  });
  return write(format.formatToParts(at).find((part) => part.type === type)!.value);
}

function counted(dimensions: readonly string[], zone: string) {
  const rows = new Map<
    string,
    { visitors: Set<bigint>; visits: Set<GivenSession>; pageviews: number; events: number }
  >();
  for (const session of sessions.filter(({ bot }) => !bot)) {
    for (const event of session.events.filter((one) => isCounted(one) && one.at >= FROM && one.at < TO)) {
      const key = JSON.stringify(dimensions.map((dimension) => shownAt(event.at, dimension, zone)));
      const row = rows.get(key) ?? { visitors: new Set(), visits: new Set(), pageviews: 0, events: 0 };
      rows.set(key, row);
      row.visitors.add(event.visitor ?? session.visitor);
      row.visits.add(session);
      row.events++;
      if (isPageview(event)) row.pageviews++;
    }
  }
  return [...rows].map(([key, row]) => ({
    dimensions: JSON.parse(key) as readonly string[],
    metrics: [row.visitors.size, row.visits.size, row.pageviews, row.events],
  }));
}

const sorted = <T extends { readonly dimensions: readonly string[] }>(rows: readonly T[]) =>
  [...rows].sort((a, b) => (a.dimensions.join() < b.dimensions.join() ? -1 : 1));

it.each([
  ['Europe/Berlin', ['event:hour_of_day']],
  ['America/St_Johns', ['event:minute_of_hour']],
  ['Asia/Kathmandu', ['event:day_of_week', 'event:hour_of_day']],
  ['America/New_York', ['event:month_of_year', 'event:day_of_month']],
  ['UTC', ['event:day_of_week']],
])('in %s groups by %j', async (zone, dimensions) => {
  const { rows } = await askFacts(
    { pool: postgres.pool, site: SITE, zone },
    { metrics: METRICS, date_range: DATE_RANGE, dimensions },
  );
  expect(rows.length).toBeGreaterThan(1);
  expect(sorted(rows)).toEqual(sorted(counted(dimensions, zone)));
});

it('counts visitors of all days once', async () => {
  const { rows } = await askFacts(
    { pool: postgres.pool, site: SITE, zone: 'UTC' },
    { metrics: ['visitors'], date_range: DATE_RANGE, dimensions: ['event:hour_of_day'] },
  );
  const byDay = await askFacts(
    { pool: postgres.pool, site: SITE, zone: 'UTC' },
    { metrics: ['visitors'], date_range: DATE_RANGE, dimensions: ['time:day', 'event:hour_of_day'] },
  );
  const sum = (all: typeof rows) => all.reduce((total, { metrics }) => total + Number(metrics[0]), 0);
  expect(sum(rows)).toBeLessThan(sum(byDay.rows));
});

it.each([
  ['UTC', [['is', 'event:hour_of_day', ['10', '11']]], ['event:hour_of_day'], /^1[01]$/],
  ['Europe/Berlin', [['is_not', 'event:day_of_week', ['6', '7']]], ['event:day_of_week'], /^[1-5]$/],
  ['Asia/Kathmandu', [['matches', 'event:date', ['^2026-10-2[2-4]$']]], ['event:date'], /^2026-10-2[2-4]$/],
])('in %s filters by %j', async (zone, filters, dimensions, kept) => {
  const { rows } = await askFacts(
    { pool: postgres.pool, site: SITE, zone },
    { metrics: METRICS, date_range: DATE_RANGE, dimensions, filters },
  );
  const expected = counted(dimensions, zone).filter((row) => kept.test(row.dimensions[0]!));
  expect(expected.length).toBeGreaterThan(1);
  expect(sorted(rows)).toEqual(sorted(expected));
});

it('tells whoever did something at an hour', async () => {
  const { rows } = await askFacts(
    { pool: postgres.pool, site: SITE, zone: 'Europe/Berlin' },
    {
      metrics: ['visits'],
      date_range: DATE_RANGE,
      filters: [['has_done', ['is', 'event:hour_of_day', ['08']]]],
    },
  );
  const hour = counted(['event:hour_of_day'], 'Europe/Berlin').find(({ dimensions: [at] }) => at === '08')!;
  expect(hour.metrics[1]).toBeGreaterThan(1);
  expect(rows[0]!.metrics).toEqual([hour.metrics[1]]);
});
