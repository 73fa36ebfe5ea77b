// Synthetic read models of one big site among neighbours, made inside PostgreSQL: one million
// events in a third as many sessions over thirty days, most short, few long, paths and sources skewed.
import type { Pool } from 'pg';
import {
  changeSketch,
  EMPTY_SKETCH,
  encodeSketch,
} from '../src/modules/projections/read-models/visitor-sketch.js';

export const BIG_SITE = 'site-big';
export const NOW = Date.parse('2026-11-20T12:00:00Z');
const SESSIONS = 333_333;
const NEIGHBOURS = 200;
const NEIGHBOUR_SESSIONS = 250;

/** Into the tables that test/read-model-rows.ts creates. */
export async function fillReadModels(pool: Pool, sessions = SESSIONS): Promise<void> {
  const made = `
    SELECT i, CASE WHEN i <= $1 THEN $2 ELSE 'site-' || (i % $3) END AS site, hashint8(i) & 2147483647 AS h,
      '2026-10-21T00:00:00Z'::timestamptz + (hashint8extended(i, 1) & 9007199254740991) % 2592000000 * interval '1 millisecond' AS at,
      CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (hashint8(i + 5) & 7) END AS size
    FROM generate_series(1, $1::int + $3::int * $4::int) AS i`;
  await pool.query(
    `INSERT INTO sessions_v1 (site, started_at, session, partition, visitor, ended_at, bot, bounced, pageviews, events,
        entry_page, exit_page, entry_hostname, exit_hostname, source, referrer, country, city, browser, os, device,
        utm_medium, event_offsets, event_names, event_pages)
      SELECT site, at, i, 0, hashint8extended(h % 200000, 7), at + (size - 1) * interval '47 seconds', h % 20 = 0,
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
    [sessions, BIG_SITE, NEIGHBOURS, NEIGHBOUR_SESSIONS],
  );
  await fillTraffic(pool);
  await pool.query(`INSERT INTO checkpoints (projection, version, partition, position, watermark)
    SELECT name, 1, partition, '1', now() FROM unnest(ARRAY['sessions','traffic']) name, generate_series(0, 3) partition`);
  await pool.query('VACUUM ANALYZE sessions_v1');
  await pool.query('VACUUM ANALYZE traffic_v1');
}

async function fillTraffic(pool: Pool): Promise<void> {
  await pool.query(`
    INSERT INTO traffic_v1 (site, hour, bot, sessions_started, bounces_started, duration_started_ms, visitors)
    SELECT site, date_trunc('hour', started_at), bot, count(*), count(*) FILTER (WHERE bounced),
      sum(extract(epoch FROM ended_at - started_at) * 1000), '' FROM sessions_v1 GROUP BY 1, 2, 3`);
  await pool.query(`
    INSERT INTO traffic_v1 (site, hour, bot, sessions_active, bounces_active, duration_active_ms, visitors)
    SELECT site, hour, bot, count(*), count(*) FILTER (WHERE bounced), sum(extract(epoch FROM ended_at - started_at) * 1000), ''
    FROM sessions_v1, generate_series(date_trunc('hour', started_at), ended_at, interval '1 hour') AS hour GROUP BY 1, 2, 3
    ON CONFLICT (site, hour, bot) DO UPDATE SET sessions_active = excluded.sessions_active,
      bounces_active = excluded.bounces_active, duration_active_ms = excluded.duration_active_ms`);
  const events = `SELECT site, bot, visitor, date_trunc('hour', started_at + moment * interval '1 millisecond') AS hour,
      coalesce(name, 'pageview') AS name
    FROM (SELECT site, bot, visitor, started_at, unnest(event_offsets) AS moment, unnest(event_names) AS name FROM sessions_v1) apart`;
  const { rows } = await pool.query<{
    site: string;
    bot: boolean;
    hour: Date;
    visitors: string[];
    events: string;
    pageviews: string;
  }>(
    `SELECT site, bot, hour, array_agg(DISTINCT lpad(to_hex(visitor), 16, '0')) AS visitors, count(*) AS events,
      count(*) FILTER (WHERE name = 'pageview') AS pageviews FROM (${events}) e GROUP BY 1, 2, 3`,
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
