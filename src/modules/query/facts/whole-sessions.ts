// Contributions where nothing tells the events of a session apart: sessions active in the range are
// picked once; only those that a bucket's bound cuts, or whose visitor changed, are taken apart.
import { engagedSql } from './engaged-sql.js';
import { OF_A_SESSION, type Parts } from './contribution.js';
import type { QueryShape } from './query-shape.js';
import { activeSessions } from './session-selection.js';

const ARRAYS = ['event_offsets', 'event_names', 'event_visitors'];

export function contributionsOfSessions(shape: QueryShape): Parts {
  const { query, source, countsVisitors: visitors } = shape;
  const takenApart = visitors || shape.counters.has('pageviews') || shape.counters.has('events');
  const first = shape.bucketOf('s.started_at');
  const last = shape.bucketOf('s.ended_at');
  const cut = visitors ? `(${first} <> ${last} OR s.event_visitors IS NOT NULL)` : `${first} <> ${last}`;
  const buckets = `generate_series(greatest(first_bucket, 1), least(last_bucket, ${shape.lastBucket})) AS bucket`;
  const dimensions = shape.keys().filter((key) => key !== 'bucket');
  const whole = {
    ...OF_A_SESSION,
    visitor: 'visitor',
    started_at: 'started_at',
    pageviews: 'pageviews',
    events: 'events',
  };
  const columns = [
    ...shape.visitColumns(),
    's.visitor, s.bounced, s.pageviews, s.events, s.started_at, s.ended_at - s.started_at AS duration',
    ...(shape.counters.has('engagedVisits')
      ? [`${engagedSql(query.goals, source.parameters)} AS engaged`]
      : []),
    `${first} AS first_bucket, ${last} AS last_bucket, ${cut} AS cut`,
    ...(takenApart ? ARRAYS.map((array) => `CASE WHEN ${cut} THEN s.${array} END AS ${array}`) : []),
  ];
  return {
    ctes: [`picked AS MATERIALIZED (SELECT ${columns.join(', ')} ${activeSessions(query, source)})`],
    selects: [
      `SELECT ${shape.contribute(whole, [...dimensions, 'first_bucket'])} FROM picked WHERE NOT cut`,
      `SELECT ${shape.contribute(OF_A_SESSION, [...dimensions, 'bucket'])} FROM picked, ${buckets} WHERE cut`,
      ...(takenApart ? [eventsOfCutSessions(shape, dimensions)] : []),
    ],
  };
}

function eventsOfCutSessions(shape: QueryShape, dimensions: readonly string[]): string {
  const contribution = {
    visitor: 'visitor',
    started_at: 'started_at',
    pageviews: `(name = 'pageview')::int`,
    events: '1',
  };
  const bucket = shape.bucketOf(`started_at + moment * interval '1 millisecond'`);
  const apart = `SELECT ${[...dimensions, 'started_at', 'visitor AS session_visitor'].join(', ')},
    unnest(event_offsets) AS moment, unnest(event_names) AS name, unnest(event_visitors) AS event_visitor
    FROM picked WHERE cut`;
  const events = `SELECT ${[...dimensions, 'started_at', `${bucket} AS bucket`].join(', ')},
    coalesce(name, 'pageview') AS name, coalesce(event_visitor, session_visitor) AS visitor FROM (${apart}) AS apart`;
  return `SELECT ${shape.contribute(contribution)} FROM (${events}) AS events
    WHERE name <> 'engagement' AND bucket BETWEEN 1 AND ${shape.lastBucket}`;
}
