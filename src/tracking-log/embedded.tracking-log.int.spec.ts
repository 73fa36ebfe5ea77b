// The embedded driver: the contract, and what only this driver promises, shown on a real disk by
// tracing, failing and filling it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { trackingLogContract } from '../../test/contract/tracking-log.contract.js';
import { Child } from '../../test/crash/child.js';
import { batchNamed, nameOfWhole } from '../../test/crash/named-batches.js';
import { DamagedBatchError } from './batch-codec.js';
import { EmbeddedTrackingLog } from './embedded.tracking-log.js';
import { type AppendOutcome, type RecordedBatch, TrackingLogUnusableError } from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

const MEGABYTE = 1_048_576;
const PROGRAM = 'test/crash/appending-process.js';
const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const describeTraced = hasStrace ? describe : describe.skip;

const directories: string[] = [];
const opened: EmbeddedTrackingLog[] = [];

async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-log-'));
  directories.push(directory);
  return directory;
}

async function fresh(): Promise<Record<string, string>> {
  return { TRACKING_LOG: 'embedded', DATA_DIR: await freshDirectory() };
}

interface OpenOptions {
  readonly dataDirectory: string;
  readonly partitions?: number;
  readonly bytesMax?: number;
  readonly registry?: Registry;
}

function open(options: OpenOptions): EmbeddedTrackingLog {
  const { dataDirectory, partitions = 1, bytesMax = 1024 * MEGABYTE, registry = new Registry() } = options;
  const log = new EmbeddedTrackingLog({
    directory: join(dataDirectory, 'tracking-log'),
    partitions,
    bytesMax,
    telemetry: new TrackingLogTelemetry(registry),
    onDiskFailure: (error) => {
      throw error;
    },
  });
  opened.push(log);
  return log;
}

async function all(log: EmbeddedTrackingLog, partition = 0): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for await (const batch of log.read(partition, null, { follow: false })) batches.push(batch);
  return batches;
}

/** Appends until the log says no; gives back the names of what it took. */
async function fill(log: EmbeddedTrackingLog): Promise<{ taken: string[]; refusal: AppendOutcome }> {
  const taken: string[] = [];
  for (let index = 0; ; index++) {
    const result = await log.append(0, batchNamed(`${index}`, 100));
    if (result.outcome === 'refused') return { taken, refusal: result };
    taken.push(`${index}`);
  }
}

const full: AppendOutcome = { outcome: 'refused', reason: 'log-full' };
const namesIn = async (log: EmbeddedTrackingLog): Promise<string[]> =>
  (await all(log)).map(({ events }) => nameOfWhole(events));

interface Answer {
  readonly name: string;
  readonly outcome: AppendOutcome['outcome'];
  readonly partition: number;
}
const answersOf = (child: Child): Answer[] => child.lines.map((line) => JSON.parse(line) as Answer);

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
});
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

trackingLogContract('embedded', { fresh });

