// The laws of the tracking log, the same for every driver. A driver's spec says how a fresh log is
// configured, imports this suite and passes it.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { readConfig } from '../../src/config/config.js';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { encodedBytes, encodeEvent } from '../../src/tracking-log/batch-codec.js';
import { decodeSlice } from '../../src/tracking-log/batch-slices.js';
import {
  type Batch,
  BATCH_BYTES_MAX,
  InvalidAppendError,
  InvalidPositionError,
  type Partition,
  type Position,
  type RecordedBatch,
  type TrackingLog,
  TrackingLogClosedError,
} from '../../src/tracking-log/tracking-log.js';
import { openTrackingLog } from '../../src/tracking-log/tracking-log.module.js';
import { Child } from '../crash/child.js';
import { batchNamed, nameOfWhole } from '../crash/named-batches.js';

export interface TrackingLogDriver {
  /** The environment of a fresh, empty log; every process started with it shares that log. */
  fresh(): Promise<Record<string, string>>;
  /** What is put before the log in this process; nothing unless given. */
  decorate?(log: TrackingLog, environment: Readonly<Record<string, string>>): Promise<TrackingLog>;
}

const PARTITIONS = 3;
const KILLS = 12;
/** Half of the second that Kafka may be waited for; what only looks every second is later each time. */
const WAKE_MS_MAX = 500;

