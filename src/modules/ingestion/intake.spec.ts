// Over a real log in a temporary directory; what the log refuses is done to it, not imagined.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../config/config.js';
import type { TrackedEvent } from '../../events/tracked-event.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import type { EncodedEvent } from '../../tracking-log/batch-codec.js';
import { partitionOf } from '../../tracking-log/partitioning.js';
import { openTrackingLog } from '../../tracking-log/tracking-log.module.js';
import type { AppendOutcome, Partition, TrackingLog } from '../../tracking-log/tracking-log.js';
import { PAGE, RECEIVED_AT } from '../../../test/given-draft.js';
import { canonicalAddress } from '../../places/addresses.js';
import type { Excess } from '../auth/quotas/excess.js';
import { AppendBatcher } from './append-batcher.js';
import type { Draft, SaltPair } from './draft.js';
import { IngestionTelemetry } from './ingestion.telemetry.js';
import { Intake, type IntakeOutcome, type IntakeRequest } from './intake.js';
import { compileFieldCheck } from './native-event.schema.js';
import { pipeline } from './pipeline.js';
import { RecentIds } from './recent-ids.js';
import { NO_RULES } from './rules/site-rules.js';
import { UnsettledIds } from './unsettled-ids.js';
import { NEXT, type Step } from './verdict.js';

const PARTITIONS = 4;
/** Two sites of different partitions. */
const SITE = 'site-a';
const ELSEWHERE = ['site-b', 'site-c', 'site-d', 'site-e'].find(
  (site) => partitionOf(site, PARTITIONS) !== partitionOf(SITE, PARTITIONS),
)!;
const HOLDER = { id: 'key', merchant: 'merchant', site: null, scopes: new Set(['ingest'] as const) };

/** Of the sender's address. */
const STANDING = { max: 9, windowSeconds: 1, remaining: 3, fullInSeconds: 1, waitSeconds: 0 };

let directory: string;
let log: TrackingLog;
let telemetry: Telemetry;
let intake: Intake;
let salts: SaltPair | undefined;
let refusing: Set<Partition>;
let steps: Step<Draft>[];
/** Events that are durable, by site. */
let appended: Record<string, number>;
let sampledOut: Record<string, number>;
let hidden: number;
let excess: Excess | undefined;
/** That the address may still send. */
let addressEvents: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-intake-'));
  telemetry = new Telemetry('silent');
  log = await openTrackingLog(readConfig({ DATA_DIR: directory }), telemetry);
  salts = { current: 'salt', previous: undefined };
  refusing = new Set();
  appended = {};
  sampledOut = {};
  hidden = 0;
  excess = undefined;
  addressEvents = 1_000_000;
  const append = log.appendEncoded.bind(log);
  log.appendEncoded = (partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> =>
    refusing.has(partition)
      ? Promise.resolve({ outcome: 'refused', reason: 'log-unavailable' })
      : append(partition, batch);
  const ingestionTelemetry = new IngestionTelemetry(telemetry);
  steps = [
    ...pipeline({
      findSite: (id) =>
        id === SITE || id === ELSEWHERE
          ? { id, merchant: 'merchant', currency: 'EUR', rules: NO_RULES }
          : undefined,
      siteWaitSeconds: () => 0,
      quotaWaitSeconds: () => 0,
      excessFor: () => excess,
      checkInput: compileFieldCheck(),
      addressOf: canonicalAddress,
      allowedQueryParameters: [],
      placeOf: () => undefined,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      partitions: PARTITIONS,
      spreadAt: () => 1,
    }),
  ];
  intake = new Intake({
    steps,
    salts: { at: () => salts },
    batcher: new AppendBatcher(log, ingestionTelemetry, 1_000_000),
    recentIds: new RecentIds(),
    unsettledIds: new UnsettledIds(),
    addressStanding: (_, events) => {
      addressEvents -= events;
      return { ...STANDING, waitSeconds: addressEvents < 0 ? 7 : 0 };
    },
    siteStanding: () => undefined,
    onSampledOut: ({ site }) => (sampledOut[site] = (sampledOut[site] ?? 0) + 1),
    onAppended: (used) => {
      appended[used.site] = (appended[used.site] ?? 0) + used.events;
      hidden += used.hiddenEvents;
    },
    telemetry: ingestionTelemetry,
  });
});
afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true });
});

