// Any query as one statement over the session facts: parts contribute counters to its groups, visitors
// are counted over all parts and never summed, rates take their denominators from wider questions asked
// in the same statement. Where nothing tells events apart, sessions are counted whole.
import { COUNTER_COLUMNS } from '../vocabulary/counters.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import { declarationOf } from '../vocabulary/metrics.js';
import type { Goal } from '../vocabulary/goal.js';
import type { ReportQuery } from '../request/report-query.js';
import { aggregated, type Parts, totalSql } from './contribution.js';
import { chosenGroupsSql, type FactsQuery } from './facts-query.js';
import { denominatorsOf } from './denominators.js';
import { QueryShape } from './query-shape.js';
import type { FactsSource } from './session-selection.js';
import { contributionsBesideSessions, contributionsOfEvents } from './single-events.js';
import { SqlParameters, type Statement, timestamp } from './sql-parameters.js';
import { contributionsOfSessions } from './whole-sessions.js';

export interface FactsStatement extends Statement {
  readonly totalRowsStatement: Statement;
}

export function factsStatement(query: FactsQuery, table: string): FactsStatement {
  const source = { table, parameters: new SqlParameters() };
  const grouped = groupedSql(query, source);
  const counted = {
    text: `${grouped} SELECT count(*) AS total_rows FROM grouped`,
    values: [...source.parameters.values],
  };
  return { ...pageSql(query, source, grouped), totalRowsStatement: counted };
}

/** `WITH … grouped AS (…)`: one row per group, with its keys and counters. */
function groupedSql(query: FactsQuery, source: FactsSource, scrollGoals: readonly Goal[] = []): string {
  const shape = new QueryShape(query, source, scrollGoals);
  const { ctes, selects } = partsOf(shape);
  const contributions = selects.join(' UNION ALL ');
  return `WITH ${[
    ...ctes,
    ...(shape.counters.has('newVisitors')
      ? [firstSeenSql(query, source), `contributions AS (${withFirstSessions(contributions)})`]
      : [`contributions AS (${contributions})`]),
    ...(countsByVisitor(shape) ? [perVisitorSql(shape)] : []),
    ...withDenominators(shape, totalsSql(shape)),
  ].join(', ')}`;
}

function partsOf(shape: QueryShape): Parts {
  if (shape.byEvents) return contributionsOfEvents(shape);
  const whole = contributionsOfSessions(shape);
  const beside = contributionsBesideSessions(shape);
  return { ctes: [...whole.ctes, ...beside.ctes], selects: [...whole.selects, ...beside.selects] };
}

const withFirstSessions = (contributions: string): string =>
  `SELECT c.*, f.first_at = c.started_at AS is_first FROM (${contributions}) AS c LEFT JOIN first_seen f USING (visitor)`;

/** When each visitor was first seen, as far back as the facts go. */
function firstSeenSql({ site, range }: ReportQuery, { table, parameters }: FactsSource): string {
  return `first_seen AS (SELECT visitor, min(started_at) AS first_at
    FROM (SELECT unnest(coalesce(event_visitors, ARRAY[visitor])) AS visitor, started_at FROM ${table}
          WHERE site = ${parameters.add(site, 'text')}
            AND started_at < ${parameters.add(timestamp(range.to), 'timestamptz')}) AS seen
    GROUP BY visitor)`;
}

/** Distinct visitors by hashing instead of sorting, where nothing else has to be distinct. */
function countsByVisitor(shape: QueryShape): boolean {
  const distinctSessions = shape.byEvents && (shape.counters.has('visits') || needsVisits(shape));
  return shape.countsVisitors && !distinctSessions;
}

/** Groups without a visit have no row, though engagement or an entry may contribute to them. */
const needsVisits = (shape: QueryShape): boolean =>
  shape.query.toAddUp === undefined &&
  shape.keys().length > 0 &&
  (shape.byEntry.length > 0 || shape.countsAttention);

function perVisitorSql(shape: QueryShape): string {
  const keys = [...shape.keys(), 'visitor'];
  const columns = [
    ...keys,
    ...shape.contributed.map((name) => `${aggregated(name)} AS ${name}`),
    ...(shape.counters.has('newVisitors') ? ['bool_or(is_first) AS is_first'] : []),
  ];
  return `per_visitor AS (SELECT ${columns.join(', ')} FROM contributions GROUP BY ${keys.join(', ')})`;
}

