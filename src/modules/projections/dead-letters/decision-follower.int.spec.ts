// Who carries out decisions about dead letters, while the log fails, beside others who do the same, and
// whatever a newer version may have decided.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchNamed } from '../../../../test/crash/named-batches.js';
import { ObstructedLog } from '../../../../test/obstructed-log.js';
import { openLog } from '../../../../test/projecting.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { PostgresEventStore } from '../../../event-store/postgres.event-store.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { insertDeadLetters } from './dead-letter-writer.js';
import { DeadLetterTable } from './dead-letter-table.js';
import { DeadLettersTelemetry } from './dead-letters.telemetry.js';
import { DecisionFollower } from './decision-follower.js';
import { Decisions } from './decisions.js';

const PARTITION = 1;

let postgres: MigratedPostgres;
let store: PostgresEventStore;
let directory: string;
let log: ObstructedLog;
let table: DeadLetterTable;
const followers: DecisionFollower[] = [];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-follower-'));
  log = new ObstructedLog(openLog(directory, 2));
  store = new PostgresEventStore(postgres.pool, new Telemetry('silent'));
  table = new DeadLetterTable(postgres.pool);
  await postgres.pool.query('TRUNCATE dead_letters; TRUNCATE event_store.events');
});
afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.onModuleDestroy();
  await store.close();
  await log.close();
  await rm(directory, { recursive: true });
});

async function follow(): Promise<() => Promise<Record<string, number>>> {
  const telemetry = new Telemetry('silent');
  const follower = new DecisionFollower({
    ...{ eventStore: store, log, pool: postgres.pool, table },
    telemetry: new DeadLettersTelemetry(telemetry),
  });
  followers.push(follower);
  await follower.onApplicationBootstrap();
  return async () => {
    const { values } = await telemetry.registry
      .getSingleMetric('tidemark_dead_letters_decisions_total')!
      .get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'], value]));
  };
}

async function letter(name: string): Promise<{ letter: string; failedAt: string }> {
  const client = await postgres.pool.connect();
  const [event] = batchNamed(name, 1);
  const place = { projection: 'sessions', version: 1, partition: PARTITION, position: name };
  await insertDeadLetters(client, [{ kind: 'event', ...place, index: 0, event: event!, error: 'a bug' }]);
  client.release();
  const id = `sessions-1-${PARTITION}-${name}-0`;
  return { letter: id, failedAt: (await table.find(id))!.failedAt };
}

const decide = (
  type: 'DeadLetterReplayRequested' | 'DeadLetterDeletionRequested',
  data: { letter: string; failedAt: string },
) => new Decisions(store, table).record({ type, data }, { by: 'operator', kind: 'operator' });

async function logged(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { events } of log.read(PARTITION, null, { follow: false }))
    ids.push(...events.map(({ id }) => id));
  return ids;
}

it('waits for a log that is away, keeps the letter meanwhile, and carries out what comes after it', async () => {
  log.obstruct('refuses');
  const metric = await follow();
  const [first, second] = [await letter('1'), await letter('2')];
  expect(await decide('DeadLetterReplayRequested', first)).toBe(false);
  expect(await table.has(first)).toBe(true);
  const deleting = decide('DeadLetterDeletionRequested', second);
  log.obstruct('none');
  await deleting;
  while (await table.has(second)) await sleep(10);
  expect(await table.has(first)).toBe(false);
  expect(await logged()).toEqual(['1/0/1']);
  expect(await metric()).toEqual({ replayed: 1, deleted: 1 });
});

it('appends again what the log took without saying so, which the projector drops by its id', async () => {
  log.obstruct('loses-answers');
  await follow();
  const [one] = [await letter('1')];
  expect(await decide('DeadLetterReplayRequested', one)).toBe(false);
  log.obstruct('none');
  while (await table.has(one)) await sleep(10);
  const ids = await logged();
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids)).toEqual(new Set(['1/0/1']));
});

it('appends once though several projectors do it', async () => {
  const metrics = await Promise.all([follow(), follow(), follow()]);
  const letters = await Promise.all(Array.from({ length: 10 }, (_, n) => letter(String(n))));
  for (const one of letters) expect(await decide('DeadLetterReplayRequested', one)).toBe(true);
  expect((await logged()).sort()).toEqual(letters.map((_, n) => `${n}/0/1`).sort());
  let replayed = 0;
  for (const metric of metrics) replayed += (await metric())['replayed'] ?? 0;
  expect(replayed).toBe(letters.length);
});

it('gives up what can never be done, keeps the letter, and goes on', async () => {
  const metric = await follow();
  const [damaged, elsewhere, good] = [await letter('1'), await letter('2'), await letter('3')];
  await postgres.pool.query(`UPDATE dead_letters SET batch = '\\x0102' WHERE id = $1`, [damaged.letter]);
  await postgres.pool.query('UPDATE dead_letters SET partition = 77 WHERE id = $1', [elsewhere.letter]);
  expect(await decide('DeadLetterReplayRequested', damaged)).toBe(false);
  expect(await decide('DeadLetterReplayRequested', elsewhere)).toBe(false);
  expect(await decide('DeadLetterReplayRequested', good)).toBe(true);
  expect(await metric()).toEqual({ replayed: 1, impossible: 2 });
  expect([await table.has(damaged), await table.has(elsewhere)]).toEqual([true, true]);
  expect(await logged()).toEqual(['3/0/1']);
});

it('leaves alone what a newer version decided in words of its own', async () => {
  const metric = await follow();
  const [one, other] = [await letter('1'), await letter('2')];
  await store.append(`dead-letter-${one.letter}`, [{ type: 'DeadLetterEscalated', data: one }], 'any');
  expect(await decide('DeadLetterDeletionRequested', other)).toBe(true);
  expect(await table.has(one)).toBe(true);
  expect(await metric()).toEqual({ deleted: 1 });
});

it('carries out at its start what was decided while nobody followed, when the log takes it', async () => {
  const letters = await Promise.all(Array.from({ length: 3 }, (_, n) => letter(String(n))));
  const [replayed, deleted, kept] = letters as [
    (typeof letters)[0],
    (typeof letters)[0],
    (typeof letters)[0],
  ];
  const deciding = [
    decide('DeadLetterReplayRequested', replayed),
    decide('DeadLetterDeletionRequested', deleted),
    // Of an earlier letter of the same place.
    decide('DeadLetterDeletionRequested', { ...kept, failedAt: '2026-01-01T00:00:00.000000Z' }),
  ];
  expect(await Promise.all(deciding)).toEqual([false, false, true]);
  log.obstruct('refuses');
  const metric = await follow();
  await sleep(300);
  expect(await table.has(replayed)).toBe(true);
  log.obstruct('none');
  while ((await table.has(replayed)) || (await table.has(deleted))) await sleep(10);
  expect(await table.has(kept)).toBe(true);
  expect(await logged()).toEqual(['0/0/1']);
  expect(await metric()).toEqual({ replayed: 1, deleted: 1 });
});
