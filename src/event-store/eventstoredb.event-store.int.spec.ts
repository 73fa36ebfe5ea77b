// The EventStoreDB driver of the event store: the contract against the protocol double, and against a
// real server where EVENTSTORE_URL names one; and what only this driver can get wrong.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventStoreContract } from '../../test/contract/event-store.contract.js';
import { batchNamed } from '../../test/crash/named-batches.js';
import {
  type EventStoreDbDouble,
  freshStreams,
  givenEventStoreDb,
  startEventStoreDbDouble,
} from '../../test/doubles/eventstoredb.js';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { ConfigError, readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { openTrackingLog } from '../tracking-log/tracking-log.module.js';
import { EventStoreUnavailableError } from './event-store-unavailable.error.js';
import { AllStreams } from './eventstoredb.all-streams.js';
import { EventStoreDbConnection, EventStoreDbUnusableError } from './eventstoredb.connection.js';
import { EventStoreDbEventStore } from './eventstoredb.event-store.js';
import type { RecordedEvent } from './event-store.js';

const TIMEOUT_MS = 1_000;

const happened = (n: number) => ({ type: 'Happened', data: { n } });
const open = (environment: Record<string, string>, telemetry = new Telemetry('silent')) =>
  EventStoreDbEventStore.open(
    readConfig({ EVENTSTORE_TIMEOUT_MS: String(TIMEOUT_MS), ...environment }),
    telemetry,
  );
const openFresh = (url: string) => async () => {
  const store = await open(freshStreams(url));
  return { store, close: () => store.close() };
};

let double: EventStoreDbDouble;

beforeAll(async () => {
  double = await startEventStoreDbDouble();
});
afterAll(() => double.stop());

eventStoreContract('eventstoredb (protocol double, not a server)', { open: () => openFresh(double.url)() });

const server = givenEventStoreDb();
if (server !== undefined) {
  eventStoreContract('eventstoredb (the server of EVENTSTORE_URL)', { open: openFresh(server) });
}

describe('the EventStoreDB event store and its server (protocol double, not a server)', () => {
  let proxy: FaultProxy;
  let streams: Record<string, string>;
  let store: EventStoreDbEventStore;

  beforeEach(async () => {
    proxy = await startFaultProxy(double.port);
    streams = freshStreams(`esdb://127.0.0.1:${proxy.port}?tls=false`);
    store = await open(streams);
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  const faults: Record<string, { begin(): Promise<void>; end(): Promise<void> }> = {
    'is killed with -9 and started again': {
      begin: () => double.process.kill(),
      end: () => double.process.start(),
    },
    'hangs, and goes on': {
      begin: async () => double.process.pause(),
      end: async () => double.process.resume(),
    },
    'is behind a network that swallows everything for a while': {
      begin: async () => void (proxy.mode = 'blackhole'),
      end: async () => void (proxy.mode = 'pass'),
    },
  };

  it.each(Object.keys(faults))(
    'says in time that it is unavailable and is not fresh, then misses nothing, when the server %s',
    async (name) => {
      const { begin, end } = faults[name]!;
      const seen: unknown[] = [];
      const subscription = await store.subscribeAll(null, (event) => void seen.push(event.data.n));
      await store.append('a', [happened(1)], 'any');
      await subscription.caughtUp();

      await begin();
      const faultAt = Date.now();
      await expect(store.append('a', [happened(-1)], 7)).rejects.toThrow(EventStoreUnavailableError);
      await expect(all(store.readStream('a'))).rejects.toThrow(EventStoreUnavailableError);
      expect(Date.now() - faultAt).toBeLessThan(10_000);
      await delay(1_500);
      expect(Date.now() - subscription.freshAt).toBeGreaterThan(1_000);

      const endedAt = Date.now();
      await end();
      const other = await open({ ...streams, EVENTSTORE_URL: double.url });
      for (let n = 2; n < 5; n++) await other.append('a', [happened(n)], 'any');
      await subscription.caughtUp();
      expect(seen).toEqual([1, 2, 3, 4]);
      expect(subscription.freshAt).toBeGreaterThanOrEqual(endedAt);
      await other.close();
    },
  );

  it('passes over the streams of the tracking log, of other installations and of the server', async () => {
    const log = await openTrackingLog(
      readConfig({ ...streams, TRACKING_LOG: 'eventstoredb' }),
      new Telemetry('silent'),
    );
    const longer = await open({
      ...streams,
      EVENTSTORE_STREAM_PREFIX: `${streams.EVENTSTORE_STREAM_PREFIX}-2`,
    });
    const seen: RecordedEvent[] = [];
    const subscription = await store.subscribeAll(null, (event) => void seen.push(event));
    for (let n = 0; n < 5; n++) {
      await log.append(0, batchNamed(`${n}`, 2));
      await longer.append('a', [happened(100 + n)], 'any');
      await store.append('a', [happened(n)], 'any');
    }
    await subscription.caughtUp();
    expect(seen.map(({ stream, data }) => [stream, data.n])).toEqual([0, 1, 2, 3, 4].map((n) => ['a', n]));
    expect(await all(store.readAll(null))).toEqual(seen);
    await longer.close();
    await log.close();
  });

  it('loses no event between two pages, and does not search again what it has searched', async () => {
    const config = readConfig({ ...streams, TRACKING_LOG: 'eventstoredb' });
    const log = await openTrackingLog(config, new Telemetry('silent'));
    for (let n = 0; n < 30; n++) {
      await store.append('a', [happened(n)], 'any');
      await Promise.all(Array.from({ length: 100 }, (_, m) => log.append(m % 4, batchNamed(`${n}:${m}`, 1))));
    }
    await log.close();
    const connection = await EventStoreDbConnection.open(config);
    const subscribing = jest.spyOn(connection.client, 'subscribeToAll');
    const allStreams = new AllStreams(connection, `${config.EVENTSTORE_STREAM_PREFIX}.store-`);
    const seen: RecordedEvent[] = [];
    let page: readonly RecordedEvent[];
    do {
      page = await allStreams.readAfter(seen.at(-1)?.position ?? null, 7);
      seen.push(...page);
    } while (page.length === 7);
    expect(seen.map(({ data }) => data.n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(await allStreams.readAfter(seen.at(-1)!.position, 7)).toEqual([]);
    expect(subscribing.mock.lastCall![0]!.fromPosition).toEqual(await connection.end());
  });

  it('counts its appends by outcome', async () => {
    const telemetry = new Telemetry('silent');
    const counted = await open(streams, telemetry);
    await counted.append('a', [happened(1)], 'none');
    await counted.append('a', [happened(1)], 'none');
    await counted.close();
    const metrics = await telemetry.registry.metrics();
    expect(metrics).toContain('tidemark_event_store_appends_total{outcome="stored"} 1');
    expect(metrics).toContain('tidemark_event_store_appends_total{outcome="conflict"} 1');
  });

  it('refuses more than the server takes as a mistake, not as an outage', async () => {
    const large = { type: 'Happened', data: { text: 'x'.repeat(1_100_000) } };
    const append = store.append('a', [large], 'any');
    await expect(append).rejects.toThrow(/maximum-append-size-exceeded/);
    await expect(append).rejects.not.toThrow(EventStoreUnavailableError);
  });
});

describe('an EventStoreDB with TLS and users (protocol double, not a server)', () => {
  let secure: EventStoreDbDouble;
  let directory: string;
  const urlFor = (user: string) =>
    `kurrentdb://${user}@localhost:${secure.port}?tls=true&tlsCAFile=${encodeURIComponent(join(directory, 'cert.pem'))}`;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'pipe',
      },
    );
    const environment = { TLS_CERT: cert, TLS_KEY: key, USER: 'tidemark:right & proper' };
    secure = await startEventStoreDbDouble({ environment });
  });
  afterAll(async () => {
    await secure.stop();
    rmSync(directory, { recursive: true });
  });

  it('lets in who knows the password', async () => {
    const store = await open(freshStreams(urlFor('tidemark:right%20%26%20proper')));
    expect(await store.append('a', [happened(1)], 'none')).toEqual({ outcome: 'stored', revision: 0 });
    expect(await all(store.readStream('a'))).toHaveLength(1);
    await store.close();
  });

  it('refuses others at boot, at once, in a line that does not show the password', async () => {
    const opening = open(freshStreams(urlFor('tidemark:wrong')));
    await expect(opening).rejects.toThrow(EventStoreDbUnusableError);
    await expect(opening).rejects.toThrow(
      `EventStoreDB at localhost:${secure.port} refuses the user of EVENTSTORE_URL, or does not let it read $all.`,
    );
  });
});

it('is not loaded by installations that do without it', async () => {
  await jest.isolateModulesAsync(async () => {
    jest.doMock('@eventstore/db-client', () => {
      throw new Error('loaded');
    });
    await import('./event-store.module.js');
    await import('../tracking-log/tracking-log.module.js');
    await expect(import('./eventstoredb.event-store.js')).rejects.toThrow('loaded');
    jest.dontMock('@eventstore/db-client');
  });
});

describe('the settings of EventStoreDB', () => {
  const refused = [
    'http://localhost:2113',
    'esdb://',
    'esdb://localhost:2113',
    'esdb://admin@localhost:2113',
    'esdb://admin:changeit@localhost:2113?tls',
    'esdb://admin:change@it@localhost:2113',
  ];

  it.each(refused)('refuse %s', (url) => {
    expect(() => readConfig({ EVENTSTORE_URL: url })).toThrow(/EVENTSTORE_URL: must/);
  });

  it.each([
    'esdb://localhost:2113?tls=false',
    'esdb://admin:changeit@localhost:2113',
    'kurrentdb+discover://admin:change%40it@cluster.example',
    'esdb://admin:changeit@one:2113,two:2113,three/?nodePreference=leader&tlsCAFile=/etc/ca.pem',
  ])('take %s', (url) => {
    expect(readConfig({ EVENTSTORE_URL: url }).EVENTSTORE_URL).toBe(url);
  });

  it('ask for a server where one is needed', async () => {
    await expect(open({ EVENT_STORE: 'eventstoredb' })).rejects.toThrow(ConfigError);
  });
});

async function all(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}
