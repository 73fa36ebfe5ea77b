// Synthetic read models, made inside PostgreSQL: sites of given sizes over the days before a moment, most
// sessions short, few long, paths and sources skewed, rows lying in the order of time in which a projector
// writes them. By default one big site of a million events among two hundred neighbours.
import type { Pool } from 'pg';
import { createReadModelTables, MonthPartitions } from '../src/modules/projections/read-model-tables.js';
import {
  CHANGED_PERIOD_MS,
  changedPeriodsTable,
} from '../src/modules/projections/read-models/changed-periods.js';
import {
  changeSketch,
  EMPTY_SKETCH,
  encodeSketch,
} from '../src/modules/projections/read-models/visitor-sketch.js';
import { CATALOG } from '../test/catalog.js';

export const BIG_SITE = 'site-big';
export const NOW = Date.parse('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;

export interface SyntheticSite {
  readonly site: string;
  readonly sessions: number;
  /** False: in the facts only. Making it takes longer than all the rest. */
  readonly rollup?: false;
}

export interface SyntheticTraffic {
  readonly sites: readonly SyntheticSite[];
  readonly days: number;
  /** Epoch milliseconds: no session begins later. */
  readonly until: number;
}

const DEFAULT_TRAFFIC: SyntheticTraffic = {
  sites: [
    { site: BIG_SITE, sessions: 333_333 },
    ...Array.from({ length: 200 }, (_, index) => ({ site: `site-${index}`, sessions: 250 })),
  ],
  days: 30,
  until: Date.parse('2026-11-20T00:00:00Z'),
};
/** Of sites whose rollup is made at once: each hour's visitors go through this process. */
const TRAFFIC_SESSIONS_AT_ONCE = 250_000;

/** Into tables such as the product makes; it may have made them already. */
export async function fillReadModels(pool: Pool, traffic = DEFAULT_TRAFFIC): Promise<void> {
  await createReadModelTables(pool, CATALOG);
  const daysOf = ({ days, until }: SyntheticTraffic): number[] =>
    Array.from({ length: days + 1 }, (_, day) => until - day * DAY_MS);
  await new MonthPartitions(pool, 'sessions_v1').ensure(daysOf(traffic));
  await fillSessions(pool, traffic);
  for (const sites of inParts(traffic.sites.filter(({ rollup }) => rollup !== false)))
    await fillTraffic(pool, sites);
  await pool.query(
    `INSERT INTO ${changedPeriodsTable(1)} (site, period, partition, position)
      SELECT DISTINCT site, date_bin($1 * interval '1 millisecond', hour, 'epoch'), 0, '1' FROM traffic_v1
      ON CONFLICT DO NOTHING`,
    [CHANGED_PERIOD_MS],
  );
  for (const table of ['sessions_v1', 'traffic_v1', changedPeriodsTable(1)]) {
    await pool.query(`VACUUM ANALYZE ${table}`);
  }
}

/** As if a projector had written the rows and were up to date. Not where one runs: it goes on from its own. */
export async function setCheckpoints(pool: Pool): Promise<void> {
  await pool.query(`INSERT INTO checkpoints (projection, version, partition, position, watermark)
    SELECT name, 1, partition, '1', now() FROM unnest(ARRAY['sessions','traffic']) name, generate_series(0, 3) partition`);
}

async function fillSessions(pool: Pool, { sites, days, until }: SyntheticTraffic): Promise<void> {
  const before = runningSums(sites.map(({ sessions }) => sessions));
  const made = `
    SELECT i, site, sessions, hashint8(i) & 2147483647 AS h,
      $4::timestamptz - (hashint8extended(i, 1) & 9007199254740991) % $5::bigint * interval '1 millisecond' AS at,
      CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (hashint8(i + 5) & 7) END AS size
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS sites (site, sessions, before),
      generate_series(before + 1, before + sessions) AS i
    ORDER BY at`;
  await pool.query(
    `INSERT INTO sessions_v1 (site, started_at, session, partition, visitor, ended_at, bot, bounced, pageviews, events,
        entry_page, exit_page, entry_hostname, exit_hostname, source, referrer, country, city, browser, os, device,
        utm_medium, event_offsets, event_names, event_pages)
      SELECT site, at, i, 0, hashint8extended(h % greatest(1, sessions * 3 / 5), 7), at + (size - 1) * interval '47 seconds', h % 20 = 0,
        size = 1, size - size / 5, size, pages[1], pages[size], 'shop.example', 'shop.example',
        CASE WHEN h % 3 > 0 THEN (ARRAY['Google','Bing','news.example','Facebook','GitHub'])[1 + h % 5] END,
        CASE WHEN h % 3 > 0 THEN 'www.google.com/search' END, (ARRAY['DE','AT','US','FR','GB','IN','JP','BR'])[1 + h % 8],
        'City ' || h % 500, (ARRAY['Chrome','Firefox','Safari'])[1 + h % 3], (ARRAY['Windows','macOS','Linux'])[1 + h % 3],
        (ARRAY['Desktop','Mobile'])[1 + h % 2], CASE WHEN h % 10 = 0 THEN 'email' END,
        ARRAY(SELECT 47000 * n FROM generate_series(0, size - 1) n),
        CASE WHEN size >= 5 THEN ARRAY(SELECT CASE WHEN n = size THEN 'signup' ELSE 'pageview' END FROM generate_series(1, size) n) END,
        pages
      FROM (${made}) AS made, LATERAL (SELECT ARRAY(
        SELECT '/products/' || ((hashint8(i * 31 + n) & 65535)::bigint * (hashint8(i * 17 + n) & 65535) >> 22)
        FROM generate_series(1, size) n) AS pages) AS p`,
    [
      sites.map(({ site }) => site),
      sites.map(({ sessions }) => sessions),
      before,
      new Date(until),
      days * DAY_MS,
    ],
  );
}

/** Of all before each. */
function runningSums(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => (sum += value) - value);
}

