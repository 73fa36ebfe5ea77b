// Dead letters from the projector that writes them to the operator who decides about them, and back into
// the log: on a real PostgreSQL and a real log.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Type } from '@nestjs/common';
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { project } from '../../../../test/projecting.js';
import { expectedReadModels, storedReadModels } from '../../../../test/read-models.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { trouble } from '../../../../test/traffic.js';
import { partitionOf } from '../../../tracking-log/partitioning.js';
import { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { TrackingLogModule } from '../../../tracking-log/tracking-log.module.js';
import { CATALOG, createInterpreter } from '../../../../test/catalog.js';
import { createReadModelTables } from '../read-model-tables.js';
import { DeadLettersModule } from './dead-letters.module.js';
import { DecisionFollowerModule } from './decision-follower.module.js';

const PATH = '/admin/v1/dead-letters';
const interpret = createInterpreter();

let postgres: MigratedPostgres;
let plane: ControlPlane;
let log: TrackingLog;
let dataDirectory: string;

/** With a projector's part in it: the log, and who carries out what is decided. */
const WITH_PROJECTOR = [TrackingLogModule, DeadLettersModule, DecisionFollowerModule];

const start = (modules: readonly Type[]): Promise<ControlPlane> =>
  startControlPlane(postgres.pool, {
    modules,
    dataDirectory,
    environment: { OPERATOR_KEY, KEY_PEPPER: 'the same pepper in every process of the test' },
  });

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModelTables(postgres.pool, CATALOG);
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints, dead_letters');
  dataDirectory = await mkdtemp(join(tmpdir(), 'tidemark-dead-letters-'));
  plane = await start(WITH_PROJECTOR);
  log = plane.app.get<TrackingLog>(TrackingLog, { strict: false });
});
afterEach(async () => {
  await plane.close();
  await rm(dataDirectory, { recursive: true });
});

const made = (events: number): TrackedEvent[] =>
  trouble({ seed: 3, events, visitors: 6, days: 1, from: Date.UTC(2026, 2, 30), sites: ['a', 'b'] });

async function append(events: readonly TrackedEvent[]): Promise<void> {
  for (const event of events) await log.append(partitionOf(event.site, log.partitions), [event]);
}

/** An event that is not repeated: it makes one letter. */
const unrepeated = (events: readonly TrackedEvent[]): TrackedEvent =>
  events.find(({ id }) => events.filter((event) => event.id === id).length === 1)!;

/** As a version would whose interpreter has a bug. */
async function projectAll(isSpoiled: (event: TrackedEvent) => boolean = () => false): Promise<void> {
  const projecting = project(log, postgres.pool, {
    interpret: (event) => {
      if (isSpoiled(event)) throw new Error(`a bug met ${event.id}`);
      return interpret(event);
    },
  });
  await projecting.caughtUp();
  await projecting.stop();
}

async function inLog(): Promise<TrackedEvent[]> {
  const events: TrackedEvent[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    for await (const batch of log.read(partition, null, { follow: false })) events.push(...batch.events);
  }
  return events;
}

const letters = async (query = '') => (await plane.call('GET', `${PATH}${query}`)).body.deadLetters;

