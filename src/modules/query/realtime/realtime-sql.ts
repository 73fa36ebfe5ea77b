// The last half hour of a site as one statement over the session facts: the sessions active in it are
// picked once and taken apart into events, and every panel counts those. Each panel's visitors are
// counted by hashing (per value and visitor, then per value), which is cheaper than sorting distinct.
import {
  LONG_SESSION_MS,
  LONG_SESSION_SQL,
  SESSION_DURATION_MAX_MS,
} from '../../projections/read-models/sessions.read-model.js';
import { EVENT_AT, EVENT_NAME, EVENT_VISITOR, eventsApart, IS_COUNTED } from '../facts/events-apart.js';
import { SqlParameters, type Statement, timestamp } from '../facts/sql-parameters.js';
import type { Range } from '../request/date-range.js';
import { eventSql, visitSql } from '../vocabulary/dimensions.js';
import { PANELS, type RealtimeWindow } from './realtime-report.js';

/** Of a panel. */
const ROWS_MAX = 10;

const DIMENSIONS = {
  sources: 'visit:source',
  countries: 'visit:country',
  devices: 'visit:device',
} as const;
const VISIT_PANELS = Object.keys(DIMENSIONS) as readonly (keyof typeof DIMENSIONS)[];

export interface RealtimeQuestion {
  readonly site: string;
  readonly window: RealtimeWindow;
  /** Of the sessions. */
  readonly table: string;
  /** Which visits are left out. */
  readonly hidden: readonly Range[];
}

export function realtimeStatement({ site, window, table, hidden }: RealtimeQuestion): Statement {
  const parameters = new SqlParameters();
  const from = parameters.add(timestamp(window.from), 'timestamptz');
  const now = parameters.add(timestamp(window.now), 'timestamptz');
  const visitorsAfter = parameters.add(timestamp(window.visitorsAfter), 'timestamptz');
  const shortFrom = parameters.add(timestamp(window.from - LONG_SESSION_MS), 'timestamptz');
  const longFrom = parameters.add(timestamp(window.from - SESSION_DURATION_MAX_MS), 'timestamptz');
  const isShown = hidden.map((time) => {
    const [since, until] = [time.from, time.to].map((at) => parameters.add(timestamp(at), 'timestamptz'));
    return ` AND NOT (started_at >= ${since} AND started_at < ${until})`;
  });
  const ofSite = `site = ${parameters.add(site, 'text')} AND NOT bot AND ended_at >= ${from}${isShown.join('')}`;
  const visitColumns = VISIT_PANELS.map((panel) => `${visitSql(DIMENSIONS[panel], parameters)} AS ${panel}`);
  const text = `
    WITH active AS (
      SELECT * FROM ${table} WHERE ${ofSite} AND started_at BETWEEN ${shortFrom} AND ${now}
      UNION ALL
      SELECT * FROM ${table} WHERE ${ofSite} AND ${LONG_SESSION_SQL}
        AND started_at >= ${longFrom} AND started_at < ${shortFrom}
    ), apart AS (
      SELECT ${eventsApart(['page', 'event_visitor'])}, ${visitColumns.join(', ')} FROM active s
    ), hits AS MATERIALIZED (
      SELECT ${EVENT_VISITOR} AS visitor, ${EVENT_AT} AS at, (${EVENT_NAME} = 'pageview')::int AS pageview,
        ${eventSql('event:page', 'own', parameters)} AS pages, ${VISIT_PANELS.map((panel) => `e.${panel}`).join(', ')}
      FROM apart e
      WHERE ${IS_COUNTED} AND ${EVENT_AT} BETWEEN ${from} AND ${now}
    )
    SELECT 'total' AS panel, NULL AS value, count(*)::int AS visitors,
      coalesce(sum(pageviews), 0)::int AS pageviews, coalesce(sum(events), 0)::int AS events,
      count(*) FILTER (WHERE latest > ${visitorsAfter})::int AS visitors_now
      FROM (SELECT visitor, sum(pageview) AS pageviews, count(*) AS events, max(at) AS latest
            FROM hits GROUP BY visitor) AS per_visitor
    UNION ALL (${panelSql('minutes', `floor(extract(epoch FROM at - ${from}) / 60)::int::text`)})
    ${PANELS.map((panel) => `UNION ALL (${panelSql(panel, panel)} ${best()})`).join('\n    ')}`;
  return { text, values: parameters.values };
}

const panelSql = (panel: string, value: string): string => `
  SELECT '${panel}' AS panel, value, count(*)::int AS visitors, sum(pageviews)::int AS pageviews,
    sum(events)::int AS events, NULL::int AS visitors_now
    FROM (SELECT (${value}) COLLATE "C" AS value, visitor, sum(pageview) AS pageviews, count(*) AS events
          FROM hits GROUP BY 1, 2) AS per_value_and_visitor
    GROUP BY value`;

/** Bytewise where equal, so that answers are the same everywhere. */
const best = (): string => `ORDER BY visitors DESC, pageviews DESC, value LIMIT ${ROWS_MAX}`;
