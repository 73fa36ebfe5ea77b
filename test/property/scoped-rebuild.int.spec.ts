// The law of rebuilds in part: of the sites asked for every row, of the days asked for the rows that the log
// gives, and of all other days those of the version that answers, byte for byte, whatever is wrong with them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { RebuildScope } from '../../src/events/read-models.events.js';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { DEFINITIONS } from '../../src/modules/projections/catalog/catalog.js';
import { siteZones } from '../../src/modules/projections/compare/site-zones.js';
import { projectionsOf } from '../../src/modules/projections/definition.js';
import { eventKey } from '../../src/modules/projections/interpret/event-key.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import type { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { CATALOG } from '../catalog.js';
import { appendInBatches, openLog, project, type Projecting } from '../projecting.js';
import { readModelBytes } from '../read-models.js';
import { dropVersion, rebuild, type RebuildOptions } from '../rebuilding.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { shuffled, trouble } from '../traffic.js';

const SITES = ['a', 'b', 'c', 'd'];
// Half an hour beside the hours of traffic; a change to summer time on the 29th; hours behind UTC.
const ZONES = { a: 'UTC', b: 'Asia/Kolkata', c: 'Europe/Berlin', d: 'America/New_York' };
const FROM = Date.UTC(2026, 2, 26);
const DAYS = 6;
const PARTITIONS = 2;
const ALL: RebuildScope = { sites: null, from: null, to: null };
const MIDDLE: RebuildScope = { sites: null, from: '2026-03-28', to: '2026-03-29' };
const dayAt = (index: number) => new Date(FROM + index * 86_400_000).toISOString().slice(0, 10);

const scopes = fc.record({
  sites: fc.option(fc.uniqueArray(fc.constantFrom(...SITES, 'unheard-of'), { minLength: 1 })),
  from: fc.option(fc.integer({ min: -1, max: DAYS }).map(dayAt)),
  to: fc.option(fc.integer({ min: -1, max: DAYS }).map(dayAt)),
});
const logs = fc.record({
  seed: fc.integer(),
  shuffle: fc.boolean(),
  events: fc.integer({ min: 0, max: 500 }),
  visitors: fc.integer({ min: 1, max: 8 }),
});
type Made = typeof logs extends fc.Arbitrary<infer T> ? T : never;
const bucketEventsMax = fc.constantFrom(3, 20, 10_000);

