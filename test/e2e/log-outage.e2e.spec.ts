// Intake as a process of its own before a real Kafka that is killed, stopped and cut off under load:
// requests are answered 202 throughout, and what was acknowledged is in the log afterwards, in order.
// Full, the spool turns away; killed, it is drained by the next process. A process that starts while
// Kafka is dead serves too, and ends once Kafka answers that it was told wrong of the log.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { openTrackingLog } from '../../src/tracking-log/tracking-log.module.js';
import { Child } from '../crash/child.js';
import { describeWith } from '../servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.js';
import { freePort } from '../servers/free-port.js';
import { startKafka, type TestKafka } from '../servers/kafka.js';
import { startPostgres, type TestPostgres } from '../servers/postgres.js';

const OPERATOR_KEY = 'operator-key-of-the-outage-test-0123456789';
const SITES = ['one.example', 'two.example', 'three.example', 'four.example', 'five.example'];
const CLIENTS = 4;
const OUTAGE_MS = 6_000;
const SPOOL_BYTES_MIN = 4_194_304;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
}

interface Ingest {
  readonly child: Child;
  readonly url: string;
}

describeWith('own-kafka', 'an outage of Kafka', () => {
  let postgres: TestPostgres;
  let proxy: FaultProxy;
  let kafka: TestKafka;
  let environment: Record<string, string>;
  const directories: string[] = [];
  const ingests: Ingest[] = [];
  const acknowledged: string[] = [];
  let requests = 0;

  beforeAll(async () => {
    postgres = await startPostgres();
    const port = await freePort();
    proxy = await startFaultProxy(port);
    kafka = await startKafka({ own: true, ports: [port], advertisedPorts: [proxy.port] });
    environment = {
      ROLE: 'ingest,api',
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      TRACKING_LOG_PARTITIONS: '3',
      OPERATOR_KEY,
      KEY_PEPPER: 'pepper-of-the-outage-test-0123456789abcdef',
      LOG_LEVEL: 'warn',
    };
  }, 240_000);

  afterEach(() => {
    proxy.mode = 'pass';
  });

  afterAll(async () => {
    for (const { child } of ingests) await child.kill();
    await kafka?.stop();
    await proxy?.close();
    await postgres?.stop();
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });

  async function freshDirectory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-outage-'));
    directories.push(directory);
    return directory;
  }

  async function start(settings: Readonly<Record<string, string>>): Promise<Ingest> {
    const port = await freePort();
    const child = await Child.start('src/main.js', {
      environment: { ...environment, PORT: String(port), ...settings },
    });
    const ingest = { child, url: `http://127.0.0.1:${port}` };
    ingests.push(ingest);
    while (!(await fetch(`${ingest.url}/health/ready`).catch(() => null))?.ok) {
      if (await Promise.race([child.ended, sleep(50)]))
        throw new Error(child.stderr + child.lines.join('\n'));
    }
    for (const domain of SITES) await post(ingest, '/v1/sites', { domain });
    return ingest;
  }

  const post = ({ url }: Ingest, path: string, body: unknown): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  /** One request; its events carry its client and number, by which order is told. */
  async function send(ingest: Ingest, client: string, copies = 1): Promise<Answer> {
    const number = requests++;
    const sites = Array.from({ length: copies }, () => SITES.slice(0, 1 + (number % SITES.length))).flat();
    const events = sites.map((site, index) => ({
      ...{ id: `${client}/${number}/${index}`, site, name: 'pageview', url: `https://${site}/${number}` },
      ...{ visitorId: client, title: `Page ${number}`.padEnd(300) },
    }));
    const startedAt = performance.now();
    const response = await post(ingest, '/v1/events', events);
    await response.arrayBuffer();
    if (response.status === 202) acknowledged.push(...events.map(({ id }) => id));
    const ms = performance.now() - startedAt;
    return { status: response.status, retryAfter: response.headers.get('retry-after'), ms };
  }

  /** Until the work is done; gives every answer. */
  async function underLoad(ingest: Ingest, work: () => Promise<void>): Promise<Answer[]> {
    const answers: Answer[] = [];
    let working = true;
    const name = `client-${requests}`;
    const clients = Array.from({ length: CLIENTS }, async (_, index) => {
      while (working) {
        answers.push(await send(ingest, `${name}-${index}`));
        await sleep(5);
      }
    });
    await work().finally(() => (working = false));
    await Promise.all(clients);
    return answers;
  }

  async function metric({ url }: Ingest, name: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^tidemark_spool_${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  async function drained(ingest: Ingest): Promise<void> {
    while ((await metric(ingest, 'waiting_batches')) > 0) await sleep(50);
  }

  /** Ids in the log, by partition, in order; those that are there twice, twice. */
  async function logged(): Promise<string[][]> {
    const log = await openTrackingLog(readConfig(environment), new Telemetry('silent'));
    const partitions: string[][] = [];
    for (let partition = 0; partition < log.partitions; partition++) {
      const ids: string[] = [];
      for await (const { events } of log.read(partition, null, { follow: false })) {
        ids.push(...events.map(({ id }) => id));
      }
      partitions.push(ids);
    }
    await log.close();
    return partitions;
  }

  async function expectNothingLostAndInOrder(): Promise<void> {
    const partitions = (await logged()).map((ids) => ({ ids, first: [...new Set(ids)] }));
    const found = new Set(partitions.flatMap(({ first }) => first));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    const known = new Set(acknowledged);
    for (const { first } of partitions) {
      const lastOf = new Map<string, number>();
      for (const id of first.filter((id) => known.has(id))) {
        const [client, number] = id.split('/') as [string, string];
        expect(Number(number)).toBeGreaterThanOrEqual(lastOf.get(client) ?? 0);
        lastOf.set(client, Number(number));
      }
    }
    const repeats = partitions.reduce((sum, { ids, first }) => sum + ids.length - first.length, 0);
    process.stderr.write(`${acknowledged.length} acknowledged, ${repeats} of them twice in the log\n`);
  }

  describe('under load', () => {
    let ingest: Ingest;
    beforeAll(async () => {
      ingest = await start({ DATA_DIR: await freshDirectory() });
    });

    it.each([
      {
        shape: 'killed with -9',
        begin: () => kafka.nodes[0]!.kill(),
        end: () => kafka.nodes[0]!.start(),
      },
      {
        shape: 'stopped with SIGSTOP',
        begin: async () => kafka.nodes[0]!.pause(),
        end: async () => kafka.nodes[0]!.resume(),
      },
      {
        shape: 'behind a blackhole',
        begin: async () => void (proxy.mode = 'blackhole'),
        end: async () => void (proxy.mode = 'pass'),
      },
    ])(
      'answers 202 while the broker is $shape, and drains in order on its return',
      async ({ begin, end }) => {
        const spooledBefore = await metric(ingest, 'appended_events_total');
        const answers = await underLoad(ingest, async () => {
          await sleep(500);
          await begin();
          await sleep(OUTAGE_MS);
          expect(await metric(ingest, 'waiting_batches')).toBeGreaterThan(0);
          expect(await metric(ingest, 'oldest_age_seconds')).toBeGreaterThan(OUTAGE_MS / 2_000);
          const ready = await fetch(`${ingest.url}/health/ready`);
          expect(ready.status).toBe(200);
          expect(await ready.json()).toMatchObject({
            dependencies: { 'tracking-log': { status: 'degraded', reason: 'events wait in the spool' } },
          });
          await end();
          await drained(ingest);
          await sleep(500);
        });
        expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
        expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(OUTAGE_MS);
        expect(await metric(ingest, 'appended_events_total')).toBeGreaterThan(spooledBefore + 100);
        await drained(ingest);
        await expectNothingLostAndInOrder();
      },
    );
  });

  it('answers 503 with Retry-After once the spool is full, and 202 again once it is drained', async () => {
    const ingest = await start({
      DATA_DIR: await freshDirectory(),
      SPOOL_BYTES_MAX: String(SPOOL_BYTES_MIN),
    });
    proxy.mode = 'blackhole';
    let answer = await send(ingest, 'filler', 100);
    while (answer.status === 202) answer = await send(ingest, 'filler', 100);
    expect(answer).toMatchObject({ status: 503, retryAfter: '5' });
    expect((await fetch(`${ingest.url}/health/ready`)).status).toBe(503);
    proxy.mode = 'pass';
    await drained(ingest);
    expect(await send(ingest, 'filler')).toMatchObject({ status: 202 });
    await drained(ingest);
    await expectNothingLostAndInOrder();
  });

  it('drains what a process left that was killed with a filled spool', async () => {
    const directory = await freshDirectory();
    const before = await start({ DATA_DIR: directory });
    proxy.mode = 'blackhole';
    for (let count = 0; count < 200; count++) await send(before, 'heir');
    expect(await metric(before, 'waiting_batches')).toBeGreaterThan(100);
    await before.child.kill();
    proxy.mode = 'pass';
    const after = await start({ DATA_DIR: directory });
    await send(after, 'heir');
    await drained(after);
    await expectNothingLostAndInOrder();
  });

  it('answers 503 at once without a spool', async () => {
    const ingest = await start({ DATA_DIR: await freshDirectory(), SPOOL_BYTES_MAX: '0' });
    expect(await send(ingest, 'frank')).toMatchObject({ status: 202 });
    proxy.mode = 'refuse';
    expect(await send(ingest, 'frank')).toMatchObject({ status: 503, retryAfter: '5' });
    proxy.mode = 'pass';
  });

  describe('that began before the process did', () => {
    beforeAll(() => logged()); // which makes the topic where no test before has
    beforeEach(() => kafka.nodes[0]!.kill());

    it('is served through, killed and started again, and drained when the broker runs', async () => {
      const directory = await freshDirectory();
      const sendMany = async (ingest: Ingest): Promise<void> => {
        for (let count = 0; count < 50; count++) {
          expect(await send(ingest, 'early')).toMatchObject({ status: 202 });
        }
      };
      const first = await start({ DATA_DIR: directory });
      const ready = await fetch(`${first.url}/health/ready`);
      expect(await ready.json()).toMatchObject({
        dependencies: { 'tracking-log': { status: 'degraded', reason: 'the log does not answer' } },
      });
      await sendMany(first);
      await first.child.kill();
      const second = await start({ DATA_DIR: directory });
      await sendMany(second);
      expect(await metric(second, 'waiting_batches')).toBeGreaterThan(50);
      await kafka.nodes[0]!.start();
      await drained(second);
      await sendMany(second);
      await drained(second);
      await expectNothingLostAndInOrder();
    });

    it('ends the process, and appends nothing, when the broker turns out to have another log', async () => {
      const ingest = await start({ DATA_DIR: await freshDirectory(), TRACKING_LOG_PARTITIONS: '2' });
      const event = { id: 'stray', site: SITES[0], name: 'pageview', url: `https://${SITES[0]}/` };
      expect((await post(ingest, '/v1/events', [event])).status).toBe(202);
      await kafka.nodes[0]!.start();
      expect(await ingest.child.ended).toMatchObject({ code: 1 });
      expect(ingest.child.lines.at(-1)).toMatch(/has 3 partitions and TRACKING_LOG_PARTITIONS is 2/);
      expect((await logged()).flat()).not.toContain('stray');
    });

    it('is a refusal to start without a spool', async () => {
      const starting = start({ DATA_DIR: await freshDirectory(), SPOOL_BYTES_MAX: '0' });
      await expect(starting).rejects.toThrow(/Kafka at .* cannot be used .* check KAFKA_BROKERS/);
    });
  });
});
