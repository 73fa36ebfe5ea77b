// A site whose visitors are spread over partitions is answered for as any other; a change of the
// spread loses and doubles nothing, and cuts no session but those open at that moment.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { SiteDirectory } from '../../src/modules/auth/directories/site.directory.js';
import {
  type SpreadPeriod,
  spreadAt,
  spreadFromNow,
  spreadFromStart,
} from '../../src/modules/auth/sites/spread.js';
import { CATALOG } from '../catalog.js';
import { createReadModelTables } from '../../src/modules/projections/read-model-tables.js';
import { QueryModule } from '../../src/modules/query/query.module.js';
import { partitionOfVisitor } from '../../src/tracking-log/partitioning.js';
import type { Partition, TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { naiveSessions } from '../naive-fold.js';
import { openLog, project } from '../projecting.js';
import { expectedReadModels, storedReadModels } from '../read-models.js';
import { type ControlPlane, startControlPlane } from '../servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';
import { shuffled, trouble } from '../traffic.js';

const PARTITIONS = 4;
const FROM = Date.UTC(2026, 2, 30);
const MINUTE_MS = 60_000;

describe('spread sites', () => {
  let postgres: MigratedPostgres;
  let directory: string;
  let log: TrackingLog;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    await createReadModelTables(postgres.pool, CATALOG);
  });
  afterAll(() => postgres.stop());

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-spread-'));
    log = openLog(directory, PARTITIONS);
    await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
  });
  afterEach(async () => {
    await log.close();
    await rm(directory, { recursive: true });
  });

  const partitionOf = (event: TrackedEvent, spread: number): Partition =>
    partitionOfVisitor(event, { partitions: PARTITIONS, spread });

  /** By partition what went there. */
  async function append(
    events: readonly TrackedEvent[],
    spreadOf: (event: TrackedEvent) => number,
  ): Promise<TrackedEvent[][]> {
    const appended: TrackedEvent[][] = Array.from({ length: PARTITIONS }, () => []);
    for (let start = 0; start < events.length; start += 25) {
      const some = events.slice(start, start + 25);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const batch = some.filter((event) => partitionOf(event, spreadOf(event)) === partition);
        if (batch.length === 0) continue;
        await log.append(partition, batch);
        appended[partition]!.push(...batch);
      }
    }
    return appended;
  }

  it('are answered for as sites that are not', async () => {
    const plane = await startControlPlane(postgres.pool, { modules: [QueryModule] });
    try {
      const plain = await createSite(plane, { domain: 'plain.example' });
      const spread = await createSite(plane, { domain: 'spread.example', spread: 3 });
      const made = trouble({ seed: 21, events: 1_500, visitors: 200, days: 2, from: FROM, sites: ['a'] }).map(
        unlinked,
      );
      const both = made.flatMap((event) => [
        { ...event, site: plain },
        // No visitor is known to two sites: the hash that names one has the site in it.
        { ...event, site: spread, visitor: [...event.visitor].toReversed().join('') },
      ]);
      const sites = plane.app.get(SiteDirectory);
      const projecting = project(log, postgres.pool, { flushEventsMax: 500 });
      const appended = await append(both, ({ site, occurredAt }) => sites.spreadAt(site, occurredAt));
      await projecting.caughtUp();
      await projecting.stop();
      expect(appended.filter((events) => events.some(({ site }) => site === spread))).toHaveLength(3);
      expect(appended.filter((events) => events.some(({ site }) => site === plain))).toHaveLength(1);
      for (const query of QUERIES) {
        const [ofPlain, ofSpread] = await Promise.all([plain, spread].map((site) => ask(plane, site, query)));
        expect(ofSpread!.results.length).toBeGreaterThan(0);
        expect(ofSpread!.results).toEqual(ofPlain!.results);
      }
    } finally {
      await plane.close();
    }
  });

  it('lose and double nothing when the spread changes while events come, late and repeated ones among them', async () => {
    const made = trouble({ seed: 22, events: 2_000, visitors: 60, days: 2, from: FROM, sites: ['a', 'b'] });
    const projecting = project(log, postgres.pool, { flushEventsMax: 200, eventsInMemoryMax: () => 50 });
    const appended = await append(shuffled(made, 5), ({ occurredAt }) => spreadAt(CHANGED, occurredAt));
    await projecting.caughtUp();
    await projecting.stop();
    const expected = appended.map((events) => expectedReadModels(events));
    const stored = await storedReadModels(postgres.pool);
    expect(stored.sessions).toEqual(expected.flatMap(({ sessions }) => sessions).sort());
    expect(stored.traffic.toSorted()).toEqual(expected.flatMap(({ traffic }) => traffic).sort());
    const { rows } = await postgres.pool.query('SELECT error FROM dead_letters');
    expect(rows).toEqual([]);
  });

  it('keep whole the sessions that were not open when the spread changed', () => {
    const made = trouble({
      seed: 23,
      events: 4_000,
      visitors: 60,
      days: 2,
      from: FROM,
      sites: ['a', 'b'],
    }).map(unlinked);
    const byPartition = Array.from({ length: PARTITIONS }, (_, partition) =>
      made.filter((event) => partitionOf(event, spreadAt(CHANGED, event.occurredAt)) === partition),
    );
    // Repeats come up to 45 minutes after what they repeat, and may be on the other side.
    const isFar = ({ startedAt, endedAt }: { startedAt: number; endedAt: number }) =>
      CHANGED.every(({ from }) => endedAt < from - 75 * MINUTE_MS || startedAt > from + 75 * MINUTE_MS);
    const whole = naiveSessions(made)
      .filter(isFar)
      .map((session) => JSON.stringify(session));
    const spread = byPartition.flatMap((events) => naiveSessions(events)).filter(isFar);
    expect(whole.length).toBeGreaterThan(500);
    expect(spread.map((session) => JSON.stringify(session)).sort()).toEqual(whole.sort());
  });
});

const at = (hours: number): Date => new Date(FROM + hours * 3_600_000 - MINUTE_MS);

/** From the beginning 1, later 4, then 2. */
const CHANGED: readonly SpreadPeriod[] = [
  { spread: 4, now: at(15) },
  { spread: 2, now: at(31.5) },
].reduce((periods, change) => spreadFromNow(periods, change), spreadFromStart(1));

const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'bounce_rate',
  'visit_duration',
  'views_per_visit',
];
const RANGE = { date_range: ['2026-03-30', '2026-03-31'], include: { bots: true } };
const QUERIES = [
  { metrics: METRICS, ...RANGE },
  { metrics: METRICS, ...RANGE, dimensions: ['time:hour'] },
  { metrics: METRICS, ...RANGE, dimensions: ['time:day'] },
  { metrics: ['visitors', 'visits'], ...RANGE, dimensions: ['visit:country'] },
  { metrics: ['visitors', 'events'], ...RANGE, dimensions: ['event:page'] },
  { metrics: ['visitors', 'visits'], ...RANGE, filters: [['is', 'event:name', ['signup']]] },
];

/** As if its visitor's id had not changed at midnight. */
function unlinked(event: TrackedEvent): TrackedEvent {
  const { ...alone }: { -readonly [Field in keyof TrackedEvent]: TrackedEvent[Field] } = event;
  delete alone.previousVisitor;
  return alone;
}

async function createSite(plane: ControlPlane, body: Record<string, unknown>): Promise<string> {
  return (await plane.call('POST', '/v1/sites', { body })).body.id;
}

async function ask(plane: ControlPlane, site: string, body: unknown): Promise<{ results: unknown[] }> {
  const answer = await plane.call('POST', `/v1/sites/${site}/query`, { body });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}
