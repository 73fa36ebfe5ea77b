// Pages of a site's sessions in the order of their primary key, each in a short transaction of its own: an
// export may take an hour and keeps PostgreSQL from nothing. A page has so many rows as fit into a weight,
// whatever visitors put into their events, so that memory stays flat.
import type { ClientBase } from 'pg';
import { eventsApart } from '../facts/events-apart.js';
import { columnsOfFilters, passesSql } from '../facts/filter-sql.js';
import {
  activeSessions,
  filterContext,
  LAST_EVENT_AT,
  matchingSessions,
  type SessionsAsked,
} from '../facts/session-selection.js';
import { SqlParameters, timestamp } from '../facts/sql-parameters.js';
import { isEventFilter } from '../request/filters.js';
import type { ExportSubject } from './export-request.js';

/** Bytes of text, about: a page takes several times as much memory. */
const PAGE_WEIGHT_MAX = 1_500_000;
const PAGE_ROWS_MAX = 500;
const WEIGHT = `500 + 120 * cardinality(s.event_offsets) + coalesce(octet_length(s.event_props::text), 0)`;

const hex = (column: string) => `lpad(to_hex(s.${column}), 16, '0') AS ${column}`;

/** All that a merchant may see of a session. */
const SESSION_COLUMNS = [
  '(extract(epoch FROM s.started_at) * 1000)::float8 AS started_at',
  '(extract(epoch FROM s.ended_at) * 1000)::float8 AS ended_at',
  's.session AS key',
  hex('session'),
  hex('visitor'),
  ...[
    ...[
      'bot',
      'bounced',
      'pageviews',
      'events',
      'entry_page',
      'exit_page',
      'entry_hostname',
      'exit_hostname',
    ],
    ...[
      'referrer',
      'source',
      'channel',
      'utm_source',
      'utm_medium',
      'utm_campaign',
      'utm_content',
      'utm_term',
    ],
    ...['country', 'region', 'city', 'browser', 'browser_version', 'os', 'os_version', 'device', 'screen'],
    ...['language', 'event_offsets', 'event_names', 'event_pages', 'event_hostnames', 'event_visitors'],
    ...['event_interactive', 'event_engagement_ms', 'event_scroll_depth', 'event_props'],
    ...['event_amounts_micros', 'event_currencies'],
  ].map((name) => `s.${name}`),
];

export interface SessionRow {
  /** Epoch milliseconds. */
  readonly started_at: number;
  readonly ended_at: number;
  /** Of the primary key: a number that JavaScript cannot hold. */
  readonly key: string;
  readonly session: string;
  readonly visitor: string;
  readonly bot: boolean;
  readonly bounced: boolean;
  readonly pageviews: number;
  readonly events: number;
  readonly entry_page: string | null;
  readonly exit_page: string | null;
  readonly entry_hostname: string | null;
  readonly exit_hostname: string | null;
  readonly referrer: string | null;
  readonly source: string | null;
  readonly channel: string | null;
  readonly utm_source: string | null;
  readonly utm_medium: string | null;
  readonly utm_campaign: string | null;
  readonly utm_content: string | null;
  readonly utm_term: string | null;
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
  readonly browser: string | null;
  readonly browser_version: string | null;
  readonly os: string | null;
  readonly os_version: string | null;
  readonly device: string | null;
  readonly screen: string | null;
  readonly language: string | null;
  readonly event_offsets: readonly number[];
  readonly event_names: readonly string[] | null;
  readonly event_pages: readonly (string | null)[];
  readonly event_hostnames: readonly (string | null)[] | null;
  /** Signed 64-bit numbers. */
  readonly event_visitors: readonly string[] | null;
  readonly event_interactive: readonly boolean[] | null;
  readonly event_engagement_ms: readonly (number | null)[] | null;
  readonly event_scroll_depth: readonly (number | null)[] | null;
  readonly event_props: readonly (Readonly<Record<string, unknown>> | null)[] | null;
  readonly event_amounts_micros: readonly (string | null)[] | null;
  readonly event_currencies: readonly (string | null)[] | null;
  /** Places, from 1, of the events that pass the filters on events; null: all do. */
  readonly passing: readonly number[] | null;
}

