// What was taken away is refused everywhere within a minute, whatever fails in between. Real processes: a node that
// hears everything takes keys, sign-ins, memberships and links away; Redis fails, or the event store falls silent
// for other nodes. Those that answer questions refuse everybody before they could let in whom they should not;
// intake goes on, and says how old its knowledge is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshStreams, startEventStoreDbDouble } from '../doubles/eventstoredb.js';
import { until } from '../redis-node.js';
import { describeWith } from '../servers/describe-with.js';
import { type FaultMode, type FaultProxy, startFaultProxy } from '../servers/fault-proxy.js';
import { freePort } from '../servers/free-port.js';
import { startPostgres, type TestPostgres } from '../servers/postgres.js';
import { startRedis, type TestRedis } from '../servers/redis.js';
import { type Granted, type Says, Shop, statusesOf } from './revocable.js';
import { Node } from './topology.js';

const BOOT_MS_MAX = 240_000;
/** After the append of what was taken away. */
const REFUSED_MS_MAX = 60_000;
/** Of nodes that hear of it, on a machine that runs other specs. */
const HEARD_MS_MAX = 20_000;
const ASK_AGAIN_MS = 500;

type Environment = Readonly<Record<string, string>>;

/** Servers, directories and nodes of one suite, gone with it. */
class Rig {
  readonly #ends: (() => Promise<unknown>)[] = [];
  #directory = '';

  static async begin(): Promise<Rig> {
    const rig = new Rig();
    rig.#directory = await mkdtemp(join(tmpdir(), 'tidemark-revocation-'));
    return rig;
  }

