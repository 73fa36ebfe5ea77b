// Contributions where nothing tells the events of a session apart: sessions active in the range are
// picked once; only those that a bucket's bound cuts, or whose visitor changed, are taken apart.
import { engagedSql } from './engaged-sql.js';
import { OF_A_SESSION, type Parts } from './contribution.js';
import type { QueryShape } from './query-shape.js';
import { activeSessions } from './session-selection.js';

const ARRAYS = ['event_offsets', 'event_names', 'event_visitors'];

export function contributionsOfSessions(shape: QueryShape): Parts {
  const { query, source } = shape;
  const takenApart = shape.countsVisitors || shape.counters.has('pageviews') || shape.counters.has('events');
  const dimensions = shape.keys().filter((key) => key !== 'bucket');
  const whole = {
    ...OF_A_SESSION,
    visitor: 'visitor',
    started_at: 'started_at',
    pageviews: 'pageviews',
    events: 'events',
  };
  const columns = [...shape.visitColumns(), ...sessionColumns(shape), ...placeColumns(shape, takenApart)];
  const buckets = shape.timed
    ? `, generate_series(greatest(first_bucket, 1), least(last_bucket, ${shape.lastBucket})) AS bucket`
    : '';
  return {
    ctes: [`picked AS MATERIALIZED (SELECT ${columns.join(', ')} ${activeSessions(query, source)})`],
    selects: [
      `SELECT ${shape.contribute(whole, [...dimensions, 'first_bucket'])} FROM picked WHERE NOT cut`,
      `SELECT ${shape.contribute(OF_A_SESSION, [...dimensions, 'bucket'])} FROM picked${buckets} WHERE cut`,
      ...(takenApart ? [eventsOfCutSessions(shape, dimensions)] : []),
    ],
  };
}

/** Only what is counted: whatever is picked is written down, and a month of a large site is a million rows. */
function sessionColumns(shape: QueryShape): readonly string[] {
  const counted = new Set(shape.contributed);
  return [
    's.visitor, s.started_at',
    ...(counted.has('pageviews') ? ['s.pageviews'] : []),
    ...(counted.has('events') ? ['s.events'] : []),
    ...(counted.has('bounces') ? ['s.bounced'] : []),
    ...(counted.has('duration') ? ['s.ended_at - s.started_at AS duration'] : []),
    ...(counted.has('engaged_visits')
      ? [`${engagedSql(shape.query.goals, shape.source.parameters)} AS engaged`]
      : []),
  ];
}

/** Whether the session is cut, in which buckets it lies, and what it takes to take it apart. */
function placeColumns(shape: QueryShape, takenApart: boolean): readonly string[] {
  const first = shape.bucketOf('s.started_at');
  const last = shape.bucketOf('s.ended_at');
  const outside = shape.timed ? `${first} <> ${last}` : `NOT (${shape.within('s.started_at', 's.ended_at')})`;
  const cut = shape.countsVisitors ? `(${outside} OR s.event_visitors IS NOT NULL)` : `(${outside})`;
  return [
    `${cut} AS cut`,
    ...(shape.timed ? [`${first} AS first_bucket, ${last} AS last_bucket`] : []),
    ...(takenApart ? ARRAYS.map((array) => `CASE WHEN ${cut} THEN s.${array} END AS ${array}`) : []),
  ];
}

function eventsOfCutSessions(shape: QueryShape, dimensions: readonly string[]): string {
  const contribution = {
    visitor: 'visitor',
    started_at: 'started_at',
    pageviews: `(name = 'pageview')::int`,
    events: '1',
  };
  const at = `started_at + moment * interval '1 millisecond'`;
  const apart = `SELECT ${[...dimensions, 'started_at', 'visitor AS session_visitor'].join(', ')},
    unnest(event_offsets) AS moment, unnest(event_names) AS name, unnest(event_visitors) AS event_visitor
    FROM picked WHERE cut`;
  const bucket = shape.timed ? [`${shape.bucketOf(at)} AS bucket`] : [];
  const events = `SELECT ${[...dimensions, 'started_at', `${at} AS at`, ...bucket].join(', ')},
    coalesce(name, 'pageview') AS name, coalesce(event_visitor, session_visitor) AS visitor FROM (${apart}) AS apart`;
  return `SELECT ${shape.contribute(contribution)} FROM (${events}) AS events
    WHERE name <> 'engagement' AND ${shape.within('at')}`;
}