function inParts(sites: readonly SyntheticSite[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const { site, sessions } of sites) {
    if (room < sessions || parts.length === 0) {
      parts.push([]);
      room = TRAFFIC_SESSIONS_AT_ONCE;
    }
    parts.at(-1)!.push(site);
    room -= sessions;
  }
  return parts;
}

async function fillTraffic(pool: Pool, sites: readonly string[]): Promise<void> {
  await pool.query(
    `WITH sessions AS (
      SELECT site, bot, bounced, date_trunc('hour', started_at) AS started, ended_at,
        extract(epoch FROM ended_at - started_at) * 1000 AS duration_ms
      FROM sessions_v1 WHERE site = ANY($1)
    )
    INSERT INTO traffic_v1 (site, hour, bot, partition, pageviews, events, visitors, sessions_started, sessions_active,
        bounces_started, bounces_active, duration_started_ms, duration_active_ms)
      SELECT site, hour, bot, 0, 0, 0, '', count(*) FILTER (WHERE hour = started), count(*),
        count(*) FILTER (WHERE hour = started AND bounced), count(*) FILTER (WHERE bounced),
        coalesce(sum(duration_ms) FILTER (WHERE hour = started), 0), sum(duration_ms)
      FROM sessions, generate_series(started, ended_at, interval '1 hour') AS hour GROUP BY site, hour, bot`,
    [sites],
  );
  const { rows } = await pool.query<{
    site: string;
    bot: boolean;
    hour: Date;
    visitors: string[];
    events: string;
    pageviews: string;
  }>(
    `SELECT site, bot, hour, array_agg(DISTINCT lpad(to_hex(visitor), 16, '0')) AS visitors, count(*) AS events,
      count(*) FILTER (WHERE name = 'pageview') AS pageviews
      FROM (SELECT site, bot, visitor, date_trunc('hour', started_at + moment * interval '1 millisecond') AS hour,
          coalesce(name, 'pageview') AS name
        FROM (SELECT site, bot, visitor, started_at, unnest(event_offsets) AS moment, unnest(event_names) AS name
          FROM sessions_v1 WHERE site = ANY($1)) AS apart) AS events GROUP BY 1, 2, 3`,
    [sites],
  );
  await pool.query(
    `UPDATE traffic_v1 t SET visitors = r.visitors, events = r.events, pageviews = r.pageviews
      FROM unnest($1::text[], $2::bool[], $3::timestamptz[], $4::bytea[], $5::bigint[], $6::bigint[])
        AS r(site, bot, hour, visitors, events, pageviews)
      WHERE t.site = r.site AND t.bot = r.bot AND t.hour = r.hour`,
    [
      rows.map(({ site }) => site),
      rows.map(({ bot }) => bot),
      rows.map(({ hour }) => hour),
      rows.map(({ visitors }) =>
        encodeSketch(changeSketch(EMPTY_SKETCH, new Map(visitors.map((id) => [id, 1])))),
      ),
      rows.map(({ events: count }) => count),
      rows.map(({ pageviews }) => pageviews),
    ],
  );
}
