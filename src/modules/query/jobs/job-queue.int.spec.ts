// Who works on a job, and that nobody else writes into its result: queue and store on real PostgreSQL.
import { createHash } from 'node:crypto';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { readConfig } from '../../../config/config.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { type ClaimedJob, JobLostError, JobQueue } from './job-queue.js';
import { JobReaper } from './job-reaper.js';
import { JobTable } from './job-table.js';
import { JobsTelemetry } from './jobs.telemetry.js';
import { ResultGoneError, ResultStore } from './result-store.js';
import { ResultWriter } from './result-writer.js';

const config = readConfig({ JOBS_WAITING_PER_SITE_MAX: '3', JOBS_WAITING_PER_MERCHANT_MAX: '5' });
const PROGRESS = { rows: 1, rowsExpected: 2, share: 0.5 };

let postgres: MigratedPostgres;
let queue: JobQueue;
let store: ResultStore;
let table: JobTable;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  queue = new JobQueue(postgres.pool, config);
  store = new ResultStore(postgres.pool);
  table = new JobTable(postgres.pool, config, store);
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  await postgres.pool.query('DELETE FROM jobs');
});

const add = (site = 's1', merchant = 'm1') =>
  table.add({ site, merchant, kind: 'export', request: { asked: {} } });
const next = (owner = 'a') => queue.claim(owner, ['export']);
const claim = async (owner = 'a') => (await next(owner))!;
const leaseEnds = () => postgres.pool.query(`UPDATE jobs SET until = now() - interval '1 ms'`);
const open = (job: ClaimedJob, bytesMax = 1_000) => ResultWriter.open(job, { store, bytesMax });

async function contentOf(job: ClaimedJob): Promise<string> {
  const { bytes } = (await table.find(job))!;
  const pieces: Buffer[] = [];
  for await (const piece of store.read(job, { from: 0, to: bytes })) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

it('gives each job to one worker, whoever asks how often at once', async () => {
  for (const site of ['s1', 's2', 's3']) await add(site, site);
  const claims = await Promise.all(Array.from({ length: 9 }, (_, index) => next(`worker ${index}`)));
  const ids = claims.flatMap((job) => job?.id ?? []);
  for (let job = await next('z'); job !== undefined; job = await next('z')) ids.push(job.id);
  expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
});

it('goes round among merchants, and takes the oldest of each first', async () => {
  const first = [await add('s1', 'm1'), await add('s1', 'm1'), await add('s2', 'm2')];
  const taken = [await claim(), await claim(), await claim()].map(({ id }) => id);
  expect(taken).toEqual([first[0]!.id, first[2]!.id, first[1]!.id]);
});

it('leaves kinds that it does not know to others', async () => {
  await add();
  expect(await queue.claim('of the version before', ['query'])).toBeUndefined();
  expect((await claim()).tries).toBe(1);
});

it('lets another take over where the lease ran out, who goes on behind what was written', async () => {
  await add();
  const lost = await claim('lost');
  const before = await open(lost);
  await before.append(Buffer.from('one\n'), PROGRESS, '{"after":1}');
  expect(await next('too soon')).toBeUndefined();
  await leaseEnds();
  const successor = await claim('successor');
  expect(successor).toMatchObject({ id: lost.id, tries: 2, cursor: '{"after":1}', bytes: 4, generation: 2 });
  const after = await open(successor);
  await after.append(Buffer.from('two\n'), { ...PROGRESS, rows: 2 }, '{"after":2}');
  expect(await contentOf(successor)).toBe('one\ntwo\n');
  expect(after.sha256()).toBe(createHash('sha256').update('one\ntwo\n').digest('hex'));
});

it('keeps whoever wakes up after a pause from writing anything', async () => {
  await add();
  const paused = await claim('paused');
  const sleeper = await open(paused);
  await sleeper.append(Buffer.from('one\n'), PROGRESS, '1');
  await leaseEnds();
  const successor = await claim('successor');
  const writer = await open(successor);
  for (const attempt of [
    () => sleeper.append(Buffer.from('stale\n'), PROGRESS, 'stale'),
    () => sleeper.startAnew(),
    () => queue.report(paused, { ...PROGRESS, rows: 999 }),
    () => queue.finish(paused, { contentType: 'x', sha256: 'x', rows: 9, about: null }),
  ]) {
    await expect(attempt()).rejects.toThrow(JobLostError);
  }
  expect(await queue.renew(paused)).toBe(false);
  expect(await queue.fail(paused, { status: 500, type: 'x', title: 'x' })).toBe(false);
  await queue.putBack(paused, 0);
  await queue.handOver(paused);
  await writer.append(Buffer.from('two\n'), PROGRESS, '2');
  expect(await contentOf(successor)).toBe('one\ntwo\n');
  const done = { contentType: 'text/plain', sha256: writer.sha256(), rows: 2, about: null };
  await queue.finish(successor, done);
  await expect(sleeper.append(Buffer.from('stale\n'), PROGRESS, 'x')).rejects.toThrow(JobLostError);
  expect(await table.find(successor)).toMatchObject({
    state: 'done',
    bytes: 8,
    progress: { rows: 2, share: 1 },
  });
});

it('writes a chunk and how far the job is together, or neither', async () => {
  await add();
  const job = await claim();
  const writer = await open(job, 10);
  await writer.append(Buffer.from('12345678'), PROGRESS, '1');
  await expect(writer.append(Buffer.from('9ab'), PROGRESS, '2')).rejects.toMatchObject({
    options: { status: 422, type: 'result-too-large' },
  });
  // A chunk that is there already: the statement fails as a whole.
  await expect(
    store.append(job, { firstByte: 0, bytes: Buffer.from('x'), progress: PROGRESS, cursor: '3' }),
  ).rejects.toThrow('duplicate key');
  const { rows } = await postgres.pool.query('SELECT cursor, bytes FROM jobs');
  expect(rows).toEqual([{ cursor: '1', bytes: '8' }]);
});

it('begins anew without a trace', async () => {
  await add();
  const job = await claim();
  const writer = await open(job);
  await writer.append(Buffer.from('first version'), PROGRESS, '1');
  await writer.startAnew();
  await writer.append(Buffer.from('second'), PROGRESS, '2');
  expect(await contentOf(job)).toBe('second');
  expect(writer.sha256()).toBe(createHash('sha256').update('second').digest('hex'));
});

it('reads any bytes, across chunks, and says when they are gone', async () => {
  await add();
  const job = await claim();
  const writer = await open(job);
  for (const text of ['abc', 'defg', 'h']) await writer.append(Buffer.from(text), PROGRESS, text);
  for (let from = 0; from < 8; from++) {
    for (let to = from; to <= 8; to++) {
      const pieces: Buffer[] = [];
      for await (const piece of store.read(job, { from, to })) pieces.push(piece);
      expect(Buffer.concat(pieces).toString()).toBe('abcdefgh'.slice(from, to));
    }
  }
  const reading = store.read(job, { from: 0, to: 8 });
  await reading.next();
  await store.delete(job);
  await expect(reading.next()).rejects.toThrow(ResultGoneError);
});

it('puts a job back for later, and hands it over at once without counting a try', async () => {
  await add();
  const broken = await claim();
  await queue.putBack(broken, 60_000);
  expect(await next('too soon')).toBeUndefined();
  await leaseEnds();
  const again = await claim();
  expect(again.tries).toBe(2);
  await queue.handOver(again);
  expect(await claim()).toMatchObject({ tries: 2, generation: 3 });
});

it('refuses more jobs than a site or a merchant may have waiting, under contention too', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => add('s1', 'm1')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  await Promise.all([add('s2', 'm1'), add('s3', 'm1')]);
  await expect(add('s4', 'm1')).rejects.toMatchObject({
    options: { status: 429, type: 'too-many-jobs', retryAfterSeconds: 30 },
  });
  await add('s5', 'm2');
  await queue.fail(await claim(), { status: 500, type: 'x', title: 'x' });
  await queue.fail(await claim(), { status: 500, type: 'x', title: 'x' });
  expect((await add('s4', 'm1')).state).toBe('queued');
});

