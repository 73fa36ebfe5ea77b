// The spool before a log that is taken away in every way that a log on other machines can be.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { batchNamed } from '../../test/crash/named-batches.js';
import {
  append,
  closeSpooling,
  drained,
  fill,
  freshDirectory,
  MEGABYTE,
  namesIn,
  openSpooling as open,
  removeDirectories,
  type Spooling,
  SPOOLED,
  UNAVAILABLE,
} from '../../test/spooling.js';
import { DamagedBatchError } from './batch-codec.js';
import { type AppendOutcome, InvalidAppendError, TrackingLogUnusableError } from './tracking-log.js';

async function value({ telemetry }: Spooling, metric: string): Promise<number> {
  const { values } = await telemetry.registry.getSingleMetric(metric)!.get();
  return values.reduce((sum, sample) => sum + sample.value, 0);
}

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

afterEach(closeSpooling);
afterAll(removeDirectories);

describe('while the log is in reach', () => {
  it('answers with the position in the log and leaves the spool alone', async () => {
    const spooling = await open(await freshDirectory());
    expect(await append(spooling, 'a')).toEqual({ outcome: 'appended', position: '1' });
    expect(await append(spooling, 'b')).toEqual({ outcome: 'appended', position: '2' });
    expect(await spooling.log.state()).toMatchObject({ batches: 0, oldestAt: null, hasRoom: true });
    expect(await value(spooling, 'tidemark_spool_appended_batches_total')).toBe(0);
  });
});

describe('while the log is away', () => {
  it.each(['refuses', 'throws'] as const)(
    'spools what it %s, and drains it in order when it is back, new events behind the old',
    async (obstruction) => {
      const spooling = await open(await freshDirectory());
      await append(spooling, 'before');
      spooling.remote.obstruct(obstruction);
      for (const name of named('away', 20)) expect(await append(spooling, name)).toEqual(SPOOLED);
      expect(await spooling.log.state()).toMatchObject({ batches: 20 });
      expect(await namesIn(spooling)).toEqual(['before']);

      spooling.remote.obstruct('none');
      await append(spooling, 'behind');
      await drained(spooling);
      expect(await append(spooling, 'after')).toMatchObject({ outcome: 'appended' });
      expect(await namesIn(spooling)).toEqual(['before', ...named('away', 20), 'behind', 'after']);
    },
  );

  it('lets one request wait a second for a log that hangs, and none after it', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('hangs');
    const start = performance.now();
    expect(await append(spooling, 'first')).toEqual(SPOOLED);
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(performance.now() - start).toBeLessThan(5_000);
    const next = performance.now();
    for (const name of named('next', 10)) expect(await append(spooling, name)).toEqual(SPOOLED);
    expect(performance.now() - next).toBeLessThan(5_000);

    spooling.remote.obstruct('none');
    await drained(spooling);
    expect(await namesIn(spooling)).toEqual(['first', ...named('next', 10)]);
  });

  it('asks the log again now and then, not once for each request', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('refuses');
    const startedAt = performance.now();
    for (const name of named('', 200)) await append(spooling, name);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(spooling.remote.appends).toBeLessThan(20 * Math.max(1, seconds));
  });

  it('leaves partitions alone that the log still takes', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('refuses', [1]);
    expect(await append(spooling, 'lame', 1)).toEqual(SPOOLED);
    expect(await append(spooling, 'sound', 0)).toMatchObject({ outcome: 'appended' });
    expect(await namesIn(spooling, 0)).toEqual(['sound']);
  });

  it('is done with the spool when the log is back, though one batch comes right after the other', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('refuses');
    await append(spooling, 'away');
    spooling.remote.obstruct('slow');
    const clients = Array.from({ length: 4 }, async (_, client) => {
      for (let n = 0; n < 200; n++) {
        const { outcome } = await append(spooling, `${client}:${n}`);
        if (outcome === 'appended') return n;
      }
      return Number.POSITIVE_INFINITY;
    });
    expect(Math.max(...(await Promise.all(clients)))).toBeLessThan(200);
    expect((await namesIn(spooling))[0]).toBe('away');
  });

  it('repeats what the log took without saying so, and keeps first appearances in order', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('loses-answers');
    for (const name of named('', 10)) expect(await append(spooling, name)).toEqual(SPOOLED);
    spooling.remote.obstruct('none');
    await drained(spooling);
    const found = await namesIn(spooling);
    expect(found.length).toBeGreaterThan(10);
    expect([...new Set(found)]).toEqual(named('', 10));
  });

  it('refuses as the log does what is not for want of the log', async () => {
    const spooling = await open(await freshDirectory());
    const large = batchNamed('large', 1).map((event) => ({ ...event, title: 'x'.repeat(MEGABYTE) }));
    const tooLarge: AppendOutcome = { outcome: 'refused', reason: 'batch-too-large' };
    expect(await spooling.log.append(0, large)).toEqual(tooLarge);
    spooling.remote.obstruct('refuses');
    expect(await spooling.log.append(0, large)).toEqual(tooLarge);
    expect(await spooling.log.state()).toMatchObject({ batches: 0 });
  });

  it('rejects an empty batch, and ends its draining all the same', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('refuses');
    expect(await append(spooling, 'a')).toEqual(SPOOLED);
    await expect(spooling.log.append(0, [])).rejects.toThrow(InvalidAppendError);
    spooling.remote.obstruct('none');
    await drained(spooling);
    expect(await append(spooling, 'b')).toMatchObject({ outcome: 'appended' });
  });

  it('tells what waits, for how long, what was drained and what was not', async () => {
    const spooling = await open(await freshDirectory());
    spooling.remote.obstruct('refuses');
    for (const name of named('', 5)) await append(spooling, name);
    await delay(60);
    expect(await value(spooling, 'tidemark_spool_appended_events_total')).toBe(15);
    expect(await value(spooling, 'tidemark_spool_waiting_batches')).toBe(5);
    expect(await value(spooling, 'tidemark_spool_size_bytes')).toBeGreaterThan(1_000);
    expect(await value(spooling, 'tidemark_spool_size_max_bytes')).toBe(64 * MEGABYTE);
    expect(await value(spooling, 'tidemark_spool_oldest_age_seconds')).toBeGreaterThan(0.05);
    expect(await value(spooling, 'tidemark_spool_failed_drains_total')).toBeGreaterThan(0);

    spooling.remote.obstruct('none');
    await drained(spooling);
    expect(await value(spooling, 'tidemark_spool_drained_events_total')).toBe(15);
    expect(await value(spooling, 'tidemark_spool_drained_batches_total')).toBe(5);
    expect(await value(spooling, 'tidemark_spool_oldest_age_seconds')).toBe(0);
  });
});

