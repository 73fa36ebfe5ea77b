// The read models as plain values, for comparison with the naive fold: every column that means
// something, in one order, independent of how the rows came to be.
import type { Pool } from 'pg';
import { countVisitors, decodeSketch } from '../src/modules/projections/read-models/visitor-sketch.js';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { type NaiveSession, naiveSessions, naiveTraffic } from './naive-fold.js';
import { BOT_AGENT, HUMAN_AGENT, PHONE_AGENT } from './traffic.js';

/** What the agents of test/traffic.ts are, said independently of any library. */
const AGENTS = new Map([
  [HUMAN_AGENT, { browser: 'Chrome', os: 'Windows', device: 'Desktop', bot: false }],
  [PHONE_AGENT, { browser: 'Safari', os: 'iOS', device: 'Mobile', bot: false }],
  [BOT_AGENT, { browser: 'Googlebot', os: null, device: 'Search engine', bot: true }],
]);
const NO_AGENT = { browser: null, os: null, device: null, bot: false };
const agentOf = (userAgent: string | null) => AGENTS.get(userAgent ?? '') ?? NO_AGENT;

export function expectedReadModels(log: readonly TrackedEvent[]) {
  return {
    sessions: naiveSessions(log).map(expectedSession).sort(),
    traffic: naiveTraffic(log, (userAgent) => agentOf(userAgent).bot).map((row) => JSON.stringify(row)),
  };
}

function expectedSession(session: NaiveSession): string {
  const { browser, os, device, bot } = agentOf(session.userAgent);
  return JSON.stringify({
    site: session.site,
    visitor: session.visitor,
    startedAt: session.startedAt,
    endedAt: session.endedAt,
    pageviews: session.pageviews,
    events: session.events,
    bounced: session.bounced,
    entryPage: session.entryPage,
    exitPage: session.exitPage,
    source: session.referrer === null ? null : 'Google',
    channel: session.referrer === null ? null : 'Organic Search',
    country: session.country,
    ...{ browser, os, device, bot },
    all: session.all.map((event) => [
      event.occurredAt,
      event.name,
      new URL(event.url!).pathname,
      event.visitor,
      event.interactive ?? true,
      event.engagementMs ?? null,
      event.scrollDepth ?? null,
      byName(event.props),
      event.revenue ? Number(event.revenue.amount) : null,
      event.revenue?.currency ?? null,
    ]),
  });
}

const HEX = (column: string) => `lpad(to_hex(${column}), 16, '0')`;
const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

export async function storedReadModels(pool: Pool) {
  const sessions =
    await pool.query(`SELECT site, ${HEX('visitor')} AS visitor, ${MS('started_at')} AS started_at,
      ${MS('ended_at')} AS ended_at, pageviews, events, bounced, entry_page, exit_page, source, channel, country, browser, os,
      device, bot, event_offsets, event_names, event_pages, event_interactive, event_engagement_ms,
      event_scroll_depth, event_props, event_currencies,
      (SELECT array_agg(${HEX('id')} ORDER BY n) FROM unnest(event_visitors) WITH ORDINALITY AS v(id, n)) AS event_visitors,
      (SELECT array_agg(a::float8 / 1000000 ORDER BY n) FROM unnest(event_amounts_micros) WITH ORDINALITY AS m(a, n)) AS amounts
    FROM sessions_v1`);
  const traffic = await pool.query(
    `SELECT *, ${MS('hour')} AS hour_ms FROM traffic_v1 ORDER BY site, hour, bot`,
  );
  return {
    sessions: sessions.rows.map(storedSession).sort(),
    traffic: traffic.rows.map((row) =>
      JSON.stringify({
        site: row.site,
        hour: row.hour_ms,
        bot: row.bot,
        pageviews: Number(row.pageviews),
        events: Number(row.events),
        sessionsStarted: Number(row.sessions_started),
        sessionsActive: Number(row.sessions_active),
        bouncesStarted: Number(row.bounces_started),
        bouncesActive: Number(row.bounces_active),
        durationStartedMs: Number(row.duration_started_ms),
        durationActiveMs: Number(row.duration_active_ms),
        visitors: countVisitors(decodeSketch(row.visitors)),
      }),
    ),
  };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows of a query
function storedSession(row: any): string {
  return JSON.stringify({
    site: row.site,
    visitor: row.visitor,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    pageviews: row.pageviews,
    events: row.events,
    bounced: row.bounced,
    entryPage: row.entry_page,
    exitPage: row.exit_page,
    source: row.source,
    channel: row.channel,
    country: row.country,
    browser: row.browser,
    os: row.os,
    device: row.device,
    bot: row.bot,
    all: row.event_offsets.map((offset: number, index: number) => [
      row.started_at + offset,
      row.event_names?.[index] ?? 'pageview',
      row.event_pages[index],
      row.event_visitors?.[index] ?? row.visitor,
      row.event_interactive?.[index] ?? true,
      row.event_engagement_ms?.[index] ?? null,
      row.event_scroll_depth?.[index] ?? null,
      byName(row.event_props?.[index]),
      row.amounts?.[index] ?? null,
      row.event_currencies?.[index] ?? null,
    ]),
  });
}

const byName = (props: object | null | undefined) =>
  props ? Object.entries(props).toSorted(([a], [b]) => (a < b ? -1 : 1)) : null;

/** Every byte of every row, for comparing two ways of arriving at the same tables. */
export async function readModelBytes(pool: Pool, version = 1): Promise<string[]> {
  const rows = await pool.query<{ row: string }>(
    `SELECT 'sessions' || s::text AS row FROM sessions_v${version} s UNION ALL
     SELECT 'waiting' || w::text FROM waiting_v${version} w UNION ALL
     SELECT 'traffic' || t::text FROM traffic_v${version} t ORDER BY 1`,
  );
  return rows.rows.map(({ row }) => row);
}
