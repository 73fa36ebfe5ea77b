// Writes the rows that queries read straight from sessions given in a test, without a projector:
// so that a test of the query side can only fail because of the query side.
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import {
  CHANGED_PERIOD_MS,
  changedPeriodOf,
  changedPeriodsSql,
  changedPeriodsTable,
} from '../src/modules/projections/read-models/changed-periods.js';
import {
  changeSketch,
  decodeSketch,
  EMPTY_SKETCH,
  encodeSketch,
} from '../src/modules/projections/read-models/visitor-sketch.js';
import { rowSecuritySql } from '../src/postgres/row-security.js';
import { type MigratedPostgres, startMigratedPostgres } from './servers/postgres.js';

export interface GivenEvent {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly name?: string;
  readonly page?: string | null;
  readonly hostname?: string;
  /** Where the visitor's id changed within the session. */
  readonly visitor?: bigint;
  readonly interactive?: false;
  readonly engagementMs?: number;
  /** Percent. */
  readonly scrollDepth?: number;
  readonly props?: Readonly<Record<string, string | number | boolean>>;
  /** Decimal, with its currency. */
  readonly revenue?: readonly [amount: string, currency: string];
}

export interface GivenSession {
  readonly site: string;
  readonly visitor: bigint;
  readonly bot?: boolean;
  /** Ascending; the first is no engagement. */
  readonly events: readonly GivenEvent[];
  /** Columns such as source, country, browser. */
  readonly about?: Readonly<Record<string, string>>;
}