export function trackingLogContract(name: string, driver: TrackingLogDriver): void {
  describe(`the ${name} tracking log`, () => {
    let environment: Record<string, string>;
    let log: TrackingLog;
    const opened: TrackingLog[] = [];

    const open = async (): Promise<TrackingLog> => {
      const bare = await openTrackingLog(readConfig(environment), new Telemetry('silent'));
      const handle = (await driver.decorate?.(bare, environment)) ?? bare;
      opened.push(handle);
      return handle;
    };
    const reopen = async (): Promise<void> => {
      await log.close();
      log = await open();
    };

    beforeEach(async () => {
      environment = { ...(await driver.fresh()), TRACKING_LOG_PARTITIONS: String(PARTITIONS) };
      log = await open();
    });
    afterEach(async () => {
      for (const handle of opened.splice(0)) await handle.close();
    });

    it('gives back what was appended, event for event, in order', async () => {
      const batches = [batchNamed('a', 3), batchNamed('b', 1), batchNamed('c', 200)];
      const positions = [];
      for (const batch of batches) positions.push(await appended(log, 0, batch));
      const read = await all(log, 0);
      expect(read.map(({ events }) => events)).toEqual(batches);
      expect(read.map(({ position }) => position)).toEqual(positions);
    });

    it('gives positions that increase within a partition, and keeps partitions apart', async () => {
      for (let round = 0; round < 12; round++) {
        for (let partition = 0; partition < PARTITIONS; partition++) {
          await appended(log, partition, batchNamed(`${partition}:${round}`, 1));
        }
      }
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const read = await all(log, partition);
        expect(namesOf(read)).toEqual(Array.from({ length: 12 }, (_, round) => `${partition}:${round}`));
        for (const [index, { position }] of read.entries()) {
          expect(log.compare(position, position)).toBe(0);
          for (const later of read.slice(index + 1)) {
            expect(log.compare(position, later.position)).toBeLessThan(0);
            expect(log.compare(later.position, position)).toBeGreaterThan(0);
          }
        }
      }
    });

    it('reads the same from any position, any number of times, also when opened again', async () => {
      for (let index = 0; index < 20; index++)
        await appended(log, 1, batchNamed(`${index}`, 1 + (index % 3)));
      const first = await all(log, 1);
      await reopen();
      expect(await all(log, 1)).toEqual(first);
      for (const [index, { position }] of first.entries()) {
        expect(await all(log, 1, position)).toEqual(first.slice(index + 1));
      }
    });

    it('gives in slices what it gives decoded, from any position', async () => {
      for (let index = 0; index < 12; index++) {
        const batch = batchNamed(`${index}`, 1 + (index % 4));
        await appended(
          log,
          1,
          index % 3 === 0 ? batch.map((event) => ({ ...event, name: '},{"id":"' })) : batch,
        );
      }
      const decoded = await all(log, 1);
      for (const after of [null, ...decoded.map(({ position }) => position)]) {
        const sliced = [];
        for await (const { position, events } of log.readSlices(1, after, { follow: false })) {
          sliced.push({ position, events: events.map(decodeSlice) });
        }
        const rest = decoded.filter(({ position }) => after === null || log.compare(position, after) > 0);
        expect(sliced).toEqual(rest.map(({ position, events }) => ({ position, events })));
      }
    });

    it('keeps every batch whole when many are appended at once', async () => {
      const names = Array.from({ length: 300 }, (_, index) => `${index}`);
      const positions = await Promise.all(
        names.map((batch, index) => appended(log, index % PARTITIONS, batchNamed(batch, 1 + (index % 50)))),
      );
      const read = (await Promise.all([0, 1, 2].map((partition) => all(log, partition)))).flat();
      expect(namesOf(read).sort()).toEqual([...names].sort());
      const positionOf = new Map(read.map((batch) => [nameOfWhole(batch.events), batch.position]));
      expect(names.map((batch) => positionOf.get(batch))).toEqual(positions);
    });

    it('shows a batch only after every lower position of its partition', async () => {
      const stop = new AbortController();
      const seen: RecordedBatch[] = [];
      const follower = (async () => {
        for await (const batch of log.read(0, null, { follow: true, signal: stop.signal })) {
          seen.push(batch);
          if (seen.length === 200) stop.abort();
        }
      })();
      const positions = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          await delay(Math.random() * 100);
          return appended(log, 0, batchNamed(`${index}`, 1));
        }),
      );
      await follower;
      expect(seen.map(({ position }) => position)).toEqual(positions.sort((a, b) => log.compare(a, b)));
      expect(seen).toEqual(await all(log, 0));
    });

    it('is a list per partition, whatever is appended, read and reopened in between', async () => {
      const action = fc.oneof(
        {
          weight: 5,
          arbitrary: fc.record({ partition: fc.nat(PARTITIONS - 1), events: fc.integer({ min: 1, max: 5 }) }),
        },
        { weight: 1, arbitrary: fc.constant('reopen' as const) },
      );
      const model: string[][] = Array.from({ length: PARTITIONS }, () => []);
      let appends = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
          for (const step of actions) {
            if (step === 'reopen') await reopen();
            else {
              const batch = `${appends++}`;
              const position = await appended(log, step.partition, batchNamed(batch, step.events));
              expect(await log.end(step.partition)).toBe(position);
              model[step.partition]!.push(batch);
            }
          }
          for (const [partition, names] of model.entries()) {
            expect(namesOf(await all(log, partition))).toEqual(names);
          }
        }),
        { numRuns: 15 },
      );
    });

    describe('time', () => {
      it('stamps batches in order, and never before an event of theirs was received', async () => {
        const ahead = Date.now() + 60_000;
        await appended(log, 0, [receivedAt(ahead)]);
        await appended(log, 0, [receivedAt(ahead - 120_000)]);
        await appended(log, 1, [receivedAt(ahead - 120_000)]);
        const [first, second] = await all(log, 0);
        expect(first!.appendedAt).toBeGreaterThanOrEqual(ahead);
        expect(second!.appendedAt).toBeGreaterThanOrEqual(first!.appendedAt);
        const [other] = await all(log, 1);
        expect(other!.appendedAt).toBeGreaterThanOrEqual(ahead - 120_000);
      });

      it('finds where to read on to see everything received since', async () => {
        const base = Date.now() + 1_000_000;
        for (const ms of [0, 10, 10, 20, 40, 40, 70]) await appended(log, 0, [receivedAt(base + ms)]);
        const receipts = [0, 10, 10, 20, 40, 40, 70];
        for (const since of [-5, 0, 1, 10, 11, 40, 69, 70, 71]) {
          const position = await log.findByTime(0, new Date(base + since));
          const read = await all(log, 0, position);
          const seen = read.map(({ events }) => events[0]!.receivedAt - base);
          expect(seen).toEqual(receipts.filter((ms) => ms >= since));
        }
      });

      it('says to read from the first where nothing is older', async () => {
        expect(await log.findByTime(2, new Date())).toBeNull();
        await appended(log, 2, batchNamed('a', 1));
        expect(await log.findByTime(2, new Date(0))).toBeNull();
      });
    });

    describe('following', () => {
      it('waits at the end and wakes when something is appended', async () => {
        const reading = log.read(0, null, { follow: true })[Symbol.asyncIterator]();
        const wokenAfterMs: number[] = [];
        for (const batch of ['a', 'b', 'c', 'd', 'e']) {
          const next = reading.next();
          expect(await Promise.race([next, delay(60, 'still waiting')])).toBe('still waiting');
          await appended(log, 1, batchNamed('elsewhere', 1));
          await appended(log, 0, batchNamed(batch, 2));
          const start = performance.now();
          const { value } = await next;
          wokenAfterMs.push(performance.now() - start);
          expect(nameOfWhole((value as RecordedBatch).events)).toBe(batch);
        }
        await reading.return?.();
        expect(wokenAfterMs.toSorted((a, b) => a - b)[2]).toBeLessThan(WAKE_MS_MAX);
      });

      it('sees what another process appends', async () => {
        const child = await Child.start('test/crash/appending-process.js', { environment });
        const seen: RecordedBatch[] = [];
        for await (const batch of log.read(0, null, { follow: true })) {
          seen.push(batch);
          if (seen.length === 50) break;
        }
        await child.kill();
        expect(new Set(namesOf(seen)).size).toBe(50);
      });

      it('ends without an error when aborted: before, while waiting, and between batches', async () => {
        expect(await all(log, 0, null, AbortSignal.abort())).toEqual([]);
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 30);
        for await (const _ of log.read(0, null, { follow: true, signal: stop.signal }))
          throw new Error('not empty');
        for (const batch of ['a', 'b', 'c']) await appended(log, 0, batchNamed(batch, 1));
        const stopSoon = new AbortController();
        let count = 0;
        for await (const _ of log.read(0, null, { follow: true, signal: stopSoon.signal })) {
          count++;
          stopSoon.abort();
        }
        expect(count).toBe(1);
      });
    });

    describe('limits', () => {
      it('refuses a batch that is too large, stores none of it, and takes the largest there may be', async () => {
        const tooLarge = batchOfBytes(BATCH_BYTES_MAX + 1);
        expect(await log.append(0, tooLarge)).toEqual({ outcome: 'refused', reason: 'batch-too-large' });
        expect(await log.end(0)).toBeNull();
        await appended(log, 0, batchOfBytes(BATCH_BYTES_MAX));
        const [read] = await all(log, 0);
        expect(read!.events).toEqual(batchOfBytes(BATCH_BYTES_MAX));
      });

      it('rejects an empty batch and a partition that does not exist', async () => {
        await expect(log.append(0, [])).rejects.toThrow(InvalidAppendError);
        for (const partition of [-1, PARTITIONS, 0.5, Number.NaN]) {
          await expect(log.append(partition, batchNamed('a', 1))).rejects.toThrow(InvalidAppendError);
          await expect(log.end(partition)).rejects.toThrow(InvalidAppendError);
        }
      });

      it.each(['', 'abc', '-1', '1.5', ' 1', '99999999999999999999'])(
        'rejects "%s", which is not a position',
        async (position) => {
          await appended(log, 0, batchNamed('a', 1));
          await expect(all(log, 0, position)).rejects.toThrow(InvalidPositionError);
        },
      );

      it('does not wait for a position beyond the end: the log was replaced by an older one', async () => {
        for (const batch of ['a', 'b']) await appended(log, 0, batchNamed(batch, 1));
        const ahead = await log.end(0);
        await log.close();
        environment = { ...(await driver.fresh()), TRACKING_LOG_PARTITIONS: String(PARTITIONS) };
        log = await open();
        await expect(all(log, 0, ahead)).rejects.toThrow(InvalidPositionError);
        const following = log.read(0, ahead, { follow: true })[Symbol.asyncIterator]();
        await expect(following.next()).rejects.toThrow(InvalidPositionError);
      });
    });

    describe('closing', () => {
      it('loses nothing acknowledged, and acknowledges what was under way', async () => {
        const underWay = Array.from({ length: 100 }, (_, index) => log.append(0, batchNamed(`${index}`, 3)));
        await log.close();
        const outcomes = await Promise.all(underWay);
        expect(outcomes.every(({ outcome }) => outcome === 'appended')).toBe(true);
        log = await open();
        expect(await all(log, 0)).toHaveLength(100);
      });

      it('refuses later appends, ends those who follow, and cannot be read', async () => {
        const following = all(log, 0, null, undefined, true);
        await delay(20);
        await log.close();
        await log.close();
        expect(await following).toEqual([]);
        expect(await log.append(0, batchNamed('late', 1))).toEqual({
          outcome: 'refused',
          reason: 'log-unavailable',
        });
        await expect(all(log, 0)).rejects.toThrow(TrackingLogClosedError);
        await expect(log.end(0)).rejects.toThrow(TrackingLogClosedError);
        await expect(log.findByTime(0, new Date())).rejects.toThrow(TrackingLogClosedError);
      });
    });

    it(`keeps what it acknowledged when its process is killed (${KILLS} times)`, async () => {
      const acknowledged = new Map<string, { partition: Partition; position: Position }>();
      await log.close();
      for (let kill = 0; kill < KILLS; kill++) {
        const child = await Child.start('test/crash/appending-process.js', { environment });
        await child.printed(1);
        await delay(Math.random() * 120);
        await child.kill();
        for (const line of child.lines) {
          const { name: batch, outcome, partition, position } = JSON.parse(line) as Acknowledgement;
          if (outcome === 'appended') acknowledged.set(batch, { partition, position });
        }
        log = await open();
        const found = new Map<string, { partition: Partition; position: Position }>();
        for (let partition = 0; partition < PARTITIONS; partition++) {
          for (const batch of await all(log, partition)) {
            found.set(nameOfWhole(batch.events), { partition, position: batch.position });
          }
        }
        for (const [batch, place] of acknowledged) expect([batch, found.get(batch)]).toEqual([batch, place]);
        await log.close();
      }
      expect(acknowledged.size).toBeGreaterThan(KILLS);
    });
  });
}