const event = (fields: Record<string, unknown> = {}) => ({ site: SITE, url: PAGE, ...fields });

const SENDER = {
  address: '192.0.2.1',
  userAgent: 'Browser/1',
  language: undefined,
  clientHints: undefined,
  origin: undefined,
};

function receive(inputs: readonly unknown[], request: Partial<IntakeRequest> = {}): Promise<IntakeOutcome> {
  return intake.receive({
    wire: 'native',
    inputs,
    receivedAt: RECEIVED_AT,
    caller: HOLDER,
    server: false,
    optedOut: false,
    clockOffsetMs: 0,
    sender: SENDER,
    ...request,
  });
}

const settled = (fields: Partial<Extract<IntakeOutcome, { outcome: 'settled' }>>) => ({
  outcome: 'settled',
  accepted: 0,
  duplicates: 0,
  dropped: 0,
  rejected: [],
  standing: STANDING,
  ...fields,
});

async function logged(): Promise<TrackedEvent[]> {
  const events: TrackedEvent[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for await (const batch of log.read(partition, null, { follow: false })) events.push(...batch.events);
  }
  return events;
}

async function counted(): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const name of ['received', 'accepted', 'duplicates', 'rejected', 'dropped']) {
    const metric = await telemetry.registry.getSingleMetric(`tidemark_ingestion_events_${name}_total`)!.get();
    sums[name] = metric.values.reduce((sum, { value }) => sum + value, 0);
  }
  return sums;
}

it('has every accepted event in the log when it says so, of whatever partition', async () => {
  const outcome = await receive([event({ id: 'a' }), event({ id: 'b', site: ELSEWHERE })]);
  expect(outcome).toEqual(settled({ accepted: 2 }));
  expect((await logged()).map(({ id }) => id).sort()).toEqual(['a', 'b']);
});

it('keeps the good ones of a batch and names the bad ones', async () => {
  const outcome = await receive([event(), event({ url: 'no' }), null, event({ site: 'nowhere' }), event()]);
  expect(outcome).toEqual(
    settled({
      accepted: 2,
      rejected: [
        { index: 1, reason: 'url_invalid', detail: expect.any(String) },
        { index: 2, reason: 'event_invalid', detail: expect.any(String) },
        { index: 3, reason: 'site_unknown', detail: expect.any(String) },
      ],
    }),
  );
  expect(await logged()).toHaveLength(2);
});

