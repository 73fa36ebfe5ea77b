// A day of a rebuild must be the day that answers show: from the first instant that the site's clock gives
// that date, whatever is done to the clocks at midnight.
import { wallClock } from '../../../../test/naive-report.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { siteZones } from '../compare/site-zones.js';
import { boundsOf, type Bounds } from './build-scope.js';
import { decideRanges, readRanges } from './range-bounds.js';

let postgres: MigratedPostgres;
let version = 0;
beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres?.stop());

/** By site; every site is named for its zone. */
async function bounds(
  names: readonly string[],
  from: string | null,
  to: string | null,
): Promise<readonly Bounds[]> {
  const feed = { version: ++version, scope: { sites: null, from, to } };
  const zones = siteZones(names.map((timezone) => ({ id: timezone, timezone })));
  await decideRanges(postgres.pool, feed, async () => zones);
  const ranges = await readRanges(postgres.pool, version);
  return names.map((name) => boundsOf(ranges!, name));
}

// Of a past year, as zone data of two makers may differ about what is to come. Clocks are changed on these days,
// in Cairo, Beirut and Santiago at midnight; in Havana midnight comes twice.
it.each([
  '2025-03-09',
  '2025-03-30',
  '2025-04-06',
  '2025-04-25',
  '2025-07-15',
  '2025-09-07',
  '2025-10-26',
  '2025-10-31',
  '2025-11-02',
])(
  'begins and ends %s with the clocks of every zone',
  async (day) => {
    const names = Intl.supportedValuesOf('timeZone');
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    const dateAt = (time: number, zone: string) => wallClock(time, zone).slice(0, 10);
    const wrong = (await bounds(names, day, day)).flatMap(({ from, to }, index) => {
      const zone = names[index]!;
      const isRight =
        dateAt(from, zone) === day &&
        dateAt(from - 1, zone) < day &&
        dateAt(to, zone) === next &&
        dateAt(to - 1, zone) === day;
      return isRight ? [] : [zone];
    });
    expect(wrong).toEqual([]);
    expect(names.length).toBeGreaterThan(400);
  },
  30_000,
);

it('has no bound where none was asked for', async () => {
  const [open] = await bounds(['Asia/Tokyo'], null, '2026-03-01');
  expect(open).toEqual({ from: Number.NEGATIVE_INFINITY, to: Date.parse('2026-03-02T00:00+09:00') });
});

it('is of UTC for a site that nobody told of', async () => {
  await bounds(['Asia/Tokyo'], '2026-03-01', null);
  const ranges = await readRanges(postgres.pool, version);
  expect(boundsOf(ranges!, 'unheard-of')).toEqual({
    from: Date.UTC(2026, 2, 1),
    to: Number.POSITIVE_INFINITY,
  });
});

it('is decided once, by whoever comes first', async () => {
  const feed = { version: ++version, scope: { sites: null, from: '2026-03-01', to: null } };
  const zones = ['Asia/Tokyo', 'Europe/Berlin', 'America/Lima', 'UTC'].map((timezone) =>
    siteZones(['a', 'b'].map((id) => ({ id, timezone }))),
  );
  await Promise.all(zones.map((said) => decideRanges(postgres.pool, feed, async () => said)));
  const first = await readRanges(postgres.pool, version);
  expect(boundsOf(first!, 'a')).toEqual(boundsOf(first!, 'b'));
  let asked = false;
  await decideRanges(postgres.pool, feed, async () => {
    asked = true;
    return { sites: ['a'], zones: ['Asia/Kolkata'] };
  });
  expect(asked).toBe(false);
  expect(await readRanges(postgres.pool, version)).toEqual(first);
});
