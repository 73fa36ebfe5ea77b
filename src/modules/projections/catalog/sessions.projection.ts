// The facts: one row per session with arrays for its events, so that any filter, breakdown, unique
// count or funnel is exact SQL. Also what the projector reads back when it has forgotten a visitor:
// together with `carry` a row holds everything its events were interpreted to.
import type { ColumnValue } from '../../../postgres/binary-copy.js';
import { eventKey } from '../interpret/event-key.js';
import type { VisitEvent } from '../visit-event.js';
import { rowsProjection } from '../projection.js';
import { LONG_SESSION_SQL } from '../read-models/sessions.read-model.js';
import { encodeCarry } from '../session-carry.js';
import type { Session } from '../sessionizer.js';

const DECIMALS = 6;

export const sessions = rowsProjection({
  name: 'sessions',
  meaning: 'One row per session: when, who, from where, with what, and arrays of its events.',
  columns: {
    site: 'text',
    started_at: 'timestamptz',
    session: 'hash64',
    partition: 'smallint',
    visitor: 'hash64',
    other_visitor: 'hash64',
    ended_at: 'timestamptz',
    bot: 'boolean',
    bounced: 'boolean',
    pageviews: 'integer',
    events: 'integer',
    entry_page: 'text',
    exit_page: 'text',
    entry_hostname: 'text',
    exit_hostname: 'text',
    referrer: 'text',
    source: 'text',
    channel: 'text',
    utm_source: 'text',
    utm_medium: 'text',
    utm_campaign: 'text',
    utm_content: 'text',
    utm_term: 'text',
    country: 'text',
    region: 'text',
    city: 'text',
    browser: 'text',
    browser_version: 'text',
    os: 'text',
    os_version: 'text',
    device: 'text',
    screen: 'text',
    language: 'text',
    event_offsets: 'integer[]',
    event_names: 'text[]',
    event_pages: 'text[]',
    event_hostnames: 'text[]',
    event_visitors: 'hash64[]',
    event_interactive: 'boolean[]',
    event_engagement_ms: 'integer[]',
    event_scroll_depth: 'smallint[]',
    event_props: 'jsonb',
    event_amounts_micros: 'hash64[]',
    event_currencies: 'text[]',
    carry: 'bytea',
  },
  primaryKey: ['site', 'started_at', 'session'],
  partitionBy: 'started_at',
  indexes: [
    { columns: ['visitor'] },
    { columns: ['other_visitor'], where: 'other_visitor IS NOT NULL' },
    { columns: ['site', 'ended_at'], where: LONG_SESSION_SQL },
  ],
  rows: (session, partition) => (session.events.length === 0 ? [] : [rowOf(session, partition)]),
  keys: (session) => (session.events.length === 0 ? [] : [keyOf(session)]),
});

/** Named by content, not by a sequence, so that rebuilds can be compared byte by byte. */
function keyOf(session: Session): readonly ColumnValue[] {
  const first = session.events[0]!;
  return [session.site, session.startedAt, eventKey(first.key + first.visitor)];
}

function rowOf(session: Session, partition: number): readonly ColumnValue[] {
  const { events } = session;
  const first = events[0]!;
  const pageviews =
    session.pageviews === events.length ? events : events.filter((event) => event.name === 'pageview');
  const entry = pageviews[0];
  const exit = pageviews.at(-1);
  const { origin, client, place } = first;
  return [
    ...keyOf(session),
    partition,
    first.visitor,
    otherVisitorOf(session),
    session.endedAt,
    client.bot,
    session.bounced,
    session.pageviews,
    session.counted,
    entry?.page ?? null,
    exit?.page ?? null,
    entry?.hostname ?? null,
    exit?.hostname ?? null,
    origin.referrer,
    origin.source,
    origin.channel,
    origin.utmSource,
    origin.utmMedium,
    origin.utmCampaign,
    origin.utmContent,
    origin.utmTerm,
    place.country,
    place.region,
    place.city,
    client.browser,
    client.browserVersion,
    client.os,
    client.osVersion,
    client.device,
    client.screen,
    client.language,
    events.map((event) => event.at - session.startedAt),
    session.pageviews === events.length ? null : events.map((event) => event.name),
    events.map((event) => event.page),
    unlessAll(events, (event) => event.hostname, entry?.hostname ?? null),
    unlessAll(events, (event) => event.visitor, first.visitor),
    unlessAll(events, (event) => event.interactive, true),
    unlessAll(events, (event) => event.engagementMs, null),
    unlessAll(events, (event) => event.scrollDepth, null),
    events.some((event) => event.props !== null)
      ? `[${events.map((event) => event.props ?? 'null').join(',')}]`
      : null,
    unlessAll(events, (event) => microsOf(event.amount), null),
    unlessAll(events, (event) => event.currency, null),
    encodeCarry(events),
  ];
}

/** The second id under which this row must be found: the other of its two, or the one it may yet continue. */
function otherVisitorOf({ head, tail, events }: Session): string | null {
  if (tail === null) return head.events[0]!.previousVisitor;
  return events[0]!.visitor === head.visitor ? tail.visitor : head.visitor;
}

/** The values of all events, or null when every one is the usual value. */
function unlessAll<T extends string | number | boolean | null>(
  events: readonly VisitEvent[],
  value: (event: VisitEvent) => T,
  usual: T,
): readonly T[] | null {
  return events.every((event) => value(event) === usual) ? null : events.map(value);
}

/** Decimal text as 64-bit millionths: exact, where a float would not be. */
function microsOf(amount: string | null): string | null {
  if (amount === null) return null;
  const [units, fraction = ''] = amount.split('.');
  const micros = BigInt(units + fraction.padEnd(DECIMALS, '0').slice(0, DECIMALS));
  return BigInt.asUintN(64, micros).toString(16).padStart(16, '0');
}
