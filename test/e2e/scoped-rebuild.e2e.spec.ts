// Rebuilds of a part, over the admin endpoint, while events come in: a site, then some days of another. What is
// in the scope comes right again, and every other row stays as it was, right or wrong.
import { setTimeout as sleep } from 'node:timers/promises';
import { BOT_AGENT, HUMAN_AGENT, PHONE_AGENT, random } from '../traffic.js';
import { OperatedProduct, type RebuildSaid } from './operated-product.js';

const DAY_MS = 86_400_000;
const HISTORY_EVENTS = 8_000;
const AGENTS = [HUMAN_AGENT, PHONE_AGENT, BOT_AGENT];
/** Half an hour off, so that its days begin within hours of UTC. */
const DOMAINS = { kolkata: 'shop.example', utc: 'blog.example' } as const;
const TABLES = ['sessions', 'waiting', 'traffic'] as const;

describe('a rebuild of a part', () => {
  const next = random(4_711);
  const startedAt = Date.now();
  let product: OperatedProduct;
  let kolkata: string;
  let utc: string;
  let sent = 0;

  beforeAll(async () => {
    product = await OperatedProduct.start({
      TRACKING_LOG_PARTITIONS: '2',
      REBUILD_BUCKET_EVENTS_MAX: '1000',
    });
    const create = (domain: string, timezone: string) =>
      product.said<{ id: string }>('POST', '/v1/sites', { domain, timezone });
    kolkata = (await create(DOMAINS.kolkata, 'Asia/Kolkata')).id;
    utc = (await create(DOMAINS.utc, 'UTC')).id;
    while (sent < HISTORY_EVENTS) await send(500, [startedAt - 9 * DAY_MS, startedAt - 2 * DAY_MS]);
    await product.quiet();
  });

  afterAll(() => product.stop());

  async function send(count: number, between: readonly [number, number]): Promise<void> {
    const events = Array.from({ length: count }, () => {
      const site = next() < 0.5 ? DOMAINS.kolkata : DOMAINS.utc;
      const visitor = Math.floor(next() * 150);
      const kind = next();
      return {
        site,
        id: `event-${sent++}`,
        visitorId: `visitor-${visitor}`,
        userAgent: AGENTS[visitor % AGENTS.length]!,
        url: `https://${site}/page-${Math.floor(next() * 20)}`,
        name: kind < 0.1 ? 'engagement' : kind < 0.3 ? 'signup' : 'pageview',
        ...(kind < 0.1 && { engagementMs: 1_000 }),
        occurredAt: between[0] + Math.floor(next() * (between[1] - between[0])),
      };
    });
    await product.said('POST', '/v1/events', { events });
  }

  const day = (before: number) => new Date(startedAt - before * DAY_MS).toISOString().slice(0, 10);

  /** Every byte of a site's rows in a version, of the history alone: live events go on. */
  async function bytes(site: string, version: number, where = 'true'): Promise<string[]> {
    const time = { sessions: 'started_at', waiting: 'at', traffic: 'hour' } as const;
    const parts = TABLES.map(
      (table) =>
        `SELECT '${table}' || r::text AS row FROM (SELECT *, ${time[table]} AS time FROM ${table}_v${version}) AS r
         WHERE site = $1 AND time < $2 AND ${where}`,
    );
    const { rows } = await product.postgres.pool.query<{ row: string }>(
      `${parts.join(' UNION ALL ')} ORDER BY 1`,
      [site, new Date(startedAt - 1.5 * DAY_MS)],
    );
    return rows.map(({ row }) => row);
  }

  /** Of days that nothing is sent for any more. */
  async function answerFor(domain: string) {
    const answer = await product.said<{ results: unknown; meta: { projection: string } }>(
      'POST',
      `/v1/sites/${domain}/query`,
      {
        metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate'],
        date_range: [day(9), day(3)],
        dimensions: ['visit:browser'],
      },
    );
    return { numbers: JSON.stringify(answer.results), projection: answer.meta.projection };
  }

  async function whileEventsComeIn<T>(work: () => Promise<T>): Promise<T> {
    let isOver = false;
    const sending = (async () => {
      while (!isOver) {
        await send(20, [Date.now() - 60_000, Date.now()]);
        await sleep(20);
      }
    })();
    try {
      return await work();
    } finally {
      isOver = true;
      await sending;
    }
  }

  it('is refused where the part is not there', async () => {
    const status = async (body: unknown) =>
      (await product.call('POST', '/admin/v1/projections/sessions/rebuilds', body)).status;
    expect(await status({ sites: ['nobody.example'] })).toBe(404);
    expect(await status({ sites: [] })).toBe(400);
    expect(await status({ from: '2026-11-02', to: '2026-11-01' })).toBe(400);
    expect(await status({ from: 'yesterday' })).toBe(400);
  });

  it('mends a site, then some days of another, and touches nothing else', async () => {
    const truth = { kolkata: await bytes(kolkata, 1), utc: await bytes(utc, 1) };
    const right = await answerFor(DOMAINS.kolkata);
    await product.postgres.pool.query(`UPDATE sessions_v1 SET browser = 'Wrong', bounced = NOT bounced`);
    await product.postgres.pool.query(`UPDATE traffic_v1 SET pageviews = pageviews + 7`);
    const wrong = { kolkata: await bytes(kolkata, 1), utc: await bytes(utc, 1) };
    expect(wrong.utc).not.toEqual(truth.utc);

    // One site.
    const site = await whileEventsComeIn(async () => {
      const rebuild = await product.rebuild({ sites: [DOMAINS.kolkata] });
      expect(rebuild).toMatchObject({ version: 2, scope: { sites: [kolkata], from: null, to: null } });
      return product.rebuildEnded(rebuild.id);
    });
    expect(site).toMatchObject({ state: 'caught_up' });
    expect(await bytes(kolkata, 2)).toEqual(truth.kolkata);
    expect(await bytes(utc, 2)).toEqual([]);
    const comparison = await product.said<{ sites: string[]; differences: { site: string }[] }>(
      'GET',
      '/admin/v1/projections/sessions/compare',
    );
    expect(comparison).toMatchObject({ a: 1, b: 2, sites: [kolkata], within: false });
    expect(new Set(comparison.differences.map((difference) => difference.site))).toEqual(new Set([kolkata]));
    expect(await product.promote(2)).toMatchObject({ servingVersion: 2, previousVersion: 1 });
    const mended = await answerFor(DOMAINS.kolkata);
    expect(mended.numbers).toBe(right.numbers);
    expect(mended.projection).toMatch(/@2$/);
    expect((await answerFor(DOMAINS.utc)).projection).toMatch(/@1$/);

    // Two days of the other one.
    const [from, to] = [day(6), day(5)];
    const days = await whileEventsComeIn(async () => {
      const rebuild = await product.rebuild({ sites: [utc], from, to });
      return product.rebuildEnded(rebuild.id);
    });
    expect(days).toMatchObject<Partial<RebuildSaid>>({ state: 'caught_up', version: 3 });
    const inside = `time >= '${from}T00:00:00Z' AND time < '${day(4)}T00:00:00Z'`;
    // Sessions that go on after midnight are counted in the hours that they reach.
    const outside = `(time < '${from}T00:00:00Z' OR time >= '${day(4)}T03:00:00Z')`;
    const sessionsOf = (rows: readonly string[]) => rows.filter((row) => !row.startsWith('traffic'));
    const [mendedDays, otherDays] = [await bytes(utc, 3, inside), await bytes(utc, 3, outside)];
    expect(mendedDays.length).toBeGreaterThan(100);
    expect(sessionsOf(mendedDays).every((row) => truth.utc.includes(row))).toBe(true);
    expect(sessionsOf(await bytes(utc, 3, `NOT (${inside})`))).toEqual(
      sessionsOf(await bytes(utc, 1, `NOT (${inside})`)),
    );
    expect(otherDays).toEqual(await bytes(utc, 1, outside));
    expect(otherDays.every((row) => wrong.utc.includes(row))).toBe(true);
    await product.promote(3);
    expect((await answerFor(DOMAINS.utc)).projection).toMatch(/@3$/);
    expect((await answerFor(DOMAINS.kolkata)).projection).toMatch(/@2$/);

    // All three answer for something, or would after a roll back.
    expect((await product.call('DELETE', '/admin/v1/projections/sessions/versions/1')).status).toBe(409);
    await product.said('POST', '/admin/v1/projections/sessions/rollback');
    expect((await answerFor(DOMAINS.utc)).projection).toMatch(/@1$/);
    expect((await answerFor(DOMAINS.kolkata)).numbers).toBe(right.numbers);
    await product.quiet();
    expect(await bytes(kolkata, 2)).toEqual(truth.kolkata);
    expect(await bytes(kolkata, 1)).toEqual(wrong.kolkata);
  });

  it('goes on with some days after every kill of the process that builds them', async () => {
    const { id, version } = await product.rebuild({ sites: [kolkata], from: day(7), to: day(4) });
    for (const place of ['rebuild.sorted:0', 'rebuild.before-commit:0']) {
      await product.kill('SIGKILL');
      // Slow enough to be under way still on the quickest machine.
      await product.startAgain({ FAILPOINT: place, REBUILD_EVENTS_PER_SECOND_MAX: '200' });
      const state = async () => (await product.said<RebuildSaid>('GET', `/admin/v1/rebuilds/${id}`)).state;
      while ((await state()) === 'requested') await sleep(100);
      await sleep(2_500);
      expect(await state()).toBe('running');
    }
    await product.kill('SIGKILL');
    // Each process does one step and is killed.
    await product.startAgain({ FAILPOINT: 'rebuild.after-commit:0' });
    expect(await product.rebuildEnded(id)).toMatchObject({ state: 'caught_up', version });
    await product.quiet();
    const { rows } = await product.postgres.pool.query<{ step: number }>(
      'SELECT max(step) AS step FROM rebuild_partitions WHERE version = $1',
      [version],
    );
    expect(rows[0]!.step).toBeGreaterThan(2);
    expect(await bytes(kolkata, version)).toEqual(await bytes(kolkata, 2));
  }, 300_000);
});
