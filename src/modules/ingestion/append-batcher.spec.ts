import { Telemetry } from '../../telemetry/telemetry.js';
import { encodeEvent, type EncodedEvent } from '../../tracking-log/batch-codec.js';
import {
  type AppendOutcome,
  type EncodedBatch,
  type Partition,
  TrackingLog,
} from '../../tracking-log/tracking-log.js';
import { givenDraft } from '../../../test/given-draft.js';
import { AppendBatcher } from './append-batcher.js';
import { IngestionTelemetry } from './ingestion.telemetry.js';

const APPENDED: AppendOutcome = { outcome: 'appended', position: '1' };

/** A log whose appends last until the test settles them: timing is what is tested here. */
class HeldTrackingLog extends TrackingLog {
  readonly partitions = 2;
  readonly underWay: {
    readonly partition: Partition;
    readonly ids: readonly string[];
    readonly settle: (outcome: AppendOutcome) => void;
    readonly fail: (error: Error) => void;
  }[] = [];

  override appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    const ids = batch.map(({ json }) => (JSON.parse(json) as { id: string }).id);
    return new Promise((settle, fail) => this.underWay.push({ partition, ids, settle, fail }));
  }
  override readEncoded(): AsyncIterable<EncodedBatch> {
    throw new Error('not read here');
  }
  override findByTime = () => Promise.resolve(null);
  override end = () => Promise.resolve(null);
  override compare = () => 0;
  override close = () => Promise.resolve();
}