function totalsSql(shape: QueryShape): string {
  const byVisitor = countsByVisitor(shape);
  const keys = shape.keys();
  const visitors = byVisitor ? 'count(visitor)' : 'count(DISTINCT visitor)';
  const columns = [
    ...keys,
    ...(shape.countsVisitors ? [`${visitors} AS ${COUNTER_COLUMNS.visitors}`] : []),
    ...(shape.query.toAddUp && shape.countsVisitors ? [`${visitorIdsSql(byVisitor)} AS visitor_ids`] : []),
    ...(shape.counters.has('newVisitors')
      ? [`${visitors} FILTER (WHERE is_first) AS ${COUNTER_COLUMNS.newVisitors}`]
      : []),
    // A session's id is a hash of its first event: no two of a site share one.
    ...(shape.byEvents && shape.counters.has('visits')
      ? [`count(DISTINCT session) AS ${COUNTER_COLUMNS.visits}`]
      : []),
    ...shape.contributed.map(totalSql),
  ];
  const having = needsVisits(shape) ? `HAVING ${shape.byEvents ? 'count(session)' : 'sum(visits)'} > 0` : '';
  return `SELECT ${columns.join(', ')} FROM ${byVisitor ? 'per_visitor' : 'contributions'}
    GROUP BY ${keys.length === 0 ? '()' : keys.join(', ')} ${having}`;
}

/** Eight bytes each. */
const visitorIdsSql = (byVisitor: boolean): string =>
  `string_agg(${byVisitor ? '' : 'DISTINCT '}int8send(visitor), ''::bytea)`;

function withDenominators(shape: QueryShape, totals: string): readonly string[] {
  const denominators = denominatorsOf(shape.query, shape.counters);
  if (denominators.length === 0) return [`grouped AS (${totals})`];
  const joined = denominators.map(({ query, keys }, index) => {
    const on = keys.map(([wider, own]) => `n${index}.${wider} = t.${own}`);
    const subquery = `(${groupedSql(query, shape.source, shape.scrollGoals)} SELECT * FROM grouped)`;
    return `LEFT JOIN ${subquery} AS n${index} ON ${on.join(' AND ') || 'true'}`;
  });
  const columns = denominators.map(({ column }, index) => `coalesce(n${index}.visitors, 0) AS ${column}`);
  return [
    `totals AS (${totals})`,
    `grouped AS (SELECT ${['t.*', ...columns].join(', ')} FROM totals t ${joined.join(' ')})`,
  ];
}

function pageSql(query: FactsQuery, { parameters }: FactsSource, grouped: string): Statement {
  const { orderBy, pagination, include, dimensions } = query;
  const ordered = new Set(orderBy.map(([name]) => name));
  const order = [
    ...orderBy.map(([name, direction]) => `${orderSql(query, name)} ${direction} NULLS LAST`),
    ...dimensions
      .filter((dimension) => !ordered.has(dimension))
      .map((dimension) => orderSql(query, dimension)),
  ];
  const limit = parameters.add(pagination.limit, 'bigint');
  const offset = parameters.add(pagination.offset, 'bigint');
  const total = include.totalRows ? 'count(*) OVER ()' : 'NULL';
  const text = `${grouped} SELECT *, ${total} AS total_rows FROM grouped ${chosenGroupsSql(query, keysOf(query), parameters)}
    ${order.length > 0 ? `ORDER BY ${order.join(', ')}` : ''} LIMIT ${limit} OFFSET ${offset}`;
  return { text, values: parameters.values };
}

const keysOf = ({ dimensions }: ReportQuery): readonly string[] => [
  ...dimensions.filter((dimension) => !isTimeDimension(dimension)).map((_, index) => `d${index}`),
  ...(dimensions.some(isTimeDimension) ? ['bucket'] : []),
];

function orderSql({ dimensions, metrics }: ReportQuery, name: string): string {
  const metric = metrics.find((one) => one === name);
  if (metric !== undefined) return declarationOf(metric).orderSql;
  const value = dimensions
    .filter((dimension) => !dimension.startsWith('time:'))
    .findIndex((one) => one === name);
  return value < 0 ? 'bucket' : `d${value}`;
}
