// The worker settles what is large, over and changed, once, and nothing else; and what is answered stays what the
// facts say when something comes late, when a site's zone changes, and when another version serves.
import { Pool } from 'pg';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { midnight } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import { createReadModels, type GivenSession, insertSessions } from '../../../../test/read-model-rows.js';
import { until } from '../../../../test/redis-node.js';
import { startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { Serving } from '../../projections/read-models/serving.js';
import { inReadTransaction } from '../read-transaction.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { type ReportNumbers, readReport } from '../sources/read-report.js';
import { ReportSources } from '../sources/report-sources.js';
import { SessionEstimates } from '../sources/session-estimate.js';
import { Settler } from './settler.js';
import { settledTablesOf } from './settled-tables.js';
import { SettlingTelemetry } from './settling.telemetry.js';

const ZONE = 'Europe/Berlin';
const LARGE = 'site-large';
const SMALL = 'site-small';
const FROM = Date.parse('2026-10-25T00:00:00Z');
const NOW = Date.parse('2026-10-30T05:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_SESSIONS_MIN = 40;

let postgres: { pool: Pool; stop(): Promise<void> };
beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  await createReadModels(postgres.pool);
  for (const version of [1, 2]) {
    const { days, counts, visitors } = settledTablesOf(version);
    await postgres.pool.query(`DROP TABLE IF EXISTS ${days}, ${counts}, ${visitors}`);
  }
  await insertSessions(postgres.pool, [
    ...randomSessions({ seed: 3, site: LARGE, count: 300, from: FROM, to: NOW }),
    ...randomSessions({ seed: 4, site: SMALL, count: 40, from: FROM, to: NOW }),
  ]);
});

function settlerOf({ zone = ZONE, version = 1 } = {}): Settler {
  const sites = new SiteDirectory();
  jest
    .spyOn(sites, 'list')
    .mockReturnValue([LARGE, SMALL].map((id) => ({ id, timezone: zone })) as unknown as ReturnType<SiteDirectory['list']>); // prettier-ignore
  return new Settler(
    postgres.pool,
    { SETTLED_DAY_SESSIONS_MIN: DAY_SESSIONS_MIN },
    sites,
    new Serving({ servingFor: () => version, state: { serving: [version] } } as unknown as ConstructorParameters<typeof Serving>[0]), // prettier-ignore
    new SettlingTelemetry(new Telemetry('silent')),
  );
}

interface SettledDay {
  readonly site: string;
  readonly day: Date;
  readonly settled_at: Date;
}

async function settledDays(version = 1): Promise<readonly SettledDay[]> {
  const { rows } = await postgres.pool.query<SettledDay>(
    `SELECT site, day, settled_at FROM ${settledTablesOf(version).days} ORDER BY site, day`,
  );
  return rows;
}

function ask(settled: boolean, zone = ZONE): Promise<ReportNumbers> {
  const body = {
    metrics: ['visitors', 'visits', 'pageviews', 'visit_duration'],
    dimensions: ['event:page'],
    date_range: ['2026-10-26', '2026-10-29'],
  };
  const query = normaliseQuery(parseReportRequest(body), { id: LARGE }, { zone, now: NOW, earliest: FROM });
  return inReadTransaction(postgres.pool, { site: LARGE, timeoutMs: 10_000 }, (client) =>
    readReport(
      new ReportSources(client, {
        tables: { rollup: 'traffic_v1', facts: 'sessions_v1' },
        ranges: [query.range],
        sessionsMax: 3_000_000,
        estimates: new SessionEstimates(),
        settled: settled ? settledTablesOf(1) : null,
      }),
      query,
    ),
  );
}

async function expectAgreement(zone = ZONE): Promise<void> {
  const settled = await ask(true, zone);
  expect(settled.source).toBe('settled');
  expect(settled).toEqual({ ...(await ask(false, zone)), source: 'settled' });
}

it('settles the days of large sites that are over, and no other', async () => {
  const settler = settlerOf();
  expect(await settler.round(NOW)).toEqual({ due: 0, failed: 0 });
  const days = await settledDays();
  expect(new Set(days.map(({ site }) => site))).toEqual(new Set([LARGE]));
  expect(days.map(({ day }) => day.getTime())).toEqual(
    [25, 26, 27, 28, 29].map((date) => midnight(`2026-10-${date}`, ZONE)),
  );
  await expectAgreement();
});

it('waits until a day has stopped changing', async () => {
  // The 29th ends at 23:00 UTC; what changes until midnight UTC cannot be told from a change of it.
  await settlerOf().round(Date.parse('2026-10-30T00:59:00Z'));
  expect((await settledDays()).at(-1)!.day.getTime()).toBe(midnight('2026-10-28', ZONE));
  await settlerOf().round(Date.parse('2026-10-30T01:00:00Z'));
  expect((await settledDays()).at(-1)!.day.getTime()).toBe(midnight('2026-10-29', ZONE));
});

