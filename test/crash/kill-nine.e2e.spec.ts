// The product under load, killed with -9 again and again: at every named place and at random. At the
// end every acknowledged event is counted once, every refused one never, and one whose answer was
// lost at most once, however often its client sent it again.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAILPOINTS } from '../../src/config/config.js';
import { random } from '../traffic.js';
import { Child } from './child.js';

const OPERATOR_KEY = 'operator-key-of-the-crash-test-0123456789';
const SITES = ['one.example', 'two.example', 'three.example'];
const RANDOM_KILLS = Number(process.env['CRASH_TEST_KILLS'] ?? 8);
const CLIENTS = 6;
const SEED = Number(process.env['CRASH_TEST_SEED'] ?? Date.now() % 1_000_000);

type Fate = 'acknowledged' | 'unknown';

interface Sent {
  readonly site: string;
  readonly event: Record<string, unknown>;
}

describe(`kill -9 (CRASH_TEST_SEED=${SEED})`, () => {
  const next = random(SEED);
  const fates = new Map<string, Fate>();
  const unanswered: Sent[][] = [];
  let sequence = 0;
  let directory: string;
  let port: number;
  let child: Child;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-kill-nine-'));
    port = await freePort();
  });

  afterAll(async () => {
    await child?.kill('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });

  async function start(failpoint?: string): Promise<void> {
    child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        PORT: String(port),
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        PROJECTOR_FLUSH_INTERVAL_MS: '50',
        // Small, so that sessions are forgotten and read back all the time.
        PROJECTOR_EVENTS_IN_MEMORY_MAX: '1000',
        ...(failpoint ? { FAILPOINT: failpoint } : {}),
      },
    });
    for (;;) {
      const ended = await Promise.race([child.ended, sleep(50)]);
      if (ended) {
        if (failpoint) return;
        throw new Error(`The process ended at boot:\n${child.stderr}`);
      }
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
      if (ready?.ok) return;
    }
  }

  const call = (path: string, body: unknown): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  function newRequest(): Sent[] {
    return Array.from({ length: 1 + Math.floor(next() * 12) }, () => {
      const name = `event-${sequence++}`;
      const site = SITES[Math.floor(next() * SITES.length)]!;
      const visitorId = `visitor-${Math.floor(next() * 40)}`;
      // Spread over the last hours, so that late events join and merge sessions.
      const occurredAt = Date.now() - Math.floor(next() ** 3 * 5 * 3_600_000);
      return { site, event: { site, id: name, name, visitorId, occurredAt, url: `https://${site}/p` } };
    });
  }

  /** Sends until the process is gone; what got no answer is sent again by a later life. */
  async function client(gone: () => boolean): Promise<void> {
    while (!gone()) {
      const request = (next() < 0.5 && unanswered.shift()) || newRequest();
      for (const { event } of request)
        if (!fates.has(event['id'] as string)) fates.set(event['id'] as string, 'unknown');
      try {
        const response = await call('/v1/events', { events: request.map(({ event }) => event) });
        await response.text();
        if (response.status !== 202) throw new Error(`answered ${response.status}`);
        for (const { event } of request) fates.set(event['id'] as string, 'acknowledged');
      } catch {
        unanswered.push(request);
        await sleep(5);
      }
    }
  }

  /** Whether the process killed itself first. */
  async function loadUntilKilled(killAfterMs: number): Promise<boolean> {
    let isGone = false;
    const gone = child.ended.then(() => (isGone = true));
    const clients = Array.from({ length: CLIENTS }, () => client(() => isGone));
    const byItself = (await Promise.race([gone, sleep(killAfterMs)])) === true;
    await child.kill('SIGKILL');
    await Promise.all(clients);
    return byItself;
  }

  async function counted(site: string): Promise<[string, number][]> {
    const counts: [string, number][] = [];
    for (;;) {
      const response = await call(`/v1/sites/${site}/query`, {
        metrics: ['events'],
        dimensions: ['event:name'],
        date_range: 'all',
        pagination: { limit: 10_000, offset: counts.length },
      });
      const { results } = (await response.json()) as {
        results: { dimensions: [string]; metrics: [number] }[];
      };
      if (results.length === 0) return counts;
      counts.push(...results.map(({ dimensions, metrics }): [string, number] => [dimensions[0], metrics[0]]));
    }
  }

  async function allCounted(): Promise<Map<string, number>> {
    const counts = await Promise.all(SITES.map(counted));
    return new Map(counts.flat());
  }

  it('loses no acknowledged event and counts none twice', async () => {
    await start();
    for (const domain of SITES) expect((await call('/v1/sites', { domain })).status).toBe(201);
    await loadUntilKilled(500);
    for (const name of FAILPOINTS) {
      await start(`${name}:${Math.floor(next() * 12)}`);
      expect(await loadUntilKilled(20_000)).toBe(true);
    }
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      await start();
      await loadUntilKilled(Math.floor(next() * 1_500));
    }

    await start();
    const acknowledged = [...fates].filter(([, fate]) => fate === 'acknowledged').map(([name]) => name);
    const deadline = Date.now() + 60_000;
    let counts = await allCounted();
    while (acknowledged.some((name) => !counts.has(name)) && Date.now() < deadline) {
      await sleep(200);
      counts = await allCounted();
    }
    expect(acknowledged.length).toBeGreaterThan(500);
    expect(acknowledged.filter((name) => counts.get(name) !== 1)).toEqual([]);
    expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...counts.keys()].filter((name) => !fates.has(name))).toEqual([]);
  }, 300_000);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