describeTraced('durability, seen from the kernel', () => {
  const traced = (file: string, ...options: string[]): string[] => ['strace', '-f', '-o', file, ...options];

  it('acknowledges no append before its pages and its root are on disk', async () => {
    const environment = await fresh();
    const trace = join(environment.DATA_DIR!, 'trace');
    const child = await Child.start(PROGRAM, {
      environment: { ...environment, APPENDERS: '1', APPENDS: '20' },
      wrapper: traced(trace, '-e', 'trace=openat,fdatasync,pwrite64,pwritev,writev,write'),
    });
    expect(await child.ended).toEqual({ code: 0, signal: null });

    let step: 'nothing' | 'pages written' | 'pages synced' | 'root synced' = 'nothing';
    const stepsAtAcknowledgement: string[] = [];
    let rootDescriptor: string | undefined;
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      const opening = /openat\(.*data\.mdb".*O_DSYNC.*\) = (\d+)/.exec(line);
      if (opening) rootDescriptor = opening[1];
      else if (/fdatasync.*= 0$/.test(line) && step === 'pages written') step = 'pages synced';
      else if (new RegExp(`pwrite64\\(${rootDescriptor},`).test(line)) {
        if (step === 'pages synced') step = 'root synced';
      } else if (/(pwrite64|pwritev|writev)\(\d+,.*, \d+\) = \d+$/.test(line)) step = 'pages written';
      else if (/write\(1, "\{/.test(line)) {
        stepsAtAcknowledgement.push(step);
        step = 'nothing';
      }
    }
    expect(stepsAtAcknowledgement).toEqual(Array.from({ length: 20 }, () => 'root synced'));
  });

  it('lets many appends share one sync', async () => {
    const environment = await fresh();
    const trace = join(environment.DATA_DIR!, 'trace');
    const child = await Child.start(PROGRAM, {
      environment: { ...environment, APPENDERS: '200', APPENDS: '2000' },
      wrapper: traced(trace, '-e', 'trace=fdatasync'),
    });
    await child.ended;
    expect(answersOf(child).filter(({ outcome }) => outcome === 'appended')).toHaveLength(2000);
    const syncs = readFileSync(trace, 'utf8').match(/fdatasync\(/g)!.length;
    expect(syncs).toBeLessThan(100);
  });

  it('ends the process when a sync fails, and never acknowledges afterwards', async () => {
    const environment = await fresh();
    const child = await Child.start(PROGRAM, {
      environment: { ...environment, UV_THREADPOOL_SIZE: '1' },
      wrapper: traced('/dev/null', '-e', 'inject=fdatasync:error=EIO:when=5+'),
    });
    expect(await child.ended).toEqual({ code: 1, signal: null });
    const answers = answersOf(child);
    const outcomes = answers.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...outcomes].sort()); // 'appended' first, then 'refused' only
    const appended = answers.filter(({ outcome }) => outcome === 'appended').map(({ name }) => name);
    expect(appended.length).toBeGreaterThan(0);
    const log = open({ dataDirectory: environment.DATA_DIR!, partitions: 4 });
    const found = new Set<string>();
    for (let partition = 0; partition < 4; partition++) {
      for (const { events } of await all(log, partition)) found.add(nameOfWhole(events));
    }
    expect(appended.filter((name) => !found.has(name))).toEqual([]);
  });

  it('shows nothing to readers that is not yet durable', async () => {
    const dataDirectory = await freshDirectory();
    const environment = { DATA_DIR: dataDirectory, TRACKING_LOG_PARTITIONS: '1' };
    const log = open({ dataDirectory });
    const seenAt = new Map<string, number>();
    const acknowledgedAt = new Map<string, number>();
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { events } of log.read(0, null, { follow: true, signal: stop.signal })) {
        seenAt.set(nameOfWhole(events), performance.now());
      }
    })();
    const child = await Child.start(PROGRAM, {
      environment: { ...environment, APPENDERS: '1', APPENDS: '4' },
      wrapper: traced('/dev/null', '-e', 'inject=fdatasync:delay_enter=1500000'),
    });
    for (let count = 1; count <= 4; count++) {
      await child.printed(count);
      acknowledgedAt.set(answersOf(child)[count - 1]!.name, performance.now());
    }
    await child.ended;
    while (seenAt.size < 4) await delay(10);
    stop.abort();
    await reading;
    for (const [name, at] of seenAt) expect(at - acknowledgedAt.get(name)!).toBeGreaterThan(-1_000);
  });
});

describe('several processes', () => {
  it('append to one log without collision, also when one of them is killed', async () => {
    const environment = await fresh();
    const children = await Promise.all([1, 2, 3].map(() => Child.start(PROGRAM, { environment })));
    for (const child of children) await child.printed(50);
    await children[0]!.kill();
    const goOn = children.slice(1);
    for (const child of goOn) await child.printed(child.lines.length + 50);
    for (const child of goOn) await child.kill();

    const log = open({ dataDirectory: environment.DATA_DIR!, partitions: 4 });
    const found: string[] = [];
    for (let partition = 0; partition < 4; partition++) {
      const batches = await all(log, partition);
      expect(batches.map(({ position }) => position)).toEqual(batches.map((_, index) => `${index + 1}`));
      expect(batches.map(({ appendedAt }) => appendedAt)).toEqual(
        batches.map(({ appendedAt }) => appendedAt).sort((a, b) => a - b),
      );
      found.push(...batches.map(({ events }) => nameOfWhole(events)));
    }
    expect(new Set(found).size).toBe(found.length);
    const acknowledged = children.flatMap(answersOf).map(({ name }) => name);
    expect(acknowledged.filter((name) => !found.includes(name))).toEqual([]);
  });
});

describe('group commit', () => {
  it('writes hundreds of concurrent appends in a few transactions, and says so', async () => {
    const registry = new Registry();
    const log = open({ dataDirectory: await freshDirectory(), registry });
    await Promise.all(Array.from({ length: 500 }, (_, index) => log.append(0, batchNamed(`${index}`, 2))));
    const value = async (metric: string, name = metric): Promise<number> =>
      (await registry.getSingleMetric(metric)!.get()).values.find(
        (sample) => ('metricName' in sample ? sample.metricName : metric) === name,
      )!.value;
    expect(await value('tidemark_tracking_log_appended_batches_total')).toBe(500);
    expect(await value('tidemark_tracking_log_appended_events_total')).toBe(1000);
    const commits = 'tidemark_tracking_log_commit_seconds';
    expect(await value(commits, `${commits}_count`)).toBeLessThan(10);
  });
});

