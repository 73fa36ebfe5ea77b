// A newer version appended to the log while this one projects: what it wrote is passed over, counted, said
// once and kept, the numbers of all others go on, and once it can be read it is replayed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEWER_SCHEMA, withSchema } from '../../../test/newer-batch.js';
import { project, type Projecting } from '../../../test/projecting.js';
import { expectedReadModels, storedReadModels } from '../../../test/read-models.js';
import { type ControlPlane, startControlPlane } from '../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import { trouble } from '../../../test/traffic.js';
import { type TrackedEvent, TRACKED_EVENT_SCHEMA } from '../../events/tracked-event.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import { TrackingLog, UnknownBatchError } from '../../tracking-log/tracking-log.js';
import { TrackingLogModule } from '../../tracking-log/tracking-log.module.js';
import { CATALOG } from '../../../test/catalog.js';
import { DeadLettersModule } from './dead-letters/dead-letters.module.js';
import { DecisionFollowerModule } from './dead-letters/decision-follower.module.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { createReadModelTables } from './read-model-tables.js';

let newer = false;

jest.mock('../../tracking-log/batch-codec.js', () => {
  const actual = jest.requireActual<typeof import('../../tracking-log/batch-codec.js')>(
    '../../tracking-log/batch-codec.js',
  );
  const encodeBatch: typeof actual.encodeBatch = (...batch) =>
    newer ? withSchema(NEWER_SCHEMA, actual.encodeBatch(...batch)) : actual.encodeBatch(...batch);
  return { ...actual, encodeBatch };
});

const PATH = '/admin/v1/dead-letters';
const BATCH_EVENTS = 20;
const made = trouble({
  ...{ seed: 8, events: 400, visitors: 12, days: 2 },
  ...{ from: Date.UTC(2026, 2, 30), sites: ['a', 'b'] },
});

let postgres: MigratedPostgres;
let plane: ControlPlane;
let log: TrackingLog;
let dataDirectory: string;
let said: string[];
let telemetry: Telemetry;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModelTables(postgres.pool, CATALOG);
  dataDirectory = await mkdtemp(join(tmpdir(), 'tidemark-unknown-'));
  plane = await startControlPlane(postgres.pool, {
    modules: [TrackingLogModule, DeadLettersModule, DecisionFollowerModule],
    dataDirectory,
  });
  log = plane.app.get<TrackingLog>(TrackingLog, { strict: false });
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
  await rm(dataDirectory, { recursive: true });
});

async function append(
  events: readonly TrackedEvent[],
  by: 'this version' | 'a newer version',
): Promise<void> {
  newer = by === 'a newer version';
  for (let start = 0; start < events.length; start += BATCH_EVENTS) {
    await log.append(0, events.slice(start, start + BATCH_EVENTS));
  }
  newer = false;
}

function projecting(): Projecting {
  said = [];
  telemetry = new Telemetry('error', { write: (line) => void said.push(line) });
  return project(log, postgres.pool, { telemetry: new ProjectionsTelemetry(telemetry) });
}

async function projectAll(): Promise<void> {
  const running = projecting();
  await running.caughtUp();
  await running.stop();
}

const letters = async () => (await plane.call('GET', PATH)).body.deadLetters;

async function counted(metric: string): Promise<Record<string, number>> {
  const { values } = await telemetry.registry.getSingleMetric(metric)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels)[0], value]));
}

it('passes a newer version’s events over live, and counts them all once they can be read', async () => {
  const [before, unknown, after] = [made.slice(0, 200), made.slice(200, 260), made.slice(260)];
  await append(before, 'this version');
  await append(unknown, 'a newer version');
  await append(after, 'this version');
  await projectAll();

  // Live: nothing halts, and nothing is silent.
  expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels([...before, ...after]));
  expect(await counted('tidemark_projections_unknown_events_total')).toEqual({ [NEWER_SCHEMA]: 60 });
  const outcomes = await counted('tidemark_projections_events_total');
  expect(outcomes).toMatchObject({ dead_letter: 60 });
  expect(outcomes['folded']! + outcomes['duplicate']!).toBe(340);
  expect(said.filter((line) => line.includes('of a newer version'))).toHaveLength(1);
  expect(JSON.parse(said.find((line) => line.includes('of a newer version'))!)).toMatchObject({
    schema: NEWER_SCHEMA,
    partition: 0,
    position: '11',
  });
  const listed = await letters();
  expect(listed).toHaveLength(unknown.length / BATCH_EVENTS);
  expect(listed[0]).toMatchObject({
    ...{ events: BATCH_EVENTS, site: null, eventId: null },
    error: expect.stringContaining(`schema ${NEWER_SCHEMA}`),
  });
  const { rows } = await postgres.pool.query<{ events: string }>(
    'SELECT max(events) AS events FROM checkpoints',
  );
  expect(Number(rows[0]!.events)).toBe(made.length);

  // A rebuild stops there.
  const rebuilding = async () => {
    for await (const _ of log.read(0, null, { follow: false }));
  };
  await expect(rebuilding()).rejects.toThrow(UnknownBatchError);
  await expect(rebuilding()).rejects.toThrow('Partition 0 holds at position 11');

  // Before the upgrade a replay is refused, and the letter kept.
  const [{ id }] = listed;
  const refused = await plane.call('POST', `${PATH}/${id}/replay`);
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('newer one')]);
  expect((await plane.call('GET', `${PATH}/${id}`)).body.event).toBeNull();

  // The upgrade: now the schema is one that can be read.
  const kept = await postgres.pool.query<{ id: string; batch: Buffer }>('SELECT id, batch FROM dead_letters');
  for (const letter of kept.rows) {
    const readable = withSchema(TRACKED_EVENT_SCHEMA, letter.batch);
    await postgres.pool.query('UPDATE dead_letters SET batch = $2 WHERE id = $1', [letter.id, readable]);
    const answer = await plane.call('POST', `${PATH}/${letter.id}/replay`);
    expect(answer.body).toEqual({ id: letter.id, done: true });
  }
  // What this version still passes over where it stands in the log is not read again.
  await projectAll();
  expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(made));
  expect(await letters()).toEqual([]);
});

it('keeps a letter that the projector cannot replay though the API could, and carries out the next', async () => {
  await append(made.slice(0, 20), 'a newer version');
  await projectAll();
  const [{ id, failedAt }] = await letters();
  const data = { letter: id, failedAt };
  await postgres.pool.query(
    `INSERT INTO event_store.events (position, stream, revision, type, data)
     SELECT max(position) + 1, $1, 0, 'DeadLetterReplayRequested', $2 FROM event_store.events`,
    [`dead-letter-${id}`, JSON.stringify(data)],
  );
  await append(made.slice(20, 40), 'a newer version');
  await projectAll();
  const [next] = await letters();
  expect((await plane.call('DELETE', `${PATH}/${next.id}`)).body).toEqual({ id: next.id, done: true });
  expect((await letters()).map((letter: { id: string }) => letter.id)).toEqual([id]);
});
