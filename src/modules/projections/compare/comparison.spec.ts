import { sessions } from '../catalog/sessions.projection.js';
import { traffic } from '../catalog/traffic.projection.js';
import { waiting } from '../catalog/waiting.projection.js';
import { countersProjection } from '../projection.js';
import { comparisonOf } from './comparison.js';

const namesOf = (of: ReturnType<typeof comparisonOf>) => of?.metrics.map(({ name }) => name);

it('compares sessions by day of their site, with every column', () => {
  const comparison = comparisonOf(sessions, sessions);
  expect(comparison).toMatchObject({ at: 'started_at', days: 'site', countsVisitors: true });
  expect([...comparison!.key, ...comparison!.columns].sort()).toEqual(Object.keys(sessions.columns).sort());
  expect(comparison!.columnsNotCompared).toEqual([]);
});

it('compares the sums that a counters projection declares, whatever they are', () => {
  const clicks = countersProjection({
    name: 'clicks',
    meaning: 'Clicks by site and UTC hour.',
    columns: { site: 'text', hour: 'timestamptz', partition: 'smallint', clicks: 'bigint', cents: 'bigint' },
    primaryKey: ['site', 'hour', 'partition'],
    sums: ['clicks', 'cents'],
    contributions: () => [],
  });
  const comparison = comparisonOf(clicks, clicks);
  expect(comparison).toMatchObject({
    at: 'hour',
    days: 'utc',
    countsVisitors: false,
    changed: 'rows_changed',
  });
  expect(namesOf(comparison)).toEqual(['clicks', 'cents']);
});

it('tells bots from people where the key does', () => {
  const names = namesOf(comparisonOf(traffic, traffic));
  expect(names).toHaveLength(2 * traffic.sums.length);
  expect(names).toEqual(expect.arrayContaining(['sessions_active', 'bot_sessions_active']));
});

it('counts rows where there is nothing else to count', () => {
  expect(namesOf(comparisonOf(waiting, waiting))).toEqual(['rows']);
});

it('leaves out what is not in both versions, and says so', () => {
  const { bounced: _, event_visitors: __, ...rest } = sessions.columns;
  const next = { ...sessions, columns: { ...rest, pageviews: 'bigint' as const, weather: 'text' as const } };
  const comparison = comparisonOf(sessions, next)!;
  const missing = ['bounced', 'event_visitors', 'pageviews', 'weather'];
  expect([...comparison.columnsNotCompared].sort()).toEqual(missing);
  expect(comparison.columns.filter((column) => missing.includes(column))).toEqual([]);
  expect(namesOf(comparison)).toEqual(['visits', 'events', 'visit_duration_s', 'bot_visits', 'bot_events']);
  expect(comparison.countsVisitors).toBe(false);
});

it('finds nothing to compare where keys differ', () => {
  expect(comparisonOf(sessions, { ...sessions, primaryKey: ['site', 'session'] })).toBeNull();
});