it('makes ids that are different and ascend', async () => {
  await receive([event(), event(), event()]);
  const ids = (await logged()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(3);
  expect(ids).toEqual([...ids].sort());
});

it('answers a repeated id as a duplicate without appending it, in one request and over two', async () => {
  expect(await receive([event({ id: 'a' }), event({ id: 'a' })])).toEqual(
    settled({ accepted: 1, duplicates: 1 }),
  );
  expect(await receive([event({ id: 'a' }), event({ id: 'b' })])).toEqual(
    settled({ accepted: 1, duplicates: 1 }),
  );
  expect(await logged()).toHaveLength(2);
});

it("does not take another visitor's or another site's event for a repetition", async () => {
  await receive([event({ id: 'a' })]);
  const another = { ...SENDER, address: '192.0.2.2' };
  expect(await receive([event({ id: 'a' })], { sender: another })).toEqual(settled({ accepted: 1 }));
  expect(await receive([event({ id: 'a', site: ELSEWHERE })])).toEqual(settled({ accepted: 1 }));
});

it('does not remember an id that was not appended', async () => {
  refusing.add(partitionOf(SITE, PARTITIONS));
  expect(await receive([event({ id: 'a' })])).toEqual({ outcome: 'unavailable', reason: 'log_unavailable' });
  refusing.clear();
  expect(await receive([event({ id: 'a' })])).toEqual(settled({ accepted: 1 }));
});

it('keeps no address in what it hands on after the address was forgotten', async () => {
  let seen = '';
  steps.push((draft) => {
    seen = JSON.stringify(draft);
    return NEXT;
  });
  await receive([event()]);
  expect(seen).toContain(PAGE);
  expect(seen).not.toContain('192.0.2.1');
});

it('drops what a browser that opted out sends, and appends nothing', async () => {
  expect(await receive([event()], { optedOut: true })).toEqual(settled({ dropped: 1 }));
  expect(await logged()).toEqual([]);
});

it('is unavailable without a salt', async () => {
  salts = undefined;
  expect(await receive([event(), event()])).toEqual({ outcome: 'unavailable', reason: 'salt_unavailable' });
  expect(await logged()).toEqual([]);
});

it('turns away what is more than the queue may hold', async () => {
  const large = Array.from({ length: 600 }, (_, n) => event({ props: { n, text: 'x'.repeat(2_000) } }));
  expect(await receive(large)).toEqual({ outcome: 'unavailable', reason: 'overloaded' });
  expect(await logged()).toEqual([]);
});

it('gives events without ids the same ids when they are sent again after half a failure', async () => {
  const inputs = [event(), event(), event({ site: ELSEWHERE })];
  refusing.add(partitionOf(ELSEWHERE, PARTITIONS));
  expect(await receive(inputs)).toEqual({ outcome: 'unavailable', reason: 'log_unavailable' });
  refusing.clear();
  expect(await receive(inputs, { receivedAt: RECEIVED_AT + 2_000 })).toEqual(settled({ accepted: 3 }));
  const ids = (await logged()).map(({ id }) => id);
  expect(ids).toHaveLength(5);
  expect(new Set(ids).size).toBe(3);
});

it('accounts for every event it received', async () => {
  await receive([event({ id: 'a' }), event({ id: 'a' }), event({ url: 'no' }), 5]);
  await receive([event(), event({ name: '' })], { optedOut: true });
  refusing.add(partitionOf(ELSEWHERE, PARTITIONS));
  await receive([event({ id: 'a' }), event({ site: ELSEWHERE }), event()]);
  salts = undefined;
  await receive([event()]);
  const { received, ...others } = await counted();
  expect(others).toEqual({ accepted: 1, duplicates: 2, rejected: 6, dropped: 1 });
  expect(received).toBe(10);
  expect(Object.values(others).reduce((sum, count) => sum + count)).toBe(received);
});

const excessOf = (fields: Partial<Excess>): Excess => ({
  ...{ policy: 'hide', month: '2026-11', from: 1, to: 2, samplePercent: null, eventsMax: 1 },
  ...fields,
});

it('takes what is hidden as ever, and counts it apart', async () => {
  excess = excessOf({ from: 7 });
  expect(await receive([event(), event()])).toEqual(settled({ accepted: 2 }));
  expect([appended[SITE], hidden]).toEqual([2, 2]);
  expect(await logged()).toHaveLength(2);
});

it('drops what of a sampled merchant is not in the sample, and accounts for it', async () => {
  excess = excessOf({ policy: 'sample', samplePercent: 1 });
  const senders = Array.from({ length: 200 }, (_, n) => `192.0.2.${n}`);
  for (const address of senders) {
    await receive([event()], { sender: { ...SENDER, address } });
  }
  const { received, accepted, dropped } = await counted();
  expect([received, accepted! + dropped!, sampledOut[SITE]]).toEqual([200, 200, dropped]);
  expect(accepted).toBeLessThan(20);
  expect(await logged()).toHaveLength(accepted!);
});

it('looks at nothing from an address that has sent too much, unless it is a server’s', async () => {
  addressEvents = 2;
  expect(await receive([event(), event()])).toEqual(settled({ accepted: 2 }));
  expect(await receive([event(), event(), 5])).toEqual({
    outcome: 'held-off',
    standing: { ...STANDING, waitSeconds: 7 },
  });
  const ofServer = await receive([event()], { server: true });
  expect(ofServer).toEqual(settled({ accepted: 1, standing: undefined }));
  const { received, accepted, rejected } = await counted();
  expect([received, accepted, rejected]).toEqual([6, 3, 3]);
});
