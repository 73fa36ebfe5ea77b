// Days of sites as PostgreSQL counts them must be the days that Intl counts, or a difference would be
// told under another day than the one that answers show.
import { wallClock } from '../../../../test/naive-report.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { siteZones } from './site-zones.js';

/** Names that people use, that are not canonical, or that PostgreSQL knows as something else. */
const UNUSUAL = [
  'CET',
  'cet',
  'EET',
  'MET',
  'WET',
  'EST',
  'MST',
  'PST',
  'IST',
  'ACT',
  'BST',
  'SystemV/PST8PDT',
];
const MORE = ['SystemV/AST4', 'EST5EDT', 'Etc/GMT+5', 'Japan', 'asia/kolkata', 'US/Pacific', 'Europe/Kyiv'];
const HOUR_MS = 3_600_000;

let postgres: MigratedPostgres;
beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres?.stop());

it('are the same in PostgreSQL, whatever the zone is called', async () => {
  const names = [...UNUSUAL, ...MORE, ...Intl.supportedValuesOf('timeZone')].filter(isZone);
  expect(names.length).toBeGreaterThan(400);
  const { sites, zones } = siteZones(names.map((timezone) => ({ id: timezone, timezone })));
  // Every third hour of some days, among them those on which clocks are changed in Europe and America.
  const instants = [
    '2026-01-15',
    '2026-03-08',
    '2026-03-29',
    '2026-07-15',
    '2026-10-25',
    '2026-11-01',
  ].flatMap((day) => Array.from({ length: 16 }, (_, index) => Date.parse(day) + index * 3 * HOUR_MS));
  const { rows } = await postgres.pool.query<{ site: string; at: number; date: string }>(
    `SELECT site, at::float8, (to_timestamp(at / 1000) AT TIME ZONE zone)::date::text AS date
     FROM unnest($1::text[], $2::text[]) AS zones(site, zone), unnest($3::float8[]) AS at`,
    [sites, zones, instants],
  );
  const wrong = rows.filter(({ site, at, date }) => wallClock(at, site).slice(0, 10) !== date);
  expect(wrong.map(({ site, date }) => `${site} ${date}`)).toEqual([]);
  expect(rows).toHaveLength(sites.length * instants.length);
}, 60_000);

it('are left out where they are UTC, under any name', () => {
  const sites = ['UTC', 'Etc/UTC', 'Zulu', 'Europe/Vienna'].map((timezone) => ({ id: timezone, timezone }));
  expect(siteZones(sites)).toEqual({ sites: ['Europe/Vienna'], zones: ['Europe/Vienna'] });
});

/** What is an alias here may be none in another release of Node. */
function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
