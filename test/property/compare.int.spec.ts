// The law of comparisons: whatever the log, two versions of the read models differ exactly by the bug
// that was planted in the older one, by site, day and metric as plain counting of the events says.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { EventStore } from '../../src/event-store/event-store.js';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { CompareModule } from '../../src/modules/projections/compare/compare.module.js';
import type { Interpret } from '../../src/modules/projections/interpret/interpret.js';
import { ReadModelsDirectory } from '../../src/modules/projections/lifecycle/read-models.directory.js';
import { createInterpreter } from '../catalog.js';
import {
  type NaiveComparison,
  naiveSessionComparison,
  naiveTrafficComparison,
  type Planted,
} from '../naive-comparison.js';
import { appendInBatches, openLog, project } from '../projecting.js';
import { caughtUpVersion, dropVersion, rebuild } from '../rebuilding.js';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { BOT_AGENT, trouble } from '../traffic.js';

/** Summer time begins in Berlin on the second day. */
const FROM = Date.UTC(2026, 2, 28);
const DAY_MS = 86_400_000;
const ZONES: Readonly<Record<string, string>> = {
  a: 'Europe/Berlin',
  b: 'America/Los_Angeles',
  c: 'Asia/Kolkata',
  d: 'UTC',
};
/** Was deleted, or never was. */
const UNKNOWN_SITE = 'e';
const PARTITIONS = 2;
const SEES_BOTS = { seesBots: true };

let postgres: MigratedPostgres;
let plane: ControlPlane;
let directory: string;
let logs = 0;
const siteIds = new Map([[UNKNOWN_SITE, UNKNOWN_SITE]]);
const zones = new Map([[UNKNOWN_SITE, 'UTC']]);

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, { modules: [CompareModule] });
  directory = await mkdtemp(join(tmpdir(), 'tidemark-compare-'));
  for (const [name, timezone] of Object.entries(ZONES)) {
    const body = { domain: `${name}.example`, timezone };
    const { id } = (await plane.call('POST', '/v1/sites', { body })).body as { id: string };
    siteIds.set(name, id);
    zones.set(id, timezone);
  }
  await caughtUpVersion(plane.app.get(EventStore), 2);
  await plane.app.get(ReadModelsDirectory).settle(2_000);
});

afterAll(async () => {
  await plane?.close();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

const zoneOf = (site: string): string => zones.get(site)!;

const eventsOf = (seed: number, events: number): TrackedEvent[] =>
  trouble({ seed, events, visitors: 12, days: 4, from: FROM, sites: [...siteIds.keys()] }).map((event) => ({
    ...event,
    site: siteIds.get(event.site)!,
  }));

/** Version 1 live and with the bug, version 2 rebuilt without. */
async function bothVersions(events: readonly TrackedEvent[], seed: number, buggy: Interpret): Promise<void> {
  await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
  await dropVersion(postgres.pool, 2);
  const log = openLog(join(directory, `log-${logs}`), PARTITIONS);
  await appendInBatches(log, events, seed);
  const projecting = project(log, postgres.pool, { interpret: buggy });
  await projecting.caughtUp();
  await projecting.stop();
  const buckets = join(directory, `buckets-${logs++}`);
  await rebuild(log, postgres.pool, { version: 2, directory: buckets, bucketEventsMax: 10_000 });
  await log.close();
}

/** All pages, put together. */
async function compared(name: string, limit: number, scope = ''): Promise<NaiveComparison> {
  const differences = [];
  for (let cursor = ''; ;) {
    const { status, body } = await plane.call(
      'GET',
      `/admin/v1/projections/${name}/compare?limit=${limit}${scope}${cursor}`,
    );
    expect([status, body.a, body.b, body.positions_differ]).toEqual([200, 1, 2, false]);
    expect(body.differences.length).toBeLessThanOrEqual(limit);
    differences.push(...body.differences);
    if (body.next_cursor === null) {
      expect([body.differences_total, body.within]).toEqual([differences.length, differences.length === 0]);
      return { totals: body.totals, differences };
    }
    cursor = `&cursor=${body.next_cursor}`;
  }
}

describe.each([11, 12, 13, 14])('a comparison of two versions, seed %i', (seed) => {
  const sound = createInterpreter();

  it('finds bots that were counted as people', async () => {
    const events = eventsOf(seed, 1_200);
    await bothVersions(events, seed, (event) => {
      const interpreted = sound(event);
      return { ...interpreted, client: { ...interpreted.client, bot: false } };
    });
    const planted: Planted = {
      a: { seesBots: false },
      b: SEES_BOTS,
      changes: ({ all }) => all.some(({ userAgent }) => userAgent === BOT_AGENT),
    };
    const expected = naiveSessionComparison(events, planted, zoneOf);
    expect(new Set(expected.differences.map(({ metric }) => metric)).size).toBe(10);
    expect(await compared('sessions', 7)).toEqual(expected);
    expect(await compared('traffic', 1_000)).toEqual(naiveTrafficComparison(events, planted));
    const waiting = await compared('waiting', 3);
    expect(sumOf(waiting)).toBe(await changedWaiting(postgres.pool));
    expect(sumOf(waiting)).toBeGreaterThan(0);

    const [site, date] = [siteIds.get('b')!, '2026-03-30'];
    const scoped = await compared('sessions', 100, `&site=b.example&from=${date}&to=${date}`);
    expect(scoped.differences).toEqual(
      expected.differences.filter((one) => one.site === site && one.date === date),
    );
    const byMetric = (of: readonly { readonly metric: string; readonly difference: number }[]) =>
      Object.fromEntries(of.map(({ metric, difference }) => [metric, difference]));
    expect(byMetric(scoped.totals)).toMatchObject(byMetric(scoped.differences));
  });

  it('finds countries that were wrong on one site for a day, though no count tells', async () => {
    const events = eventsOf(seed, 1_200);
    const [site, from] = [siteIds.get('c')!, FROM + DAY_MS];
    const isWrong = (event: TrackedEvent) =>
      event.site === site &&
      event.place !== undefined &&
      event.occurredAt >= from &&
      event.occurredAt < from + DAY_MS;
    await bothVersions(events, seed, (event) => {
      const interpreted = sound(event);
      return isWrong(event)
        ? { ...interpreted, place: { ...interpreted.place, country: 'AT' } }
        : interpreted;
    });
    const planted: Planted = { a: SEES_BOTS, b: SEES_BOTS, changes: ({ all }) => all.some(isWrong) };
    const expected = naiveSessionComparison(events, planted, zoneOf);
    expect(new Set(expected.differences.map((one) => `${one.site} ${one.metric}`))).toEqual(
      new Set([`${site} sessions_changed`]),
    );
    expect(await compared('sessions', 2)).toEqual(expected);
    expect((await compared('traffic', 10)).differences).toEqual([]);
  });
});

const sumOf = ({ differences }: NaiveComparison): number =>
  differences.reduce((sum, { difference }) => sum + difference, 0);

/** Row by row, as text. */
async function changedWaiting(pool: Pool): Promise<number> {
  const [a, b] = await Promise.all(
    [1, 2].map(async (version) => {
      const { rows } = await pool.query<{ key: string; row: string }>(
        `SELECT (site, at, visitor, key)::text AS key, w::text AS row FROM waiting_v${version} AS w`,
      );
      return new Map(rows.map(({ key, row }) => [key, row]));
    }),
  );
  return [...new Set([...a!.keys(), ...b!.keys()])].filter((key) => a!.get(key) !== b!.get(key)).length;
}