it('refuses more where too much is kept, until it is deleted', async () => {
  const small = new JobTable(postgres.pool, { ...config, JOB_RESULTS_PER_MERCHANT_BYTES_MAX: 4 }, store);
  await add();
  const job = await claim();
  const writer = await open(job);
  await writer.append(Buffer.from('12345'), PROGRESS, '1');
  await queue.finish(job, { contentType: 'x', sha256: 'x', rows: 1, about: null });
  const wanted = { site: 's1', merchant: 'm1', kind: 'export', request: { asked: {} } };
  await expect(small.add(wanted)).rejects.toMatchObject({ options: { status: 409 } });
  await small.remove((await small.find(job))!);
  expect((await small.add(wanted)).state).toBe('queued');
});

it('forgets documents a week after their results', async () => {
  for (const site of ['s1', 's2']) await add(site, site);
  for (const days of [6, 8]) {
    const job = await claim();
    await queue.fail(job, { status: 500, type: 'x', title: 'x' });
    await postgres.pool.query(`UPDATE jobs SET expires_at = now() - $1 * interval '1 day' WHERE id = $2`, [
      days,
      job.id,
    ]);
  }
  await new JobReaper(postgres.pool, store, new JobsTelemetry(new Telemetry('silent'))).reap();
  expect((await postgres.pool.query('SELECT site FROM jobs')).rows).toEqual([{ site: 's1' }]);
});

describe('what has expired', () => {
  const tables = async () =>
    (
      await postgres.pool.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relname LIKE 'job\\_results\\_%' AND relkind = 'r'`,
      )
    ).rows.map(({ name }) => name);

  /** As if they had been created so many hours ago. */
  async function jobsOf(hoursAgo: number, count: number): Promise<ClaimedJob[]> {
    const jobs: ClaimedJob[] = [];
    for (let index = 0; index < count; index++) {
      await add(`s${index}`, `m${index}`);
      await postgres.pool.query(
        `UPDATE jobs SET created_at = now() - $1 * interval '1 hour' WHERE state = 'queued'`,
        [hoursAgo],
      );
      const job = await claim();
      const writer = await open(job);
      await writer.append(Buffer.from('bytes'), PROGRESS, '1');
      await queue.finish(job, { contentType: 'x', sha256: 'x', rows: 1, about: null });
      jobs.push(job);
    }
    return jobs;
  }
  const expire = ({ id }: ClaimedJob) =>
    postgres.pool.query(`UPDATE jobs SET expires_at = now() WHERE id = $1`, [id]);

  it('is dropped with the last result of its hour, and nothing else is', async () => {
    const [one, other] = (await jobsOf(30, 2)) as [ClaimedJob, ClaimedJob];
    const [recent] = (await jobsOf(0, 1)) as [ClaimedJob];
    const before = await tables();
    await expire(one);
    await expire(recent);
    await store.dropExpired();
    expect(await contentOf(other)).toBe('bytes');
    await expire(other);
    expect(await store.dropExpired()).toBe(1);
    await expect(contentOf(other)).rejects.toThrow(ResultGoneError);
    expect(before.length - (await tables()).length).toBe(1);
    // Of this hour, in which others may be writing.
    expect(await contentOf(recent)).toBe('bytes');
  });
});
