// A rebuild of the running product over the admin endpoint: while events come in and merchants ask, while
// its processes are killed at named places and at random, and through promotion and roll back.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readModelBytes } from '../read-models.js';
import type { OwnPostgres } from '../servers/own-postgres.js';
import { BOT_AGENT, HUMAN_AGENT, PHONE_AGENT, random } from '../traffic.js';
import { OperatedProduct, type RebuildSaid } from './operated-product.js';

const SITES = ['one.example', 'two.example', 'three.example'];
const AGENTS = [HUMAN_AGENT, PHONE_AGENT, BOT_AGENT];
const PARTITIONS = 3;
const HISTORY_EVENTS = 20_000;
const RANDOM_KILLS = Number(process.env['REBUILD_TEST_KILLS'] ?? 4);
const DAY_MS = 86_400_000;
/** A rebuild takes seconds on the quickest machine, and is still under way when it is to be killed. */
const UNHURRIED = { REBUILD_EVENTS_PER_SECOND_MAX: '2000' };

describe('a rebuild of the running product', () => {
  const next = random(77);
  const startedAt = Date.now();
  let product: OperatedProduct;
  let postgres: OwnPostgres;
  let sent = 0;

  beforeAll(async () => {
    product = await OperatedProduct.start({
      TRACKING_LOG_PARTITIONS: String(PARTITIONS),
      REBUILD_BUCKET_EVENTS_MAX: '500',
    });
    postgres = product.postgres;
    for (const domain of SITES) await said('POST', '/v1/sites', { domain });
    while (sent < HISTORY_EVENTS) await sendHistory();
    await quiet();
  });

  afterAll(() => product.stop());

  const said = <T>(method: string, path: string, body?: unknown) => product.said<T>(method, path, body);
  const quiet = () => product.quiet();
  const ended = (id: string) => product.rebuildEnded(id);

  function newEvents(count: number, between: readonly [number, number]): unknown[] {
    return Array.from({ length: count }, () => {
      const site = SITES[Math.floor(next() ** 2 * SITES.length)]!;
      const visitor = Math.floor(next() * 900);
      return {
        site,
        id: `event-${sent++}`,
        visitorId: `visitor-${visitor}`,
        userAgent: AGENTS[visitor % AGENTS.length]!,
        url: `https://${site}/page-${Math.floor(next() * 20)}`,
        name: next() < 0.2 ? 'signup' : 'pageview',
        occurredAt: between[0] + Math.floor(next() * (between[1] - between[0])),
      };
    });
  }

  /** Of the days before yesterday, in no order. */
  const sendHistory = () =>
    said('POST', '/v1/events', {
      events: newEvents(500, [startedAt - 9 * DAY_MS, startedAt - 2 * DAY_MS]),
    });
  const sendLive = () =>
    said('POST', '/v1/events', { events: newEvents(20, [Date.now() - 60_000, Date.now()]) });

  async function furtherThan(id: string, events: number): Promise<void> {
    while ((await said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`)).events <= events) await sleep(100);
  }

  const stateOf = async (id: string): Promise<string> =>
    (await said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`)).state;

  const request = () => product.rebuild();

  async function servingVersion(): Promise<number> {
    const { projections } = await said<{ projections: { servingVersion: number }[] }>(
      'GET',
      '/admin/v1/projections',
    );
    return projections[0]!.servingVersion;
  }

  /** Of days that nothing is sent for any more: it changes only when another version serves. */
  async function ask(): Promise<{ numbers: string; projection: string }> {
    const day = (before: number) => new Date(startedAt - before * DAY_MS).toISOString().slice(0, 10);
    const answer = await said<{ results: unknown; meta: { projection: string } }>(
      'POST',
      `/v1/sites/${SITES[0]}/query`,
      {
        metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate'],
        date_range: [day(9), day(3)],
        ...(next() < 0.5 && { dimensions: ['event:page'] }),
      },
    );
    return { numbers: JSON.stringify(answer.results), projection: answer.meta.projection };
  }

  it('runs once of ten asked for at once, and is refused to whoever is not the operator', async () => {
    const asked = await Promise.all(
      Array.from({ length: 10 }, () => product.call('POST', '/admin/v1/projections/traffic/rebuilds')),
    );
    expect(asked.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      202,
      ...Array<number>(9).fill(409),
    ]);
    const accepted = (await asked.find(({ status }) => status === 202)!.json()) as RebuildSaid;
    expect((await product.call('GET', '/admin/v1/projections/traffic/rebuilds')).status).toBe(405);
    const url = `${product.url}/admin/v1/projections/traffic/rebuilds`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    const key = await said<{ key: string }>('POST', `/v1/sites/${SITES[0]}/keys`, {
      name: 'merchant',
      scopes: ['sites:admin', 'stats:read'],
    });
    const merchant = { authorization: `Bearer ${key.key}` };
    expect((await fetch(url, { method: 'POST', headers: merchant })).status).toBe(403);
    expect((await ended(accepted.id)).state).toBe('caught_up');
    await quiet();
    expect(await readModelBytes(postgres.pool, accepted.version)).toEqual(
      await readModelBytes(postgres.pool),
    );
    await said('DELETE', `/admin/v1/projections/traffic/versions/${accepted.version}`);
  });

  it('never lets an answer mix two versions, nor fail, while it serves one after the other', async () => {
    // What version 1 says of one site's history is wrong from here on: a third of its sessions are lost.
    const { id: site } = await said<{ id: string }>('GET', `/v1/sites/${SITES[0]}`);
    const truth = await readModelBytes(postgres.pool);
    await postgres.pool.query(
      `DELETE FROM sessions_v1 WHERE site = $1 AND started_at < now() - interval '2 days' AND session % 3 = 0`,
      [site],
    );
    await postgres.pool.query(
      `UPDATE traffic_v1 SET pageviews = pageviews + 7 WHERE site = $1 AND hour < now() - interval '2 days'`,
      [site],
    );
    const answers: { numbers: string; projection: string }[] = [];
    const versionOf = ({ projection }: { projection: string }) => Number(projection.split('@')[1]);
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        answers.push(await ask());
        await sleep(10);
      }
    })();
    const answeredBy = async (serving: number): Promise<void> => {
      const from = answers.length;
      const told = () => answers.slice(from).filter((answer) => versionOf(answer) === serving).length;
      while (told() < 20) await Promise.race([asking, sleep(20)]);
    };
    const sending = (async () => {
      while (!isOver) {
        await sendLive();
        await sleep(20);
      }
    })();
    const { id, version } = await request();
    expect((await ended(id)).state).toBe('caught_up');
    const before = answers.length;
    await product.promote(version);
    await answeredBy(version);
    await said('POST', '/admin/v1/projections/sessions/rollback');
    await answeredBy(1);
    await product.promote(version);
    isOver = true;
    await Promise.all([asking, sending]);

    const changes = answers.filter(
      (answer, index) => index === 0 || versionOf(answer) !== versionOf(answers[index - 1]!),
    );
    expect(changes.map(versionOf).slice(0, 3)).toEqual([1, version, 1]);
    expect(before).toBeGreaterThan(20);
    // Two questions and two versions: four sets of numbers, each told by one version alone.
    const tellers = new Map<string, Set<number>>();
    for (const answer of answers) {
      tellers.set(answer.numbers, (tellers.get(answer.numbers) ?? new Set()).add(versionOf(answer)));
    }
    expect([...tellers.values()].map((versions) => versions.size)).toEqual([1, 1, 1, 1]);

    await quiet();
    const rebuilt = new Set(await readModelBytes(postgres.pool, version));
    expect(truth.filter((row) => row.includes(site) && !rebuilt.has(row)).length).toBeLessThan(
      truth.length / 20,
    );
    await said('DELETE', '/admin/v1/projections/sessions/versions/1');
  });

  it(
    'finishes and gives the same bytes however often its processes are killed',
    async () => {
      const serving = await servingVersion();
      const { id, version } = await request();
      for (const place of ['rebuild.sorted:0', 'rebuild.before-commit:3', 'rebuild.after-commit:0']) {
        await product.kill('SIGKILL');
        // Here it is the building process that is killed, again and again; the product goes on.
        await product.startAgain({ FAILPOINT: place, ...UNHURRIED });
        while ((await stateOf(id)) === 'requested') await sleep(100);
        await sleep(2_500);
        expect(await stateOf(id)).toBe('running');
      }
      for (let kill = 0; kill < RANDOM_KILLS; kill++) {
        await product.kill('SIGKILL');
        await product.startAgain(UNHURRIED);
        await sendLive();
        await sleep(next() * 2_000);
      }
      await product.kill('SIGKILL');
      await product.startAgain();
      expect(await ended(id)).toMatchObject({ state: 'caught_up', version });
      await quiet();
      const bytes = await readModelBytes(postgres.pool, version);
      expect(bytes.length).toBeGreaterThan(1_000);
      expect(bytes).toEqual(await readModelBytes(postgres.pool, serving));
      await said('DELETE', `/admin/v1/projections/sessions/versions/${version}`);
    },
    480_000 + RANDOM_KILLS * 30_000,
  );

  it('gives the same bytes from the archive and what the log holds beyond it', async () => {
    await product.kill('SIGTERM');
    await product.startAgain({
      ARCHIVE_URL: join(product.directory, 'archive'),
      ARCHIVE_SEGMENT_INTERVAL_MS: '1000',
    });
    await sendLive();
    const isArchived = async () => {
      const { rows } = await postgres.pool.query(
        `SELECT 1 FROM log_ends LEFT JOIN archive_partitions AS archived USING (partition)
         WHERE log_ends.position IS DISTINCT FROM archived.position`,
      );
      return rows.length === 0;
    };
    while (!(await isArchived())) await sleep(100);
    const { rows } = await postgres.pool.query<{ events: string }>(
      'SELECT sum(events) AS events FROM archive_segments',
    );
    expect(Number(rows[0]!.events)).toBe(sent);
    await sendLive();
    const asked = { source: 'archive+log' };
    const { id, version } = await product.rebuild(asked);
    expect(await ended(id)).toMatchObject({ state: 'caught_up' });
    await quiet();
    const serving = await servingVersion();
    expect(await readModelBytes(postgres.pool, version)).toEqual(
      await readModelBytes(postgres.pool, serving),
    );
    await said('DELETE', `/admin/v1/projections/sessions/versions/${version}`);
  });

  it('is held up, goes on, and when it is cancelled leaves nothing behind', async () => {
    await product.kill('SIGTERM');
    await product.startAgain({ REBUILD_EVENTS_PER_SECOND_MAX: '2000' });
    const { id, version, eventsExpected } = await request();
    // Also of partitions that nobody has begun with.
    expect(eventsExpected).toBeGreaterThanOrEqual(HISTORY_EVENTS);
    await furtherThan(id, 0);
    await said('POST', `/admin/v1/rebuilds/${id}/pause`);
    await sleep(1_500);
    const paused = await said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`);
    await sleep(1_500);
    expect(await said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`)).toMatchObject({
      state: 'paused',
      events: paused.events,
    });
    await said('POST', `/admin/v1/rebuilds/${id}/resume`);
    await furtherThan(id, paused.events);
    await said('POST', `/admin/v1/rebuilds/${id}/cancel`);
    expect(await stateOf(id)).toBe('cancelled');

    const left = async () => {
      const tables = await postgres.pool.query(`SELECT relname FROM pg_class WHERE relname ~ $1`, [
        `_v${version}(_|$)`,
      ]);
      const rows = await postgres.pool.query(
        `SELECT 1 FROM rebuild_partitions WHERE version = $1 UNION ALL SELECT 1 FROM checkpoints WHERE version = $1`,
        [version],
      );
      const files = (await readdir(join(product.directory, 'rebuild'))).filter((name) =>
        name.startsWith(`v${version}-`),
      );
      return tables.rows.length + rows.rows.length + files.length;
    };
    const deadline = Date.now() + 60_000;
    while ((await left()) > 0 && Date.now() < deadline) await sleep(200);
    expect(await left()).toBe(0);
  });
});