/** The session after which a page begins. */
export interface PagePlace {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly key: string;
}

export interface SessionsOfExport {
  readonly what: ExportSubject;
  readonly table: string;
  readonly sessions: SessionsAsked;
}

export interface PageAsked extends SessionsOfExport {
  readonly after: PagePlace | null;
  /** Rows to look at: as many as fit are in the page. */
  readonly rowsMax: number;
}

export interface SessionPage {
  readonly rows: readonly SessionRow[];
  readonly isLast: boolean;
  /** How many to look at next time. */
  readonly rowsMax: number;
}

export const FIRST_PAGE_ROWS = 64;

export async function readSessionPage(client: ClientBase, asked: PageAsked): Promise<SessionPage> {
  const { what, sessions, after, rowsMax } = asked;
  const parameters = new SqlParameters();
  const passing = what === 'events' ? passingEvents(sessions, parameters) : null;
  const behind =
    after === null
      ? ''
      : `AND (s.started_at, s.session) > (${parameters.add(timestamp(after.startedAt), 'timestamptz')}, ${parameters.add(after.key, 'bigint')})`;
  const { rows } = await client.query<SessionRow & { looked_at: string }>(
    `SELECT ${SESSION_COLUMNS.join(', ')}, ${passing === null ? 'NULL::int[]' : `ARRAY(SELECT e.place ${passing} ORDER BY e.place)`} AS passing, s.looked_at FROM (
        SELECT s.*, sum(${WEIGHT}) OVER places AS weight, row_number() OVER places AS place, count(*) OVER () AS looked_at
        FROM (
          SELECT s.* ${chosenSessions(asked, parameters)} ${behind}
          ORDER BY s.started_at, s.session LIMIT ${parameters.add(rowsMax, 'int')}
        ) AS s
        WINDOW places AS (ORDER BY s.started_at, s.session)
      ) AS s
      WHERE s.weight <= ${PAGE_WEIGHT_MAX} OR s.place = 1
      ORDER BY s.started_at, s.session`,
    parameters.values,
  );
  const lookedAt = Number(rows[0]?.looked_at ?? 0);
  return {
    rows,
    isLast: lookedAt < rowsMax && rows.length === lookedAt,
    rowsMax: Math.min(PAGE_ROWS_MAX, Math.max(1, 2 * rows.length)),
  };
}

/**
 * Of sessions, those that a query counts as visits. Of events, those that have one in the range, engagement
 * included, which may come after the visit has ended; where events are filtered, one that passes.
 */
function chosenSessions({ what, sessions, table }: SessionsOfExport, parameters: SqlParameters): string {
  const source = { table, parameters };
  if (what === 'sessions') return matchingSessions(sessions, source);
  const active = activeSessions(sessions, source, LAST_EVENT_AT);
  const passing = passingEvents(sessions, parameters);
  return passing === null ? active : `${active} AND EXISTS (SELECT ${passing})`;
}

/** `FROM … AS e`, one row for each event in the range that passes all filters on events; null: there are none. */
function passingEvents(sessions: SessionsAsked, parameters: SqlParameters): string | null {
  const filters = sessions.filters.filter(isEventFilter);
  if (filters.length === 0) return null;
  const context = filterContext(sessions, { table: '', parameters });
  return `FROM (
      SELECT generate_subscripts(s.event_offsets, 1) AS place, ${eventsApart(columnsOfFilters(filters, sessions.goals))}
    ) AS e
    WHERE ${passesSql(filters, context)}`;
}

export interface SessionCounts {
  readonly sessions: number;
  /** Of these sessions, inside the range or not. */
  readonly events: number;
}

/** What an export has before it, for how far it is. */
export async function countSessions(client: ClientBase, asked: SessionsOfExport): Promise<SessionCounts> {
  const parameters = new SqlParameters();
  const { rows } = await client.query<Record<'sessions' | 'events', string>>(
    `SELECT count(*) AS sessions, coalesce(sum(cardinality(s.event_offsets)), 0) AS events
      ${chosenSessions(asked, parameters)}`,
    parameters.values,
  );
  return { sessions: Number(rows[0]!.sessions), events: Number(rows[0]!.events) };
}