/** Longer than the distance that appends keep. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

function given(queueBytesMax = 1_000_000) {
  const telemetry = new Telemetry('silent');
  const log = new HeldTrackingLog();
  const batcher = new AppendBatcher(log, new IngestionTelemetry(telemetry), queueBytesMax);
  const settled: unknown[] = [];
  return {
    log,
    batcher,
    settled,
    submit: (...parts: { partition: Partition; events: EncodedEvent[] }[]) => {
      const done = batcher.submit(parts);
      void done.then((outcome) => settled.push(outcome));
      return done;
    },
    queueBytes: async () => {
      const metric = await telemetry.registry.getSingleMetric('tidemark_ingestion_queue_bytes')!.get();
      return metric.values[0]!.value;
    },
  };
}

function event(id: string, titleCharacters = 0): EncodedEvent {
  const draft = givenDraft();
  draft.event.id = id;
  draft.event.title = 'x'.repeat(titleCharacters);
  return encodeEvent(draft.event);
}

it('appends what arrives in one turn as one batch, without waiting for more', async () => {
  const { log, submit } = given();
  void submit({ partition: 0, events: [event('a')] });
  void submit({ partition: 0, events: [event('b'), event('c')] });
  await turn();
  expect(log.underWay.map(({ ids }) => ids)).toEqual([['a', 'b', 'c']]);
});

it('gathers the next batch while one is under way, one at a time', async () => {
  const { log, submit } = given();
  void submit({ partition: 0, events: [event('a')] });
  await turn();
  void submit({ partition: 0, events: [event('b')] });
  await turn();
  void submit({ partition: 0, events: [event('c')] });
  await turn();
  expect(log.underWay.map(({ ids }) => ids)).toEqual([['a']]);
  log.underWay[0]!.settle(APPENDED);
  await turn();
  expect(log.underWay.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
});

it('keeps a distance between appends, which what comes to an idle log does not notice', async () => {
  const { log, submit } = given();
  void submit({ partition: 0, events: [event('a')] });
  await new Promise(setImmediate);
  expect(log.underWay).toHaveLength(1);
  log.underWay[0]!.settle(APPENDED);
  await new Promise(setImmediate);
  void submit({ partition: 0, events: [event('b')] });
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(log.underWay).toHaveLength(1);
  await turn();
  expect(log.underWay).toHaveLength(2);
});

it('keeps none when a full batch waits', async () => {
  const { log, submit } = given();
  const many = (name: string) => Array.from({ length: 1_000 }, (_, n) => event(name + n));
  void submit({ partition: 0, events: [event('a')] });
  await new Promise(setImmediate);
  void submit({ partition: 0, events: many('b') });
  log.underWay[0]!.settle(APPENDED);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(log.underWay).toHaveLength(2);
});

it('lets partitions proceed apart', async () => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] });
  void submit({ partition: 1, events: [event('b')] });
  await turn();
  log.underWay.find(({ partition }) => partition === 1)!.settle(APPENDED);
  await turn();
  expect(settled).toEqual([{ outcome: 'appended' }]);
});

it('acknowledges only after the append, and a request over two partitions only after both', async () => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] }, { partition: 1, events: [event('b')] });
  await turn();
  log.underWay[0]!.settle(APPENDED);
  await turn();
  expect(settled).toEqual([]);
  log.underWay[1]!.settle(APPENDED);
  await turn();
  expect(settled).toEqual([{ outcome: 'appended' }]);
});

it('refuses a request of which one part was refused', async () => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] }, { partition: 1, events: [event('b')] });
  await turn();
  log.underWay[0]!.settle(APPENDED);
  log.underWay[1]!.settle({ outcome: 'refused', reason: 'log-full' });
  await turn();
  expect(settled).toEqual([{ outcome: 'refused', reason: 'log_full' }]);
});

it.each([
  ['batch-too-large', 'batch_too_large'],
  ['log-full', 'log_full'],
  ['log-unavailable', 'log_unavailable'],
] as const)('passes on that the log said %s, and goes on with the next batch', async (reason, told) => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] });
  await turn();
  void submit({ partition: 0, events: [event('b')] });
  log.underWay[0]!.settle({ outcome: 'refused', reason });
  await turn();
  log.underWay[1]!.settle(APPENDED);
  await turn();
  expect(settled).toEqual([{ outcome: 'refused', reason: told }, { outcome: 'appended' }]);
});

it('acknowledges what was spooled: it is durable', async () => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] });
  await turn();
  log.underWay[0]!.settle({ outcome: 'spooled' });
  await turn();
  expect(settled).toEqual([{ outcome: 'appended' }]);
});

it('treats a log that throws as unavailable', async () => {
  const { log, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] });
  await turn();
  log.underWay[0]!.fail(new Error('broken'));
  await turn();
  expect(settled).toEqual([{ outcome: 'refused', reason: 'log_unavailable' }]);
});

it('turns a request away whole when its bytes do not fit, and takes it once they do', async () => {
  const { log, submit, settled, queueBytes } = given(2_000);
  void submit({ partition: 0, events: [event('a', 1_000)] });
  await turn();
  void submit({ partition: 0, events: [event('b')] }, { partition: 1, events: [event('c', 1_000)] });
  await turn();
  expect(settled).toEqual([{ outcome: 'refused', reason: 'overloaded' }]);
  expect(log.underWay).toHaveLength(1);
  expect(await queueBytes()).toBeGreaterThan(1_000);
  log.underWay[0]!.settle(APPENDED);
  await turn();
  expect(await queueBytes()).toBe(0);
  void submit({ partition: 1, events: [event('c', 1_000)] });
  await turn();
  expect(log.underWay).toHaveLength(2);
});

it('cuts what is larger than a batch, by events and by bytes', async () => {
  const { log, submit, settled } = given(10_000_000);
  void submit({ partition: 0, events: Array.from({ length: 1_001 }, (_, n) => event(String(n))) });
  void submit({ partition: 1, events: Array.from({ length: 3 }, (_, n) => event(String(n), 150_000)) });
  for (let turns = 0; turns < 8; turns++) {
    await turn();
    for (const { settle } of log.underWay) settle(APPENDED);
  }
  const sizes = (partition: Partition) =>
    log.underWay.filter((append) => append.partition === partition).map(({ ids }) => ids.length);
  expect(sizes(0).reduce((sum, size) => sum + size)).toBe(1_001);
  expect(Math.max(...sizes(0))).toBeLessThanOrEqual(1_000);
  expect(sizes(1)).toEqual([1, 1, 1]);
  expect(settled).toEqual([{ outcome: 'appended' }, { outcome: 'appended' }]);
});

it('drains everything that was taken in', async () => {
  const { log, batcher, submit, settled } = given();
  void submit({ partition: 0, events: [event('a')] });
  await turn();
  void submit({ partition: 0, events: [event('b')] });
  let drained = false;
  void batcher.drain().then(() => (drained = true));
  log.underWay[0]!.settle(APPENDED);
  await turn();
  expect(drained).toBe(false);
  log.underWay[1]!.settle(APPENDED);
  await turn();
  expect(drained).toBe(true);
  expect(settled).toHaveLength(2);
  await batcher.drain();
});
