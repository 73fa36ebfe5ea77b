// Reads visitors' events back from the rows of sessions and waiting events: the way the projector
// remembers what it has forgotten, after a restart or when memory was short. What is read is equal,
// field by field, to what was written.
import type { Pool } from 'pg';
import { type Client, DIRECT, type Origin, type VisitEvent, type VisitPlace } from './visit-event.js';
import { decodeCarry } from './session-carry.js';

export interface ReadRequest {
  readonly partition: number;
  readonly visitors: readonly string[];
  /** Epoch ms: sessions that started at or after it. −∞: all. */
  readonly from: number;
}

export interface ReadEvent {
  readonly site: string;
  readonly event: VisitEvent;
}

/** Every event of the visitors' sessions, those of a session's second visitor id included. */
export type ReadVisitors = (request: ReadRequest) => Promise<readonly ReadEvent[]>;

export interface SessionTables {
  readonly sessions: string;
  readonly waiting: string;
}

export function sessionReader(pool: Pool, tables: SessionTables): ReadVisitors {
  const sessionsSql = readSessionsSql(tables.sessions);
  const waitingSql = readWaitingSql(tables.waiting);
  return async ({ partition, visitors, from }) => {
    const parameters = [partition, visitors, Number.isFinite(from) ? new Date(from) : '-infinity'];
    const sessions = await pool.query<SessionRow>(sessionsSql, parameters);
    const waiting = await pool.query<{ site: string; event: VisitEvent }>(waitingSql, parameters);
    return [
      ...sessions.rows.flatMap(eventsOf),
      ...waiting.rows.map(({ site, event }) => ({ site, event: inOrder(event) })),
    ];
  };
}

const HEX = (column: string) => `lpad(to_hex(${column}), 16, '0')`;
const WANTED = `ARRAY(SELECT ('x' || hex)::bit(64)::bigint FROM unnest($2::text[]) AS hex)`;

/** What `eventsOf` reads of a row. */
export const SESSION_COLUMNS = `site, (extract(epoch FROM started_at) * 1000)::float8 AS started_at, ${HEX('visitor')} AS visitor,
    entry_hostname, referrer, source, channel, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
    country, region, city, browser, browser_version, os, os_version, device, screen, language, bot,
    event_offsets, event_names, event_pages, event_hostnames,
    (SELECT array_agg(${HEX('id')} ORDER BY place) FROM unnest(event_visitors) WITH ORDINALITY AS ids(id, place))
      AS event_visitors,
    event_interactive, event_engagement_ms, event_scroll_depth, event_props, event_currencies, carry`;

function readSessionsSql(table: string): string {
  const range = 'partition = $1 AND started_at >= $3';
  return `SELECT ${SESSION_COLUMNS} FROM ${table} WHERE visitor = ANY(${WANTED}) AND ${range}
    UNION ALL
    SELECT ${SESSION_COLUMNS} FROM ${table}
    WHERE other_visitor = ANY(${WANTED}) AND NOT visitor = ANY(${WANTED}) AND ${range}`;
}

function readWaitingSql(table: string): string {
  return `SELECT site, event FROM ${table}
    WHERE partition = $1 AND at >= $3
      AND (visitor = ANY(${WANTED}) OR previous_visitor = ANY(${WANTED}))`;
}

export interface SessionRow {
  site: string;
  started_at: number;
  visitor: string;
  entry_hostname: string | null;
  referrer: string | null;
  source: string | null;
  channel: string | null;
  utm_source: string | null;
  utm_medium: string | null;
  utm_campaign: string | null;
  utm_content: string | null;
  utm_term: string | null;
  country: string | null;
  region: string | null;
  city: string | null;
  browser: string | null;
  browser_version: string | null;
  os: string | null;
  os_version: string | null;
  device: string | null;
  screen: string | null;
  language: string | null;
  bot: boolean;
  event_offsets: number[];
  event_names: string[] | null;
  event_pages: (string | null)[];
  event_hostnames: (string | null)[] | null;
  event_visitors: string[] | null;
  event_interactive: boolean[] | null;
  event_engagement_ms: (number | null)[] | null;
  event_scroll_depth: (number | null)[] | null;
  event_props: (Record<string, unknown> | null)[] | null;
  event_currencies: (string | null)[] | null;
  carry: Buffer;
}

/** In their order. */
export function eventsOf(row: SessionRow): ReadEvent[] {
  const client: Client = {
    browser: row.browser,
    browserVersion: row.browser_version,
    os: row.os,
    osVersion: row.os_version,
    device: row.device,
    screen: row.screen,
    language: row.language,
    bot: row.bot,
  };
  const place: VisitPlace = { country: row.country, region: row.region, city: row.city };
  const origin = originOf(row);
  const carried = decodeCarry(row.carry, row.event_offsets.length);
  return carried.map((carry, index) => {
    const at = row.started_at + row.event_offsets[index]!;
    const event: VisitEvent = {
      key: carry.key,
      at,
      receivedAt: at + carry.receivedAfterMs,
      visitor: row.event_visitors?.[index] ?? row.visitor,
      previousVisitor: carry.previousVisitor,
      name: row.event_names?.[index] ?? 'pageview',
      page: row.event_pages[index] ?? null,
      hostname: row.event_hostnames === null ? row.entry_hostname : (row.event_hostnames[index] ?? null),
      interactive: row.event_interactive?.[index] ?? true,
      engagementMs: row.event_engagement_ms?.[index] ?? null,
      scrollDepth: row.event_scroll_depth?.[index] ?? null,
      props: propsText(row.event_props?.[index] ?? null),
      amount: carry.amount,
      currency: row.event_currencies?.[index] ?? null,
      origin: carry.origin ?? origin,
      client: carry.client ?? client,
      place: carry.place ?? place,
    };
    return { site: row.site, event };
  });
}

function originOf(row: SessionRow): Origin {
  const origin: Origin = {
    referrer: row.referrer,
    source: row.source,
    channel: row.channel,
    utmSource: row.utm_source,
    utmMedium: row.utm_medium,
    utmCampaign: row.utm_campaign,
    utmContent: row.utm_content,
    utmTerm: row.utm_term,
  };
  return Object.values(origin).every((value) => value === null) ? DIRECT : origin;
}

/** jsonb orders keys its own way, and equal events must be equal as text. */
export const inOrder = (event: VisitEvent): VisitEvent => ({
  key: event.key,
  at: event.at,
  receivedAt: event.receivedAt,
  visitor: event.visitor,
  previousVisitor: event.previousVisitor,
  name: event.name,
  page: event.page,
  hostname: event.hostname,
  interactive: event.interactive,
  engagementMs: event.engagementMs,
  scrollDepth: event.scrollDepth,
  props: event.props,
  amount: event.amount,
  currency: event.currency,
  origin: event.origin,
  client: event.client,
  place: event.place,
});

/** Properties in the interpreter's order, which jsonb does not keep. */
function propsText(props: Record<string, unknown> | null): string | null {
  if (props === null) return null;
  return JSON.stringify(Object.fromEntries(Object.entries(props).sort(([a], [b]) => (a < b ? -1 : 1))));
}
