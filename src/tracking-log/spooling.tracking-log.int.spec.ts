// The spool as the system sees it: the contract of the log that it stands before, a full disk, failed
// syncs, processes that are killed. That a real Kafka behind it changes nothing is shown in
// test/e2e/log-outage.e2e.spec.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { trackingLogContract } from '../../test/contract/tracking-log.contract.js';
import { Child } from '../../test/crash/child.js';
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
  SPOOLED,
} from '../../test/spooling.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { SpoolTelemetry } from './spool.telemetry.js';
import { SpoolingTrackingLog } from './spooling.tracking-log.js';
import type { AppendOutcome, Partition } from './tracking-log.js';

const PROGRAM = 'test/crash/spooling-process.js';
const KILLS = Number(process.env['CRASH_TEST_KILLS'] ?? 8);
const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const itTraced = hasStrace ? it : it.skip;

afterEach(closeSpooling);
afterAll(removeDirectories);

trackingLogContract('spooled (its log in reach)', {
  fresh: async () => ({ TRACKING_LOG: 'embedded', DATA_DIR: await freshDirectory() }),
  decorate: (log, { DATA_DIR = '' }) =>
    SpoolingTrackingLog.open(log, {
      directory: join(DATA_DIR, 'spool'),
      bytesMax: 64 * MEGABYTE,
      telemetry: new SpoolTelemetry(new Telemetry('silent')),
      onDiskFailure: (error) => {
        throw error;
      },
    }),
});

describe('a full disk', () => {
  it('refuses, takes more when there is room, and drains also while there is none', async () => {
    const directory = await freshDirectory();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory]).status !== 0) {
      process.stderr.write(
        'Not tested: a full disk under the spool (mounting a tmpfs is not permitted here)\n',
      );
      return;
    }
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(4 * MEGABYTE));
    const spooling = await open(directory, { logDirectory: await freshDirectory() });
    try {
      spooling.remote.obstruct('refuses');
      const taken = await fill(spooling);
      expect(taken.length).toBeGreaterThan(20);
      await rm(ballast);
      expect(await append(spooling, 'more')).toEqual(SPOOLED);
      const filledUp = spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096']);
      expect(filledUp.status).not.toBe(0);
      spooling.remote.obstruct('none');
      await drained(spooling);
      expect(await namesIn(spooling)).toEqual([...taken, 'more']);
      expect(spooling.diskFailures).toEqual([]);
    } finally {
      await closeSpooling();
      execFileSync('umount', [directory]);
    }
  });
});

describe('another process', () => {
  it('is refused while the owner lives or is stopped, and takes over when it was killed', async () => {
    const directory = await freshDirectory();
    const owner = await Child.start(PROGRAM, {
      environment: { DATA_DIR: directory, PARTITIONS: '2', OBSTRUCTION: 'refuses' },
    });
    try {
      await owner.printed(2);
      await expect(open(directory)).rejects.toThrow(/belongs to another process/);
      process.kill(owner.pid, 'SIGSTOP');
      await expect(open(directory)).rejects.toThrow(/belongs to another process/);
    } finally {
      await owner.kill();
    }
    await open(directory);
  });

  it('is refused also when both find a dead owner at the same time', async () => {
    const directory = await freshDirectory();
    const dead = await Child.start(PROGRAM, { environment: { DATA_DIR: directory, PARTITIONS: '2' } });
    await dead.printed(2);
    await dead.kill();
    const both = await Promise.allSettled([open(directory), open(directory)]);
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });
});

interface Answer {
  readonly partition: Partition;
  readonly name: string;
  readonly outcome: AppendOutcome['outcome'];
}

describe('a process that dies', () => {
  it(`loses nothing acknowledged and keeps the order of first appearances (${KILLS} kills)`, async () => {
    const directory = await freshDirectory();
    const answers: Answer[] = [];
    for (let life = 0; life <= KILLS; life++) {
      const last = life === KILLS;
      const child = await Child.start(PROGRAM, {
        environment: {
          DATA_DIR: directory,
          LIFE: `${life}`,
          ...(last ? { OBSTRUCTION: 'none', APPENDS: '1' } : {}),
        },
      });
      await child.printed(1);
      if (last) await child.ended;
      else {
        await child.printed(2 + Math.floor(Math.random() * 60));
        await delay(Math.random() * 100);
        await child.kill();
      }
      answers.push(...child.lines.slice(1).map((line) => JSON.parse(line) as Answer));
    }
    const after = await open(directory, { partitions: 3 });
    await drained(after);
    expect(answers.filter(({ outcome }) => outcome === 'spooled').length).toBeGreaterThan(KILLS);
    for (let partition = 0; partition < 3; partition++) {
      const found = [...new Set(await namesIn(after, partition))];
      const acknowledged = answers.filter((answer) => answer.partition === partition).map(({ name }) => name);
      expect(acknowledged.filter((name) => !found.includes(name))).toEqual([]);
      expect(found.toSorted(byLifeAndNumber)).toEqual(found);
    }
  });

  itTraced('ends when a sync of the spool fails, and acknowledges nothing afterwards', async () => {
    const directory = await freshDirectory();
    const child = await Child.start(PROGRAM, {
      environment: { DATA_DIR: directory, OBSTRUCTION: 'refuses', UV_THREADPOOL_SIZE: '1' },
      wrapper: ['strace', '-f', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=40+'],
    });
    expect(await child.ended).toEqual({ code: 1, signal: null });
    const answers = child.lines.slice(1).map((line) => JSON.parse(line) as Answer);
    const after = await open(directory, { partitions: 3 });
    await drained(after);
    for (const { partition, name, outcome } of answers) {
      if (outcome !== 'refused') expect(await namesIn(after, partition)).toContain(name);
    }
  });
});

function byLifeAndNumber(a: string, b: string): number {
  const [lifeA, , numberA] = a.split(':').map(Number);
  const [lifeB, , numberB] = b.split(':').map(Number);
  return lifeA! - lifeB! || numberA! - numberB!;
}