  ends(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  async node(name: string, environment: Environment): Promise<Node> {
    const node = new Node(name, {
      PUBLIC_URL: 'https://tidemark.example',
      KEY_PEPPER: 'pepper-that-every-node-of-the-outage-has',
      OPERATOR_KEY: 'operator-key-of-the-revocations-0123456789',
      PASSWORD_HASH_COST: '12',
      LOG_LEVEL: 'info',
      DATA_DIR: join(this.#directory, name),
      PORT: String(await freePort()),
      ...environment,
    });
    await node.start();
    this.ends(() => node.end('SIGTERM'));
    return node;
  }

  async proxy(port: number): Promise<FaultProxy> {
    const proxy = await startFaultProxy(port);
    this.ends(() => proxy.close());
    return proxy;
  }

  async over(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const through = (url: string, { port }: FaultProxy): string => {
  const changed = new URL(url);
  changed.host = `127.0.0.1:${port}`;
  return changed.href;
};

const LET_IN = [200, 200, 200, 200, 200];
/** Whoever is no member any more is still somebody. */
const REFUSED = [401, 401, 401, 403, 401];

async function hears(granted: Granted, node: Node, statuses: readonly number[]): Promise<void> {
  const deadline = Date.now() + HEARD_MS_MAX;
  for (;;) {
    const heard = statusesOf(await granted.shownTo(node));
    if (String(heard) === String(statuses)) return;
    if (Date.now() > deadline) throw new Error(`${node.name} answers ${heard.join()}`);
    await sleep(ASK_AGAIN_MS);
  }
}

const sendsEvent = async (node: Node, key: string): Promise<number> => {
  const response = await fetch(`http://${node.address}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'shop.example', url: 'https://shop.example/', visitorId: 'v' }),
  });
  return response.status;
};

describeWith('own-redis', 'what is taken away while Redis fails', () => {
  let rig: Rig;
  let redis: TestRedis;
  let proxy: FaultProxy;
  let teller: Node;
  let api: Node;
  let intake: Node;
  let shop: Shop;

  beforeAll(async () => {
    rig = await Rig.begin();
    const postgres = await startPostgres();
    rig.ends(() => postgres.stop());
    redis = await startRedis({ own: true });
    rig.ends(() => redis.stop());
    proxy = await rig.proxy(Number(new URL(redis.url).port));
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: through(redis.url, proxy) };
    teller = await rig.node('teller', { ...environment, ROLE: 'api' });
    api = await rig.node('api', { ...environment, ROLE: 'api' });
    intake = await rig.node('intake', { ...environment, ROLE: 'ingest' });
    shop = await Shop.open(teller, 'shop.example');
  }, BOOT_MS_MAX);
  afterAll(() => rig?.over(), BOOT_MS_MAX);

  it.each<[string, () => Promise<void>, () => Promise<void>]>([
    ['is killed', () => redis.process.kill(), () => redis.process.start()],
    ['hangs', async () => redis.process.pause(), async () => redis.process.resume()],
    ['falls silent', async () => void (proxy.mode = 'blackhole'), async () => void (proxy.mode = 'pass')],
  ])(
    'is refused by every node promptly when Redis %s',
    async (_, fail, mend) => {
      const granted = await shop.grant();
      const sending = await shop.issue(['ingest:server']);
      await hears(granted, api, LET_IN);
      await until(async () => (await sendsEvent(intake, sending.key)) === 202, HEARD_MS_MAX);
      await fail();
      await granted.takeAway();
      await shop.takeAway([['DELETE', `/v1/sites/${shop.ids.site}/keys/${sending.id}`, shop.ids.owner]]);
      await hears(granted, api, REFUSED);
      await until(async () => (await sendsEvent(intake, sending.key)) === 401, HEARD_MS_MAX);
      await mend();
      expect(statusesOf(await granted.shownTo(api))).toEqual(REFUSED);
    },
    BOOT_MS_MAX,
  );
});

interface Store {
  /** For nodes that reach it by this way. */
  readonly environment: (proxy: FaultProxy | undefined) => Environment;
  readonly port: number;
}

const onPostgres = async (_: Rig, postgres: TestPostgres): Promise<Store> => ({
  port: Number(new URL(postgres.url).port),
  environment: (proxy) => ({ DATABASE_URL: proxy ? through(postgres.url, proxy) : postgres.url }),
});

/** PostgreSQL stays there: nothing but the event store is away. */
const onEventStoreDb = async (rig: Rig, postgres: TestPostgres): Promise<Store> => {
  const double = await startEventStoreDbDouble();
  rig.ends(() => double.stop());
  const { EVENTSTORE_STREAM_PREFIX } = freshStreams(double.url) as { EVENTSTORE_STREAM_PREFIX: string };
  const common = { EVENT_STORE: 'eventstoredb', EVENTSTORE_STREAM_PREFIX, DATABASE_URL: postgres.url };
  return {
    port: double.port,
    environment: (proxy) => ({
      ...common,
      EVENTSTORE_URL: `esdb://127.0.0.1:${proxy?.port ?? double.port}?tls=false`,
    }),
  };
};

describe.each<[string, typeof onPostgres]>([
  ['PostgreSQL', onPostgres],
  ['EventStoreDB (protocol double, not a server)', onEventStoreDb],
])('what is taken away while nodes are cut off from the event store, %s', (_, openStore) => {
  let rig: Rig;
  let shop: Shop;
  let teller: Node;
  let intake: Node;
  /** Nodes that answer questions, and how they are cut off. */
  const cutOff: { readonly node: Node; readonly proxy: FaultProxy; readonly mode: FaultMode }[] = [];
  let intakesProxy: FaultProxy;

  beforeAll(async () => {
    rig = await Rig.begin();
    cutOff.length = 0;
    const postgres = await startPostgres();
    rig.ends(() => postgres.stop());
    const store = await openStore(rig, postgres);
    teller = await rig.node('teller', { ...store.environment(undefined), ROLE: 'api' });
    for (const mode of ['blackhole', 'refuse'] as const) {
      const proxy = await rig.proxy(store.port);
      const node = await rig.node(mode, { ...store.environment(proxy), ROLE: 'api' });
      cutOff.push({ node, proxy, mode });
    }
    intakesProxy = await rig.proxy(store.port);
    intake = await rig.node('intake', { ...store.environment(intakesProxy), ROLE: 'ingest' });
    shop = await Shop.open(teller, 'shop.example');
  }, BOOT_MS_MAX);
  afterAll(() => rig?.over(), BOOT_MS_MAX);

  it(
    'is refused by each of them within a minute, and again when they hear; intake goes on',
    async () => {
      const [granted, kept] = [await shop.grant(), await shop.grant()];
      const sending = await shop.issue(['ingest:server']);
      for (const { node } of cutOff) {
        await hears(granted, node, LET_IN);
        await hears(kept, node, LET_IN);
      }
      await until(async () => (await sendsEvent(intake, sending.key)) === 202, HEARD_MS_MAX);

      for (const { proxy, mode } of cutOff) proxy.mode = mode;
      intakesProxy.mode = 'blackhole';
      const takenAwayAt = Date.now();
      await granted.takeAway();
      // They cannot know of it.
      for (const { node } of cutOff) expect(statusesOf(await granted.shownTo(node))).toEqual(LET_IN);
      while (Date.now() < takenAwayAt + REFUSED_MS_MAX) {
        expect(await sendsEvent(intake, sending.key)).toBe(202);
        await sleep(ASK_AGAIN_MS);
      }
      for (const { node } of cutOff) {
        // Nobody is let in by whoever does not know who may be.
        expect(await granted.shownTo(node)).toEqual(unavailable);
        expect(await kept.shownTo(node)).toEqual(unavailable);
        expect(await readinessOf(node)).toMatchObject({
          status: 503,
          directories: { status: 'down', facts: { ageMs: expect.any(Number) } },
        });
      }
      await intakeGoesOn(intake, sending.key);

      for (const { proxy } of cutOff) proxy.mode = 'pass';
      intakesProxy.mode = 'pass';
      for (const { node } of cutOff) {
        await hears(kept, node, LET_IN);
        expect(statusesOf(await granted.shownTo(node))).toEqual(REFUSED);
      }
      await until(async () => (await readinessOf(intake)).directories.status === 'up', HEARD_MS_MAX);
    },
    BOOT_MS_MAX,
  );
});

const UNAVAILABLE = { status: 503, retryAfter: '5' };
const unavailable: Says = {
  key: UNAVAILABLE,
  'sign-in': UNAVAILABLE,
  'sign-in ended everywhere': UNAVAILABLE,
  membership: UNAVAILABLE,
  link: UNAVAILABLE,
};

async function intakeGoesOn(intake: Node, key: string): Promise<void> {
  expect(await sendsEvent(intake, key)).toBe(202);
  expect(await readinessOf(intake)).toMatchObject({
    status: 200,
    directories: { status: 'degraded', reason: 'the event store has not been read for too long' },
  });
  const age = /^tidemark_auth_directory_age_seconds ([\d.]+)$/m.exec(await intake.metrics())?.[1];
  expect(Number(age)).toBeGreaterThan(REFUSED_MS_MAX / 1_000);
}

async function readinessOf(node: Node) {
  const response = await fetch(`http://${node.address}/health/ready`);
  const { dependencies } = (await response.json()) as {
    dependencies: { directories: { status: string } };
  };
  return { status: response.status, directories: dependencies.directories };
}