it('answers a day that something reached late from the facts, until it has settled it anew', async () => {
  const settler = settlerOf();
  await settler.round(NOW);
  const before = await ask(true);
  const at = Date.parse('2026-10-26T22:30:00Z'); // half an hour before midnight
  const late: GivenSession = {
    site: LARGE,
    visitor: 99n,
    events: [{ at, page: '/late' }, { at: at + HOUR_MS * 0.49 }, { at: at + HOUR_MS * 0.9, page: '/late' }],
  };
  await postgres.pool.query('TRUNCATE traffic_v1');
  await postgres.pool.query(`UPDATE sessions_v1 SET session = session + 10000`);
  await insertSessions(postgres.pool, [late]);
  await expectAgreement();
  expect((await ask(true)).results).not.toEqual(before.results);
  expect((await ask(true)).results.find(({ dimensions }) => dimensions[0] === '/late')!.metrics.slice(0, 3)).toEqual([1, 1, 2]); // prettier-ignore

  // Not again at once, and then only the two days that the session touched.
  const untouched = await settledDays();
  await restoreTraffic();
  await settler.round(NOW);
  expect(await settledDays()).toEqual(untouched);
  await postgres.pool.query(
    `UPDATE ${settledTablesOf(1).days} SET settled_at = settled_at - interval '11 minutes'`,
  );
  const aged = await settledDays();
  await settler.round(NOW);
  const again = await settledDays();
  expect(again.filter(({ settled_at }, index) => settled_at > aged[index]!.settled_at).map(({ day }) => day.getTime())).toEqual([midnight('2026-10-26', ZONE), midnight('2026-10-27', ZONE)]); // prettier-ignore
  await expectAgreement();
});

/** Of the large site, as far as it tells that it is. */
async function restoreTraffic(): Promise<void> {
  await postgres.pool.query(
    `TRUNCATE traffic_v1; INSERT INTO traffic_v1 (site, hour, bot, sessions_started, visitors)
      SELECT site, date_trunc('hour', started_at), bot, count(*), '' FROM sessions_v1 GROUP BY 1, 2, 3`,
  );
}

it('is done once by two that begin together', async () => {
  await Promise.all([settlerOf().round(NOW), settlerOf().round(NOW)]);
  const { counts } = settledTablesOf(1);
  const { rows } = await postgres.pool.query(
    `SELECT site, dimension, day, value FROM ${counts} GROUP BY 1, 2, 3, 4 HAVING count(*) > 1`,
  );
  expect(rows).toEqual([]);
  expect(await settledDays()).toHaveLength(5);
  await expectAgreement();
});

it('settles the days of a new zone, and forgets those of the old one', async () => {
  await settlerOf().round(NOW);
  expect((await ask(true, 'Asia/Kolkata')).source).toBe('facts');
  await settlerOf({ zone: 'Asia/Kolkata' }).round(NOW);
  const days = await settledDays();
  expect(days[0]!.day.getTime()).toBe(midnight('2026-10-25', 'Asia/Kolkata'));
  expect(days).toHaveLength(5);
  await expectAgreement('Asia/Kolkata');
});

it('settles the days of each version beside its tables, and of none that cannot tell what changes', async () => {
  await settlerOf().round(NOW);
  expect(await settlerOf({ version: 2 }).round(NOW)).toEqual({ due: 0, failed: 0 });
  await postgres.pool.query(`
    CREATE TABLE sessions_v2 AS SELECT * FROM sessions_v1;
    CREATE TABLE traffic_v2 AS SELECT * FROM traffic_v1;
    CREATE TABLE changed_periods_v2 AS SELECT * FROM changed_periods_v1`);
  await settlerOf({ version: 2 }).round(NOW);
  expect(await settledDays(2)).toHaveLength(5);
  expect((await settledDays(2)).map(({ day }) => day)).toEqual((await settledDays(1)).map(({ day }) => day));
});

it('tries a day that failed again later, and does the others', async () => {
  const settler = settlerOf();
  await settler.round(NOW);
  const { days, counts } = settledTablesOf(1);
  await postgres.pool.query(`TRUNCATE ${days};
    ALTER TABLE ${counts} ADD CHECK (day <> '${new Date(midnight('2026-10-27', ZONE)).toISOString()}') NOT VALID`);
  expect(await settler.round(NOW)).toEqual({ due: 0, failed: 1 });
  expect(await settledDays()).toHaveLength(4);
  await postgres.pool.query(`ALTER TABLE ${counts} DROP CONSTRAINT ${counts}_day_check`);
  expect(await settler.round(NOW)).toEqual({ due: 0, failed: 1 });
  expect(await settler.round(NOW + 2 * HOUR_MS)).toEqual({ due: 0, failed: 0 });
});

it('stops in the middle of a day, and leaves nothing of it', async () => {
  await settlerOf().round(NOW);
  const { days, counts } = settledTablesOf(1);
  await postgres.pool.query(`TRUNCATE ${days}, ${counts}`);
  const caller = await postgres.pool.connect();
  await caller.query(`BEGIN; LOCK TABLE ${counts}`);
  const settler = settlerOf();
  const round = settler.round(NOW);
  await until(async () => {
    const { rows } = await caller.query(
      `SELECT FROM pg_locks WHERE NOT granted AND relation = '${counts}'::regclass`,
    );
    return rows.length > 0;
  });
  await settler.onModuleDestroy();
  await round;
  await caller.query('ROLLBACK');
  caller.release();
  expect(await settledDays()).toEqual([]);
  await settlerOf().round(NOW);
  await expectAgreement();
});

it('does not trust a day that was settled to something else', async () => {
  await settlerOf().round(NOW);
  const { days } = settledTablesOf(1);
  await postgres.pool.query(
    `UPDATE ${days} SET changes = 'another ' || changes, settled_at = settled_at - interval '1 hour'`,
  );
  expect((await ask(true)).source).toBe('facts');
  await settlerOf().round(NOW);
  await expectAgreement();
});