interface Acknowledgement {
  readonly name: string;
  readonly outcome: 'appended' | 'refused';
  readonly partition: Partition;
  readonly position: Position;
}

async function appended(log: TrackingLog, partition: Partition, batch: Batch): Promise<Position> {
  const result = await log.append(partition, batch);
  if (result.outcome !== 'appended') throw new Error(JSON.stringify(result));
  return result.position;
}

async function all(
  log: TrackingLog,
  partition: Partition,
  after: Position | null = null,
  signal?: AbortSignal,
  follow = false,
): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  const options = signal ? { follow, signal } : { follow };
  for await (const batch of log.read(partition, after, options)) batches.push(batch);
  return batches;
}

function namesOf(batches: readonly RecordedBatch[]): string[] {
  return batches.map(({ events }) => nameOfWhole(events));
}

function receivedAt(ms: number): TrackedEvent {
  return { ...batchNamed('received', 1)[0]!, receivedAt: ms };
}

/** One batch whose encoded form has exactly so many bytes. */
function batchOfBytes(bytes: number): Batch {
  const [event] = batchNamed('large', 1);
  const fixed: TrackedEvent = { ...event!, receivedAt: 0, occurredAt: 0, title: '' };
  const rest = bytes - encodedBytes([encodeEvent(fixed)]);
  return [{ ...fixed, title: 'x'.repeat(rest) }];
}
