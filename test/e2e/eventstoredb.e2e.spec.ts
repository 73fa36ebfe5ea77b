// The whole product with both of its logs in EventStoreDB (protocol double, not a server): two nodes of
// the control plane on it, and the process as its operator starts, kills and starts it again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../crash/child.js';
import { type EventStoreDbDouble, freshStreams, startEventStoreDbDouble } from '../doubles/eventstoredb.js';
import { until } from '../redis-node.js';
import { type ControlPlane, OPERATOR_KEY, startControlPlane } from '../servers/control-plane.js';
import { freePort } from '../servers/free-port.js';
import { type MigratedPostgres, startMigratedPostgres } from '../servers/postgres.js';

const KEY_PEPPER = 'a pepper that all nodes of the test are given';

let double: EventStoreDbDouble;
let postgres: MigratedPostgres;
let environment: Record<string, string>;

beforeAll(async () => {
  double = await startEventStoreDbDouble();
  postgres = await startMigratedPostgres();
});
afterAll(async () => {
  await postgres.stop();
  await double.stop();
});
beforeEach(() => {
  environment = { EVENT_STORE: 'eventstoredb', ...freshStreams(double.url), OPERATOR_KEY, KEY_PEPPER };
});

describe('the control plane on EventStoreDB (protocol double, not a server)', () => {
  const nodes: ControlPlane[] = [];
  const start = async (): Promise<ControlPlane> => {
    const node = await startControlPlane(postgres.pool, { environment });
    nodes.push(node);
    return node;
  };
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
  });

  it('finds its sites and keys again after a restart, of the process and of the server', async () => {
    const first = await start();
    const site = (await first.call('POST', '/v1/sites', { body: { domain: 'kept.example' } })).body;
    const body = { name: 'statistics', scopes: ['stats:read'] };
    const { key } = (await first.call('POST', `/v1/sites/${site.id}/keys`, { body })).body;
    await nodes.pop()!.close();
    await double.process.kill();
    await double.process.start();

    const second = await start();
    const found = await second.call('GET', `/v1/sites/${site.id}`);
    expect([found.status, found.body.domain]).toEqual([200, 'kept.example']);
    expect((await second.call('GET', `/v1/sites/${site.id}`, { key })).status).toBe(200);
    expect((await second.call('GET', `/v1/sites/${site.id}`, { key: `${key}x` })).status).toBe(401);
    const { rows } = await postgres.pool.query('SELECT count(*)::int AS events FROM event_store.events');
    expect(rows).toEqual([{ events: 0 }]);
  });

  it('gives a domain to one of those who ask at once, and two nodes know of each other at once', async () => {
    const [one, two] = [await start(), await start()];
    const answers = await Promise.all(
      [one, two, one, two].map((node) =>
        node.call('POST', '/v1/sites', { body: { domain: 'wanted.example' } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    const { id } = answers.find(({ status }) => status === 201)!.body;
    await one.call('DELETE', `/v1/sites/${id}`);
    await until(async () => (await two.call('GET', `/v1/sites/${id}`)).status === 404);
  });

  it('answers 503 with Retry-After while the server hangs, and goes on when it does', async () => {
    environment = { ...environment, EVENTSTORE_TIMEOUT_MS: '2000' };
    const node = await start();
    double.process.pause();
    const answer = await node.call('POST', '/v1/sites', { body: { domain: 'later.example' } });
    double.process.resume();
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    expect((await node.call('POST', '/v1/sites', { body: { domain: 'now.example' } })).status).toBe(201);
  });
});

describe('the process with both logs on EventStoreDB (protocol double, not a server)', () => {
  let directory: string;
  let child: Child | undefined;
  let url: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tidemark-eventstoredb-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    environment = { ...environment, DATA_DIR: directory, PORT: String(port), DATABASE_URL: postgres.url };
  });
  afterEach(async () => {
    await child?.kill('SIGTERM');
    rmSync(directory, { recursive: true });
  });

  const call = (path: string, body: unknown) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  async function start(): Promise<void> {
    child = await Child.start('src/main.js', { environment });
    for (;;) {
      if (await Promise.race([child.ended, delay(100)])) throw new Error(child.stderr);
      if ((await fetch(`${url}/health/ready`).catch(() => null))?.ok) return;
    }
  }

  async function countedEvents(): Promise<number> {
    const query = { metrics: ['events'], date_range: 'all' };
    const { results } = (await (await call('/v1/sites/counted.example/query', query)).json()) as {
      results: { metrics: [number] }[];
    };
    return results[0]?.metrics[0] ?? 0;
  }

  it('counts what was acknowledged, also when it was killed with -9 in between', async () => {
    await start();
    expect((await call('/v1/sites', { domain: 'counted.example' })).status).toBe(201);
    for (let sent = 0; sent < 200; sent += 50) {
      const events = Array.from({ length: 50 }, (_, n) => ({
        site: 'counted.example',
        id: `event-${sent + n}`,
        name: 'pageview',
        visitorId: `visitor-${n % 7}`,
        url: 'https://counted.example/',
      }));
      expect((await call('/v1/events', { events })).status).toBe(202);
    }
    await child!.kill('SIGKILL');
    await start();
    await until(async () => (await countedEvents()) >= 200);
    expect(await countedEvents()).toBe(200);
  });

  it('says in one line that it cannot start without its server', async () => {
    const nowhere = `esdb://operator:secret@127.0.0.1:${await freePort()}`;
    child = await Child.start('src/main.js', { environment: { ...environment, EVENTSTORE_URL: nowhere } });
    expect(await child.ended).toMatchObject({ code: 1 });
    expect(child.stderr).toMatch(
      /^Tidemark cannot start: EventStoreDB could not be used at 127\.0\.0\.1:\d+: .+\n$/,
    );
    expect(child.stderr + child.lines.join('\n')).not.toContain('secret');
  });
});