describe('a rebuild in part', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let opened = 0;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
    directory = await mkdtemp(join(tmpdir(), 'tidemark-scoped-rebuild-'));
    const { sites, zones } = siteZones(Object.entries(ZONES).map(([id, timezone]) => ({ id, timezone })));
    await postgres.pool.query(
      'CREATE TABLE zones AS SELECT * FROM unnest($1::text[], $2::text[]) AS zones(site, zone)',
      [sites, zones],
    );
  });

  afterAll(async () => {
    await postgres?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function emptyLog(): Promise<TrackingLog> {
    await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
    await dropVersion(postgres.pool, 2);
    return openLog(join(directory, `log-${opened++}`), PARTITIONS);
  }

  async function projected(log: TrackingLog, versions: readonly number[] = [1]): Promise<void> {
    const running = versions.map((version) => follow(log, version));
    for (const projecting of running) {
      await projecting.caughtUp();
      await projecting.stop();
    }
  }

  async function projectedLog({ seed, shuffle, events, visitors }: Made): Promise<TrackingLog> {
    const made = trouble({ seed, events, visitors, days: DAYS, from: FROM, sites: SITES });
    const log = await emptyLog();
    await appendInBatches(log, shuffle ? shuffled(made, seed) : made, seed);
    await projected(log);
    return log;
  }

  const follow = (log: TrackingLog, version: number, sites: readonly string[] | null = null): Projecting =>
    project(log, postgres.pool, {
      projections: projectionsOf(DEFINITIONS.at(-1)!, version),
      sites: sites && new Set(sites),
    });

  const build = (log: TrackingLog, scope: RebuildScope, options: Partial<RebuildOptions> = {}) =>
    rebuild(log, postgres.pool, {
      version: 2,
      directory: join(directory, `buckets-${opened}`),
      bucketEventsMax: 100,
      scope,
      zones: siteZones(Object.entries(ZONES).map(([id, timezone]) => ({ id, timezone }))),
      ...options,
    });

  /** Rows of the first version that are of the sites; those of the days as they are in `right`, if it is given. */
  async function expected({ sites, from, to }: RebuildScope, right = '1'): Promise<string[]> {
    const day = (time: string) => `(${time} AT TIME ZONE coalesce(zone, 'UTC'))::date`;
    const isBuilt = (time: string) =>
      `(coalesce(${day(time)} >= $2::date, true) AND coalesce(${day(time)} <= $3::date, true))`;
    const midnight = (of: string) => `(${of}::timestamp AT TIME ZONE coalesce(zone, 'UTC'))`;
    const reached = `(SELECT max(ended_at) FROM sessions_v${right} AS s
      WHERE s.site = r.site AND ended_at >= ${midnight('($3::date + 1)')} AND ${isBuilt('started_at')})`;
    const isCounted = `coalesce(hour > ${midnight('$2::date')} - interval '1 hour', true)
      AND coalesce(hour < ${midnight('($3::date + 1)')} OR hour <= ${reached}, $3::date IS NULL)`;
    const rows = (name: string, condition: string) =>
      [right, '1']
        .map(
          (version, index) => `SELECT '${name}' || r::text AS row FROM ${name}_v${version} AS r
            LEFT JOIN zones ON zones.site = r.site
            WHERE ($1::text[] IS NULL OR r.site = ANY($1)) AND ${index === 0 ? '' : 'NOT '}(${condition})`,
        )
        .join(' UNION ALL ');
    const found = await postgres.pool.query<{ row: string }>(
      `${rows('sessions', isBuilt('started_at'))} UNION ALL ${rows('waiting', isBuilt('r.at'))}
       UNION ALL ${rows('traffic', isCounted)} ORDER BY 1`,
      [sites, from, to],
    );
    return found.rows.map(({ row }) => row);
  }

  async function damage(): Promise<void> {
    await postgres.pool.query(`
      DROP TABLE IF EXISTS sessions_vright, waiting_vright, traffic_vright;
      CREATE TABLE sessions_vright AS TABLE sessions_v1;
      CREATE TABLE waiting_vright AS TABLE waiting_v1;
      CREATE TABLE traffic_vright AS TABLE traffic_v1;
      UPDATE sessions_v1 SET browser = 'Damaged', bounced = NOT bounced, pageviews = pageviews + 7;
      UPDATE waiting_v1 SET event = jsonb_set(event, '{page}', '"/damaged"');
      UPDATE traffic_v1 SET pageviews = pageviews + 1000, visitors = '\\x01'`);
  }

  it('holds every row of the sites asked for, nothing else, and is followed as they are', async () => {
    await fc.assert(
      fc.asyncProperty(logs, scopes, bucketEventsMax, async (made, { sites }, bucketEventsMax) => {
        const scope = { ...ALL, sites: sites ?? ['b'] };
        const log = await projectedLog(made);
        await build(log, scope, { bucketEventsMax });
        expect(await readModelBytes(postgres.pool, 2)).toEqual(await expected(scope));
        await appendInBatches(
          log,
          trouble({ ...made, events: 60, days: DAYS, from: FROM, sites: SITES, seed: made.seed + 1 }),
          made.seed,
        );
        await projected(log);
        const following = follow(log, 2, scope.sites);
        await following.caughtUp();
        await following.stop();
        expect(await readModelBytes(postgres.pool, 2)).toEqual(await expected(scope));
        await log.close();
      }),
      { numRuns: 15 },
    );
  }, 300_000);

  it('gives the bytes that were there where nothing was wrong, for any sites and days', async () => {
    await fc.assert(
      fc.asyncProperty(logs, scopes, bucketEventsMax, async (made, scope, bucketEventsMax) => {
        const log = await projectedLog(made);
        await build(log, scope, { bucketEventsMax });
        expect(await readModelBytes(postgres.pool, 2)).toEqual(await expected(scope));
        await log.close();
      }),
      { numRuns: 60 },
    );
  }, 300_000);

  it('mends the days asked for, and leaves all others as they are', async () => {
    await fc.assert(
      fc.asyncProperty(logs, scopes, bucketEventsMax, async (made, scope, bucketEventsMax) => {
        const log = await projectedLog(made);
        await damage();
        await build(log, scope, { bucketEventsMax });
        expect(await readModelBytes(postgres.pool, 2)).toEqual(await expected(scope, 'right'));
        await log.close();
      }),
      { numRuns: 30 },
    );
  }, 300_000);

  it('goes on after interruptions, on another machine too, and then as the live one does', async () => {
    const made = trouble({ seed: 5, events: 9_000, visitors: 150, days: DAYS, from: FROM, sites: SITES });
    const log = await emptyLog();
    await appendInBatches(log, made.slice(0, 8_000), 3);
    await projected(log);
    let interruptions = 0;
    for (let afterMs = 5; ; afterMs += 15) {
      const stopping = new AbortController();
      const building = build(log, MIDDLE, {
        // Every third time the files are not there.
        directory: join(directory, `interrupted-${interruptions % 3}`),
        signal: stopping.signal,
      });
      const stopped = await Promise.race([building.then(() => false), sleep(afterMs, true)]);
      stopping.abort();
      await building;
      if (!stopped) break;
      interruptions++;
    }
    expect(interruptions).toBeGreaterThan(3);
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));

    await appendInBatches(log, shuffled(made.slice(8_000), 1), 4);
    await projected(log, [1, 2]);
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
    await log.close();
  }, 120_000);

  it('misses nothing and doubles nothing while the version that it copies from is fed', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const made = trouble({ seed, events: 3_000, visitors: 60, days: DAYS, from: FROM, sites: SITES });
      const log = await emptyLog();
      await appendInBatches(log, made.slice(0, 1_000), seed);
      const live = follow(log, 1);
      const appending = appendInBatches(log, shuffled(made.slice(1_000), seed), seed);
      await sleep(10 * seed);
      await build(log, MIDDLE);
      await appending;
      await live.caughtUp();
      await live.stop();
      await projected(log, [2]);
      expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
      await log.close();
    }
  }, 120_000);

  it('keeps the days of the time zone that a site had when it began', async () => {
    const log = await projectedLog({ seed: 8, shuffle: false, events: 400, visitors: 5 });
    await damage();
    const stopping = new AbortController();
    stopping.abort();
    await build(log, MIDDLE, { signal: stopping.signal });
    await build(log, MIDDLE, { zones: { sites: SITES, zones: SITES.map(() => 'Asia/Tokyo') } });
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await expected(MIDDLE, 'right'));
    await log.close();
  });

  it('refuses days where other columns are declared, and builds everything', async () => {
    const log = await projectedLog({ seed: 9, shuffle: false, events: 50, visitors: 5 });
    await postgres.pool.query('ALTER TABLE waiting_in_v1 ADD COLUMN former text');
    try {
      await expect(build(log, MIDDLE)).rejects.toThrow(
        'Days of waiting cannot be built anew: in version 1, from which the others would be copied, ' +
          'other columns are declared: former (text, now absent). Rebuild all days.',
      );
      await dropVersion(postgres.pool, 2);
      await build(log, ALL);
    } finally {
      await postgres.pool.query('ALTER TABLE waiting_in_v1 DROP COLUMN former');
    }
    expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
    await log.close();
  });

  describe('where its days begin', () => {
    const [seen] = trouble({ seed: 1, events: 1, visitors: 1, days: 1, from: FROM, sites: ['a'] });
    const midnight = Date.UTC(2026, 2, 28);
    const [one, other, someone] = ['1', '2', '3'].map((digit) => digit.repeat(16)) as [
      string,
      string,
      string,
    ];

    function at(minutes: number, visitor: string, previousVisitor?: string): TrackedEvent {
      const time = midnight + minutes * 60_000;
      const link = previousVisitor === undefined ? {} : { previousVisitor };
      let id = `${visitor}-${minutes}`;
      // At these a long session may be cut before it is as long as can be.
      while (Number.parseInt(eventKey(id).slice(-2), 16) % 64 === 0) id += '+';
      return { ...seen!, ...link, id, visitor, name: 'pageview', occurredAt: time, receivedAt: time };
    }

    /** The minutes of every session's events, built from a log of which the version that answers has not seen `unseen`. */
    async function built(events: readonly TrackedEvent[], unseen: TrackedEvent): Promise<number[][]> {
      const log = await emptyLog();
      await log.append(0, events);
      await projected(log);
      await log.close();
      const whole = openLog(join(directory, `log-${opened++}`), PARTITIONS);
      await whole.append(0, [...events, unseen]);
      await build(whole, MIDDLE);
      await whole.close();
      const { rows } = await postgres.pool.query<{ at: Date; offsets: number[] }>(
        'SELECT started_at AS at, event_offsets AS offsets FROM sessions_v2 ORDER BY started_at, visitor',
      );
      return rows.map(({ at, offsets }) =>
        offsets.map((offset) => (at.getTime() + offset - midnight) / 60_000),
      );
    }

    it('loses no event that would have gone on a copied session', async () => {
      expect(await built([at(-10, one), at(40, one)], at(15, one))).toEqual([[-10], [15, 40]]);
    });

    it('doubles no event of a copied session that goes on under another id', async () => {
      const events = [at(-10, one), at(5, other, one), at(50, other)];
      expect(await built(events, at(25, other))).toEqual([
        [-10, 5],
        [25, 50],
      ]);
    });

    it('ends what was cut for its size where it was cut', async () => {
      const long = Array.from({ length: 2_000 }, (_, index) => at(-5 - index / 1_000, one));
      const minutes = await built([...long, at(5, other), at(10, one, other)], at(60, someone));
      expect(minutes.slice(-3)).toEqual([[5], [10], [60]]);
    });

    it('begins a session that was waited for before', async () => {
      const early: TrackedEvent = { ...at(-5, one), name: 'engagement', engagementMs: 100 };
      const long = Array.from({ length: 1_999 }, (_, index) => at(5 + index / 1_000, one));
      const minutes = await built([early, ...long, at(20, one)], at(60, someone));
      expect(minutes.map(({ length }) => length)).toEqual([1_999, 1, 1]);
    });
  });

  it('takes no event for new that repeats one from before its days', async () => {
    const at = Date.UTC(2026, 2, 28) - 3 * 3_600_000;
    const first: TrackedEvent = {
      ...trouble({ seed: 1, events: 1, visitors: 1, days: 1, from: FROM, sites: ['a'] })[0]!,
      occurredAt: at,
      receivedAt: at,
    };
    const again = { ...first, occurredAt: at + 5 * 3_600_000, receivedAt: at + 5 * 3_600_000 };
    for (const events of [
      [first, again],
      [again, first],
    ]) {
      const log = await emptyLog();
      for (const event of events) await log.append(0, [event]);
      await projected(log);
      await build(log, MIDDLE);
      expect(await readModelBytes(postgres.pool, 2)).toEqual(await readModelBytes(postgres.pool));
      await log.close();
    }
  });
});