describe('a full log', () => {
  it('refuses at its bound, keeps what it has readable, and goes on under a larger bound', async () => {
    const dataDirectory = await freshDirectory();
    const log = open({ dataDirectory, bytesMax: 4 * MEGABYTE });
    const { taken, refusal } = await fill(log);
    expect(refusal).toEqual(full);
    expect(taken.length).toBeGreaterThan(20);
    expect(await log.append(0, batchNamed('again', 100))).toEqual(full);
    expect(await namesIn(log)).toEqual(taken);
    expect(statSync(join(dataDirectory, 'tracking-log', 'data.mdb')).size).toBeLessThanOrEqual(4 * MEGABYTE);
    await log.close();

    const larger = open({ dataDirectory, bytesMax: 8 * MEGABYTE });
    expect(await larger.append(0, batchNamed('more', 100))).toMatchObject({ outcome: 'appended' });
    expect(await namesIn(larger)).toEqual([...taken, 'more']);
  });

  it('refuses on a full disk, keeps what it has readable, and goes on when there is room', async () => {
    const dataDirectory = await freshDirectory();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dataDirectory]).status !== 0) {
      process.stderr.write('Not tested: a full disk (mounting a tmpfs is not permitted here)\n');
      return;
    }
    const ballast = join(dataDirectory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(MEGABYTE));
    const log = open({ dataDirectory });
    try {
      const { taken, refusal } = await fill(log);
      expect(refusal).toEqual(full);
      expect(taken.length).toBeGreaterThan(20);
      expect(await namesIn(log)).toEqual(taken);
      expect(await log.append(0, batchNamed('again', 100))).toEqual(full);

      await rm(ballast);
      expect(await log.append(0, batchNamed('more', 100))).toMatchObject({ outcome: 'appended' });
      expect(await namesIn(log)).toEqual([...taken, 'more']);
    } finally {
      await log.close();
      execFileSync('umount', [dataDirectory]);
    }
  });
});

describe('opening', () => {
  it('refuses another number of partitions, naming both', async () => {
    const dataDirectory = await freshDirectory();
    await open({ dataDirectory, partitions: 4 }).close();
    expect(() => open({ dataDirectory, partitions: 5 })).toThrow(TrackingLogUnusableError);
    expect(() => open({ dataDirectory, partitions: 5 })).toThrow(/has 4 partitions .* is 5/);
    await open({ dataDirectory, partitions: 4 }).close();
  });

  it('says readably which directory it cannot use', async () => {
    const dataDirectory = await freshDirectory();
    await writeFile(join(dataDirectory, 'file'), '');
    const below = join(dataDirectory, 'file');
    expect(() => open({ dataDirectory: below })).toThrow(TrackingLogUnusableError);
    expect(() => open({ dataDirectory: below })).toThrow(`${below}/tracking-log cannot be opened`);
  });

  it('refuses a file that is not a log', async () => {
    const dataDirectory = await freshDirectory();
    await mkdir(join(dataDirectory, 'tracking-log'));
    await writeFile(join(dataDirectory, 'tracking-log', 'data.mdb'), 'x'.repeat(20_000));
    expect(() => open({ dataDirectory })).toThrow(TrackingLogUnusableError);
  });

  it('halts loudly at a batch damaged on disk', async () => {
    const dataDirectory = await freshDirectory();
    const log = open({ dataDirectory });
    for (const name of ['first', 'damaged', 'third']) await log.append(0, batchNamed(name, 100));
    await log.close();
    const path = join(dataDirectory, 'tracking-log', 'data.mdb');
    const bytes = readFileSync(path);
    const at = bytes.indexOf('damaged/50/100');
    bytes.write('Damaged', at);
    writeFileSync(path, bytes);
    const names: string[] = [];
    const reading = (async () => {
      for await (const { events } of open({ dataDirectory }).read(0, null, { follow: false })) {
        names.push(nameOfWhole(events));
      }
    })();
    await expect(reading).rejects.toThrow(DamagedBatchError);
    expect(names).toEqual(['first']);
  });
});

describe('reading a long log', () => {
  it('neither fills the resident memory with the file nor keeps the process from other work', async () => {
    const dataDirectory = await freshDirectory();
    const log = open({ dataDirectory });
    const large = batchNamed('large', 1)[0]!;
    const batch = [{ ...large, title: 'x'.repeat(400_000) }];
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 50 }, () => log.append(0, batch)));
    }
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    let count = 0;
    const residentMegabytesBefore = residentFileMegabytes();
    let residentMegabytesMax = 0;
    for await (const _ of log.read(0, null, { follow: false })) {
      if (++count % 25 === 0) residentMegabytesMax = Math.max(residentMegabytesMax, residentFileMegabytes());
    }
    clearInterval(ticking);
    expect(count).toBe(500);
    expect(ticks).toBeGreaterThan(20);
    expect(residentMegabytesMax - residentMegabytesBefore).toBeLessThan(100);
  });

  /** Pages of files in resident memory; 0 where the system does not tell. */
  function residentFileMegabytes(): number {
    if (!existsSync('/proc/self/status')) return 0;
    return Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;
  }
});