const HOUR_MS = 3_600_000;
const HOSTNAME = 'shop.example';
const ABOUT = [
  ...['referrer', 'source', 'channel', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'],
  ...[
    'country',
    'region',
    'city',
    'browser',
    'browser_version',
    'os',
    'os_version',
    'device',
    'screen',
    'language',
  ],
];

/** A database of the test's own, with empty read models of version 1. */
export async function startReadModels(): Promise<MigratedPostgres> {
  const postgres = await startMigratedPostgres();
  await createReadModels(postgres.pool);
  return postgres;
}

export async function createReadModels(pool: Pool): Promise<void> {
  await pool.query(`
    DROP TABLE IF EXISTS sessions_v1, traffic_v1, ${changedPeriodsTable(1)};
    ${changedPeriodsSql(1)};
    CREATE TABLE sessions_v1 (
      site text NOT NULL, started_at timestamptz(3) NOT NULL, session bigint NOT NULL, partition smallint NOT NULL,
      visitor bigint NOT NULL, ended_at timestamptz(3) NOT NULL, bot boolean NOT NULL, bounced boolean NOT NULL,
      pageviews int NOT NULL, events int NOT NULL,
      entry_page text, exit_page text, entry_hostname text, exit_hostname text,
      ${ABOUT.map((column) => `${column} text`).join(', ')},
      event_offsets int[] NOT NULL, event_names text[], event_pages text[], event_hostnames text[],
      event_visitors bigint[], event_interactive boolean[], event_engagement_ms int[],
      event_scroll_depth smallint[], event_props jsonb, event_amounts_micros bigint[], event_currencies text[], carry bytea,
      PRIMARY KEY (site, started_at, session)
    );
    CREATE TABLE traffic_v1 (
      site text NOT NULL, hour timestamptz NOT NULL, bot boolean NOT NULL,
      pageviews bigint NOT NULL DEFAULT 0, events bigint NOT NULL DEFAULT 0,
      sessions_started bigint NOT NULL DEFAULT 0, sessions_active bigint NOT NULL DEFAULT 0,
      bounces_started bigint NOT NULL DEFAULT 0, bounces_active bigint NOT NULL DEFAULT 0,
      duration_started_ms bigint NOT NULL DEFAULT 0, duration_active_ms bigint NOT NULL DEFAULT 0,
      visitors bytea NOT NULL, PRIMARY KEY (site, hour, bot)
    );
    CREATE TABLE IF NOT EXISTS checkpoints (
      projection text NOT NULL, version int NOT NULL, partition int NOT NULL, position text,
      watermark timestamptz, events bigint NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (projection, version, partition)
    );
    ${['sessions_v1', 'traffic_v1', changedPeriodsTable(1)].map(rowSecuritySql).join('; ')}`);
}

export async function insertSessions(pool: Pool, sessions: readonly GivenSession[]): Promise<void> {
  for (const [index, session] of sessions.entries()) await insertFacts(pool, session, index);
  await insertTraffic(pool, sessions);
  await markChanged(pool, sessions);
}

/** As a commit at a position of its own does. */
async function markChanged(pool: Pool, sessions: readonly GivenSession[]): Promise<void> {
  const changed = new Map<string, readonly [site: string, period: Date]>();
  for (const { site, events } of sessions) {
    for (let at = changedPeriodOf(events[0]!.at); at <= events.at(-1)!.at; at += CHANGED_PERIOD_MS) {
      changed.set(`${at} ${site}`, [site, new Date(at)]);
    }
  }
  await pool.query(
    `INSERT INTO ${changedPeriodsTable(1)} (site, period, partition, position)
      SELECT site, period, 0, $3 FROM unnest($1::text[], $2::timestamptz[]) AS changed(site, period)
      ON CONFLICT (site, period, partition) DO UPDATE SET position = excluded.position`,
    [[...changed.values()].map(([site]) => site), [...changed.values()].map(([, at]) => at), randomUUID()],
  );
}

/** Two partitions of both projections; the second is the one behind. */
export async function setCheckpoints(
  pool: Pool,
  position: string,
  watermarks: readonly [Date, Date],
): Promise<void> {
  await pool.query(
    `INSERT INTO checkpoints (projection, version, partition, position, watermark)
      SELECT projection, 1, partition, $1, watermark
      FROM unnest(ARRAY['sessions', 'traffic']) AS projection, unnest($2::int[], $3::timestamptz[]) AS p(partition, watermark)
      ON CONFLICT (projection, version, partition)
        DO UPDATE SET position = excluded.position, watermark = excluded.watermark`,
    [position, [0, 1], watermarks],
  );
}

export const isCounted = (event: GivenEvent): boolean => event.name !== 'engagement';
export const isPageview = (event: GivenEvent): boolean => (event.name ?? 'pageview') === 'pageview';
export const pageOf = (event: GivenEvent): string | null => (event.page === undefined ? '/' : event.page);

/** Null for an event without URL. */
export const hostnameOf = (event: GivenEvent): string | null =>
  pageOf(event) === null ? null : (event.hostname ?? HOSTNAME);

export function hasBounced({ events }: GivenSession): boolean {
  const pageviews = events.filter(isPageview).length;
  const engaging = events.some((one) => isCounted(one) && !isPageview(one) && one.interactive !== false);
  return pageviews < 2 && !engaging;
}

async function insertFacts(pool: Pool, session: GivenSession, id: number): Promise<void> {
  const { events, visitor, site, bot = false, about = {} } = session;
  const counted = events.filter(isCounted);
  const pageviews = counted.filter(isPageview);
  const startedAt = counted[0]!.at;
  const entry = pageviews[0];
  const exit = pageviews.at(-1);
  const entryHostname = entry ? hostnameOf(entry) : null;
  const unless = <T>(every: (event: GivenEvent) => boolean, of: (event: GivenEvent) => T) =>
    events.every(every) ? null : events.map(of);
  const row: Record<string, unknown> = {
    site,
    started_at: new Date(startedAt),
    session: id,
    partition: 0,
    visitor: visitor.toString(),
    ended_at: new Date(counted.at(-1)!.at),
    bot,
    bounced: hasBounced(session),
    pageviews: pageviews.length,
    events: counted.length,
    entry_page: entry ? pageOf(entry) : null,
    exit_page: exit ? pageOf(exit) : null,
    entry_hostname: entryHostname,
    exit_hostname: exit ? hostnameOf(exit) : null,
    event_offsets: events.map(({ at }) => at - startedAt),
    event_names: unless(isPageview, ({ name }) => name ?? 'pageview'),
    event_pages: events.map(pageOf),
    event_hostnames: unless((event) => hostnameOf(event) === entryHostname, hostnameOf),
    event_visitors: unless(
      (event) => (event.visitor ?? visitor) === visitor,
      (event) => (event.visitor ?? visitor).toString(),
    ),
    event_interactive: unless(
      ({ interactive }) => interactive !== false,
      ({ interactive }) => interactive !== false,
    ),
    event_engagement_ms: unless(
      ({ engagementMs }) => engagementMs === undefined,
      ({ engagementMs }) => engagementMs ?? null,
    ),
    event_scroll_depth: unless(
      ({ scrollDepth }) => scrollDepth === undefined,
      ({ scrollDepth }) => scrollDepth ?? null,
    ),
    event_props: events.some(({ props }) => props)
      ? JSON.stringify(events.map(({ props }) => props ?? null))
      : null,
    event_amounts_micros: unless(
      ({ revenue }) => revenue === undefined,
      ({ revenue }) => (revenue === undefined ? null : microsOf(revenue[0])),
    ),
    event_currencies: unless(
      ({ revenue }) => revenue === undefined,
      ({ revenue }) => revenue?.[1] ?? null,
    ),
    ...about,
  };
  const columns = Object.keys(row);
  await pool.query(
    `INSERT INTO sessions_v1 (${columns.join(', ')}) VALUES (${columns.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(row),
  );
}

function microsOf(amount: string): string {
  const [units, fraction = ''] = amount.split('.');
  return BigInt(units + fraction.padEnd(6, '0')).toString();
}

interface Hour {
  readonly site: string;
  readonly hour: number;
  readonly bot: boolean;
  readonly sums: Record<string, number>;
  readonly visitors: Set<bigint>;
}

async function insertTraffic(pool: Pool, sessions: readonly GivenSession[]): Promise<void> {
  const hours = new Map<string, Hour>();
  const hourOf = (session: GivenSession, at: number): Hour => {
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    const key = `${session.site} ${hour} ${session.bot ?? false}`;
    const found = hours.get(key) ?? {
      site: session.site,
      hour,
      bot: session.bot ?? false,
      sums: {},
      visitors: new Set(),
    };
    hours.set(key, found);
    return found;
  };
  const add = (hour: Hour, sums: Record<string, number>) => {
    for (const [name, value] of Object.entries(sums)) hour.sums[name] = (hour.sums[name] ?? 0) + value;
  };
  for (const session of sessions) {
    const counted = session.events.filter(isCounted);
    const [startedAt, endedAt] = [counted[0]!.at, counted.at(-1)!.at];
    const bounces = hasBounced(session) ? 1 : 0;
    const durationMs = endedAt - startedAt;
    add(hourOf(session, startedAt), {
      sessions_started: 1,
      bounces_started: bounces,
      duration_started_ms: durationMs,
    });
    for (let at = Math.floor(startedAt / HOUR_MS) * HOUR_MS; at <= endedAt; at += HOUR_MS) {
      add(hourOf(session, at), {
        sessions_active: 1,
        bounces_active: bounces,
        duration_active_ms: durationMs,
      });
    }
    for (const event of counted) {
      const hour = hourOf(session, event.at);
      add(hour, { events: 1, pageviews: isPageview(event) ? 1 : 0 });
      hour.visitors.add(event.visitor ?? session.visitor);
    }
  }
  for (const { site, hour, bot, sums, visitors } of hours.values()) {
    const ids = [...visitors].map((id): [string, number] => [
      BigInt.asUintN(64, id).toString(16).padStart(16, '0'),
      1,
    ]);
    const sketch = encodeSketch(changeSketch(EMPTY_SKETCH, new Map(ids)));
    if (decodeSketch(sketch).exact !== ids.length <= 1_024)
      throw new Error('The sketch is not what the test assumes');
    const columns = Object.keys(sums);
    await pool.query(
      `INSERT INTO traffic_v1 (site, hour, bot, visitors, ${columns.join(', ')})
        VALUES ($1, $2, $3, $4, ${columns.map((_, n) => `$${n + 5}`).join(', ')})`,
      [site, new Date(hour), bot, sketch, ...Object.values(sums)],
    );
  }
}