describe('a dead letter', () => {
  it('is counted once after its replay, in the partition it came from, and its event is what it was', async () => {
    const events = made(80);
    // Intake would repair the NUL; what a letter shows is repaired, what it replays is not.
    const titled = events.map((event, n) => (n === 40 ? { ...event, title: 'a\0b\ud800' } : event));
    const spoiled = [titled[20]!, titled[40]!];
    await append(titled);
    await projectAll(({ id }) => spoiled.some((event) => event.id === id));
    const listed = await letters();
    expect(listed.map(({ eventId }: { eventId: string }) => eventId).sort()).toEqual(
      spoiled.map(({ id }) => id).sort(),
    );
    for (const { id, eventId } of listed) {
      const shown = await plane.call('GET', `${PATH}/${id}`);
      expect(shown.body).toMatchObject({ id, error: `a bug met ${eventId}`, event: { id: eventId } });
      const answer = await plane.call('POST', `${PATH}/${id}/replay`);
      expect([answer.status, answer.body]).toEqual([202, { id, done: true }]);
      expect((await plane.call('GET', `${PATH}/${id}`)).status).toBe(404);
    }
    expect(await letters()).toEqual([]);
    const logged = await inLog();
    expect(logged).toHaveLength(titled.length + spoiled.length);
    for (const event of spoiled) {
      expect(logged.filter(({ id }) => id === event.id)).toEqual(
        titled.filter(({ id }) => id === event.id).concat(event),
      );
    }
    await projectAll();
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(titled));
  });

  it('adds nothing when its event was counted after all', async () => {
    const events = made(60);
    const spoiled = unrepeated(events);
    await append(events);
    await projectAll(({ id }) => id === spoiled.id);
    const [{ id }] = await letters();
    // A later version folds the whole log anew, and meets no bug.
    await postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints');
    await projectAll();
    await plane.call('POST', `${PATH}/${id}/replay`);
    await projectAll();
    expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(events));
  });

  it('comes back as another one while what spoiled it lasts', async () => {
    const events = made(5);
    const spoiled = unrepeated(events);
    await append(events);
    await projectAll(({ id }) => id === spoiled.id);
    const [first] = await letters();
    await plane.call('POST', `${PATH}/${first.id}/replay`);
    await projectAll(({ id }) => id === spoiled.id);
    const [second, ...others] = await letters();
    expect(others).toEqual([]);
    expect(second).toMatchObject({ eventId: spoiled.id });
    expect(second.id).not.toBe(first.id);
  });

  it('is gone after its deletion, and what it held stays uncounted and in the log', async () => {
    const events = made(30);
    const spoiled = unrepeated(events);
    await append(events);
    await projectAll(({ id }) => id === spoiled.id);
    const [{ id }] = await letters();
    const answer = await plane.call('DELETE', `${PATH}/${id}`);
    expect([answer.status, answer.body]).toEqual([202, { id, done: true }]);
    expect(await letters()).toEqual([]);
    expect(await inLog()).toHaveLength(events.length);
    expect((await plane.call('DELETE', `${PATH}/${id}`)).status).toBe(404);
    expect((await plane.call('POST', `${PATH}/${id}/replay`)).status).toBe(404);
  });

  it('that a release before its bytes wrote is replayed from its JSON', async () => {
    const events = made(10);
    const spoiled = unrepeated(events);
    await append(events);
    await projectAll(({ id }) => id === spoiled.id);
    await postgres.pool.query('UPDATE dead_letters SET batch = NULL');
    const [{ id }] = await letters();
    expect((await plane.call('POST', `${PATH}/${id}/replay`)).body.done).toBe(true);
    expect((await inLog()).filter(({ id }) => id === spoiled.id)).toEqual([spoiled, spoiled]);
  });
});

describe('what was decided', () => {
  async function oneLetter(): Promise<{ id: string; failedAt: string }> {
    const events = made(6);
    const spoiled = unrepeated(events);
    await append(events);
    await projectAll(({ id }) => id === spoiled.id);
    return (await letters())[0];
  }

  it('is in the audit trail, with who decided, and without the event', async () => {
    const { id, failedAt } = await oneLetter();
    await plane.call('POST', `${PATH}/${id}/replay`);
    const { body } = await plane.call('GET', `/admin/v1/audit?stream=dead-letter-${id}`);
    expect(body.entries.at(-1)).toMatchObject({
      at: expect.any(String),
      by: 'operator',
      kind: 'operator',
      request: expect.any(String),
      stream: `dead-letter-${id}`,
      revision: expect.any(Number),
      type: 'DeadLetterReplayRequested',
      data: { letter: id, failedAt },
    });
  });

  it('is carried out by a projector that starts later, once', async () => {
    const { id } = await oneLetter();
    const before = await inLog();
    await plane.close();
    const withoutProjector = await start([DeadLettersModule]);
    const answer = await withoutProjector.call('POST', `${PATH}/${id}/replay`);
    expect([answer.status, answer.body]).toEqual([202, { id, done: false }]);
    const again = await withoutProjector.call('POST', `${PATH}/${id}/replay`);
    expect(again.status).toBe(202);
    await withoutProjector.close();

    plane = await start(WITH_PROJECTOR);
    log = plane.app.get<TrackingLog>(TrackingLog, { strict: false });
    while ((await letters()).length > 0) await sleep(20);
    expect(await inLog()).toHaveLength(before.length + 1);
  });

  it('holds for that letter, not for one that came at the same place later', async () => {
    const { id } = await oneLetter();
    const { rows } = await postgres.pool.query('SELECT * FROM dead_letters');
    await plane.call('DELETE', `${PATH}/${id}`);
    await postgres.pool.query(
      `INSERT INTO dead_letters SELECT (json_populate_record(null::dead_letters, $1::json)).*`,
      [JSON.stringify({ ...rows[0], batch: `\\x${rows[0].batch.toString('hex')}`, failed_at: new Date() })],
    );
    await plane.close();
    plane = await start(WITH_PROJECTOR);
    await sleep(500);
    expect(await letters()).toHaveLength(1);
  });
});
