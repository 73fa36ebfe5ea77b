// A log that does not answer at boot, with an embedded one in its place that opens when the test says so.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { batchNamed, namesOfWholes } from '../../test/crash/named-batches.js';
import { openLog } from '../../test/projecting.js';
import { UNAVAILABLE } from '../../test/spooling.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AwaitedTrackingLog } from './awaited.tracking-log.js';
import { type TrackingLog, TrackingLogUnreachableError, TrackingLogUnusableError } from './tracking-log.js';

type Log = 'away' | 'hangs' | 'unusable' | 'open';

let directory: string;
let state: Log;
let within: TrackingLog | undefined;
let unusable: unknown[];
let log: TrackingLog | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-awaited-'));
  [within, log, unusable] = [undefined, undefined, []];
});
afterEach(async () => {
  await log?.close();
  await rm(directory, { recursive: true });
});

async function open(): Promise<TrackingLog> {
  while (state === 'hangs') await delay(20);
  if (state === 'away') throw new TrackingLogUnreachableError('nobody there');
  if (state === 'unusable') throw new TrackingLogUnusableError('has 3 partitions');
  return (within = openLog(directory, 1));
}

const start = async (first: Log): Promise<TrackingLog> => {
  state = first;
  const telemetry = new Telemetry('silent');
  return (log = await AwaitedTrackingLog.open({
    ...{ open, partitions: 1, telemetry },
    onUnusable: (error) => unusable.push(error),
  }));
};

it('is the log itself where that answers', async () => {
  expect(await start('open')).toBe(within);
});

it('refuses to start on a log that answers and cannot be used', async () => {
  await expect(start('unusable')).rejects.toThrow('has 3 partitions');
  expect(unusable).toEqual([]);
});

it.each(['away', 'hangs'] as const)(
  'does not hold up the boot while the log %s, takes nothing, and lets readers wait until it is open',
  async (absence) => {
    const startedAt = performance.now();
    const awaited = await start(absence);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(await awaited.append(0, batchNamed('early', 2))).toEqual(UNAVAILABLE);
    await expect(awaited.end(0)).rejects.toThrow(TrackingLogUnreachableError);
    const reading = awaited.read(0, null, { follow: true })[Symbol.asyncIterator]();
    const read = reading.next();
    state = 'open';
    while (within === undefined) await delay(20);
    while ((await awaited.append(0, batchNamed('late', 2))).outcome === 'refused') await delay(20);
    expect(namesOfWholes((await read).value!.events)).toEqual(['late']);
    expect(unusable).toEqual([]);
  },
);

it('says so when the log answers at last and cannot be used', async () => {
  const awaited = await start('away');
  state = 'unusable';
  while (unusable.length === 0) await delay(20);
  expect(unusable).toEqual([new TrackingLogUnusableError('has 3 partitions')]);
  expect(await awaited.append(0, batchNamed('a', 2))).toEqual(UNAVAILABLE);
});

it('ends its readers when it closes or they are stopped, and opens no log afterwards', async () => {
  const awaited = await start('away');
  const stopping = new AbortController();
  const read = (signal?: AbortSignal): Promise<IteratorResult<unknown>> => {
    const reading = awaited.read(0, null, { follow: true, ...(signal && { signal }) });
    return reading[Symbol.asyncIterator]().next();
  };
  const [stopped, closed] = [read(stopping.signal), read()];
  stopping.abort();
  expect(await stopped).toMatchObject({ done: true });
  await awaited.close();
  expect(await closed).toMatchObject({ done: true });
  state = 'open';
  await delay(1_500);
  expect(within).toBeUndefined();
});
