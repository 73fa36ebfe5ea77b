// The product while its PostgreSQL says nothing, refuses, hangs or is dead: events go on being taken, no
// query fails but with 503, nothing is projected; and when it is back every number is right.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { CATALOG } from '../catalog.js';
import { Checkpoints } from '../../src/modules/projections/checkpoint.js';
import { caughtUp, openLog } from '../projecting.js';
import { expectedReadModels, storedReadModels } from '../read-models.js';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.js';
import { freePort } from '../servers/free-port.js';
import { type OwnPostgres, startOwnPostgres } from '../servers/own-postgres.js';
import { HUMAN_AGENT, PHONE_AGENT, random } from '../traffic.js';
import { Child } from './child.js';

const OPERATOR_KEY = 'operator-key-of-the-outage-test-0123456789';
const SITES = ['one.example', 'two.example', 'three.example', 'four.example', 'five.example'];
const PARTITIONS = 4;
/** Longer than any wait for PostgreSQL may take. */
const NETWORK_OUTAGE_MS = 20_000;
/** Until connections that hang have been found out. */
const HANG_MS = 18_000;
const DEATH_MS = 9_000;
/** What was under way when the outage began may have reached PostgreSQL. */
const UNDER_WAY_MS = 4_000;

describe('without PostgreSQL', () => {
  const next = random(31);
  let postgres: OwnPostgres;
  let proxy: FaultProxy;
  let directory: string;
  let child: Child;
  let url: string;
  let sent = 0;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    const databaseUrl = new URL(postgres.url);
    proxy = await startFaultProxy(Number(databaseUrl.port));
    databaseUrl.host = `127.0.0.1:${proxy.port}`;
    directory = await mkdtemp(join(tmpdir(), 'tidemark-outage-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        DATABASE_URL: databaseUrl.href,
        TRACKING_LOG_PARTITIONS: String(PARTITIONS),
        PORT: String(port),
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        PROJECTOR_FLUSH_INTERVAL_MS: '200',
      },
    });
    while ((await fetch(`${url}/health/ready`).catch(() => null))?.ok !== true) {
      if (await Promise.race([child.ended, sleep(50)])) throw new Error(child.stderr);
    }
    for (const domain of SITES) expect((await call('/v1/sites', { domain })).status).toBe(201);
  });

  afterAll(async () => {
    proxy.mode = 'pass';
    await child.kill('SIGTERM');
    await proxy.close();
    await rm(directory, { recursive: true, force: true });
    await postgres.stop();
  });

  const call = (path: string, body: unknown): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  function newEvent(): Record<string, unknown> {
    const site = SITES[Math.floor(next() * SITES.length)]!;
    const visitor = Math.floor(next() * 50);
    return {
      site,
      id: `event-${sent++}`,
      visitorId: `visitor-${visitor}`,
      userAgent: visitor % 2 ? HUMAN_AGENT : PHONE_AGENT,
      url: `https://${site}/page-${Math.floor(next() * 9)}`,
      occurredAt: Date.now() - Math.floor(next() ** 3 * 5 * 3_600_000),
    };
  }

  /** Statuses of everything sent until `over`, each with the longest time it took, in ms. */
  async function send(
    over: Promise<unknown>,
    request: () => Promise<Response>,
  ): Promise<Map<number, number>> {
    const statuses = new Map<number, number>();
    let isOver = false;
    void over.then(() => (isOver = true));
    while (!isOver) {
      const sentAt = performance.now();
      const response = await request();
      await response.text();
      const tookMs = performance.now() - sentAt;
      statuses.set(response.status, Math.max(statuses.get(response.status) ?? 0, tookMs));
      await sleep(20);
    }
    return statuses;
  }

  const intake = () => call('/v1/events', { events: Array.from({ length: 5 }, newEvent) });
  const query = () =>
    call(`/v1/sites/${SITES[0]}/query`, { metrics: ['visitors', 'events'], date_range: 'all' });

  async function checkpointPositions(): Promise<unknown[]> {
    const { rows } = await postgres.pool.query(
      'SELECT projection, partition, position FROM checkpoints ORDER BY projection, partition',
    );
    return rows;
  }

  async function expectExact(): Promise<void> {
    const log = openLog(join(directory, 'tracking-log'), PARTITIONS);
    try {
      await caughtUp(log, new Checkpoints(postgres.pool, CATALOG));
      const logged: TrackedEvent[] = [];
      for (let partition = 0; partition < PARTITIONS; partition++) {
        for await (const { events } of log.read(partition, null, { follow: false })) logged.push(...events);
      }
      expect(logged).toHaveLength(sent);
      expect(await storedReadModels(postgres.pool)).toEqual(expectedReadModels(logged));
    } finally {
      await log.close();
    }
  }

  /** As the projector says itself: a server that hangs cannot be asked. */
  async function projectedEvents(): Promise<unknown[]> {
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.match(/^tidemark_projections_events_total.*$/gm) ?? [];
  }

  interface Outage {
    readonly shape: string;
    begin(): void | Promise<void>;
    end(): void | Promise<void>;
    readonly lastsMs: number;
    /** What must stand still. */
    progress(): Promise<unknown[]>;
  }

  it.each<Outage>([
    {
      shape: 'silent',
      begin: () => void (proxy.mode = 'blackhole'),
      end: () => void (proxy.mode = 'pass'),
      lastsMs: NETWORK_OUTAGE_MS,
      progress: checkpointPositions,
    },
    {
      shape: 'refusing',
      begin: () => void (proxy.mode = 'refuse'),
      end: () => void (proxy.mode = 'pass'),
      lastsMs: NETWORK_OUTAGE_MS,
      progress: checkpointPositions,
    },
    {
      shape: 'stopped with SIGSTOP',
      begin: () => postgres.process.pause(),
      end: () => postgres.process.resume(),
      lastsMs: HANG_MS,
      progress: projectedEvents,
    },
    {
      shape: 'killed with -9',
      begin: () => postgres.process.kill(),
      end: () => postgres.process.start(),
      lastsMs: DEATH_MS,
      progress: projectedEvents,
    },
  ])(
    'takes events, answers 503 at worst and projects nothing while it is $shape, and is right afterwards',
    async ({ begin, end, lastsMs, progress }) => {
      await send(sleep(1_000), intake);
      const over = sleep(lastsMs);
      const answers = Promise.all([send(over, intake), send(over, query)]);
      await begin();
      try {
        await sleep(UNDER_WAY_MS);
        const before = await progress();
        expect(before.length).toBeGreaterThan(0);
        await over;
        expect(await progress()).toEqual(before);
      } finally {
        await end();
      }
      const [ofIntake, ofQueries] = await answers;
      expect([...ofIntake.keys()]).toEqual([202]);
      // Waiting for PostgreSQL, it would take as long as a query.
      expect(ofIntake.get(202)).toBeLessThan(4_000);
      expect([...ofQueries.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
      expect(ofQueries.get(503)).toBeLessThan(NETWORK_OUTAGE_MS - 1_000);
      await expectExact();
      expect((await query()).status).toBe(200);
    },
  );
});