describe('a full spool', () => {
  it('refuses, again and again takes as much once it was drained, and stays near its bound', async () => {
    const directory = await freshDirectory();
    const spooling = await open(directory, { bytesMax: 4 * MEGABYTE });
    const all: string[] = [];
    for (let round = 0; round < 4; round++) {
      spooling.remote.obstruct('refuses');
      const taken = await fill(spooling);
      expect(taken.length).toBeGreaterThan(20);
      expect(await append(spooling, 'too much')).toEqual(UNAVAILABLE);
      expect((await spooling.log.state()).hasRoom).toBe(false);
      expect(await value(spooling, 'tidemark_spool_refused_batches_total')).toBe(3 * (round + 1));
      all.push(...taken);
      spooling.remote.obstruct('none');
      await drained(spooling);
      expect((await spooling.log.state()).hasRoom).toBe(true);
    }
    expect(await namesIn(spooling)).toEqual(all);
    expect(statSync(join(directory, 'spool', 'data.mdb')).size).toBeLessThan(5 * MEGABYTE);
  });

  it('does not make those wait for the log that it turns away', async () => {
    const spooling = await open(await freshDirectory(), { bytesMax: 4 * MEGABYTE });
    spooling.remote.obstruct('refuses');
    await fill(spooling);
    spooling.remote.obstruct('hangs');
    expect(await append(spooling, 'waits', 1)).toEqual(UNAVAILABLE);
    const start = performance.now();
    for (const name of named('', 10)) expect(await append(spooling, name, 1)).toEqual(UNAVAILABLE);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('a restart', () => {
  it('drains what the process before it left, before anything new', async () => {
    const directory = await freshDirectory();
    const before = await open(directory);
    before.remote.obstruct('refuses');
    for (const name of named('old', 200)) await append(before, name);
    const start = performance.now();
    await before.log.close();
    expect(performance.now() - start).toBeLessThan(10_000);

    const after = await open(directory);
    await append(after, 'new');
    await drained(after);
    expect(await namesIn(after)).toEqual([...named('old', 200), 'new']);
  });

  it('drains at closing what the log takes', async () => {
    const directory = await freshDirectory();
    const before = await open(directory);
    before.remote.obstruct('refuses');
    for (const name of named('', 50)) await append(before, name);
    before.remote.obstruct('none');
    await before.log.close();
    expect(await namesIn({ remote: (await open(directory)).remote })).toEqual(named('', 50));
  });

  it('takes events of more partitions, and not of fewer than it holds events of', async () => {
    const directory = await freshDirectory();
    const before = await open(directory, { partitions: 2 });
    before.remote.obstruct('refuses');
    await append(before, 'a', 1);
    await before.log.close();
    await rm(join(directory, 'remote'), { recursive: true });
    await expect(open(directory, { partitions: 1 })).rejects.toThrow(TrackingLogUnusableError);
    await rm(join(directory, 'remote'), { recursive: true });
    const after = await open(directory, { partitions: 3 });
    await drained(after);
    expect(await namesIn(after, 1)).toEqual(['a']);
  });

  it('halts at a spooled batch that was damaged on disk, and drains nothing after it', async () => {
    const directory = await freshDirectory();
    const before = await open(directory);
    before.remote.obstruct('refuses');
    for (const name of ['first', 'damaged', 'third']) await before.log.append(0, batchNamed(name, 100));
    await before.log.close();
    const path = join(directory, 'spool', 'data.mdb');
    const bytes = readFileSync(path);
    bytes.write('Damaged', bytes.indexOf('damaged/50/100'));
    writeFileSync(path, bytes);

    const after = await open(directory);
    while (after.diskFailures.length === 0) await delay(5);
    expect(after.diskFailures[0]).toBeInstanceOf(DamagedBatchError);
    expect(await namesIn(after)).toEqual([]);
  });
});
