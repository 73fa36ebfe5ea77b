// The rows of an answer with everything that belongs beside them: rows for empty buckets, what each is
// compared with, the totals. All of it from one snapshot, so that no two numbers contradict each other.
import { changeOf } from '../change.js';
import type { FactsQuery } from '../facts/facts-query.js';
import {
  type AnswerSource,
  type Group,
  metricsOf,
  type ReportComparison,
  type ReportRow,
  type ReportTotals,
  rowOf,
} from '../report.js';
import { LIMIT_MAX } from '../request/cost.js';
import type { ReportQuery } from '../request/report-query.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import { type Counters, NO_COUNTERS } from '../vocabulary/counters.js';
import { type MetricWarnings, warningsOf } from '../vocabulary/metrics.js';
import { orderOfGroups } from './order-of-groups.js';
import type { Caveats, ReportSources, SourcedGroups } from './report-sources.js';

export interface ReportNumbers extends Caveats {
  readonly results: readonly ReportRow[];
  readonly totals: ReportTotals | null;
  readonly source: AnswerSource;
  readonly totalRows: number;
  readonly warnings: MetricWarnings;
}

const EVERYTHING = { limit: LIMIT_MAX, offset: 0 };

export async function readReport(sources: ReportSources, query: ReportQuery): Promise<ReportNumbers> {
  const page = query.include.fill
    ? filled(query, await sources.groupsOf({ ...query, pagination: EVERYTHING }))
    : await sources.groupsOf(query);
  const before = await comparedGroups(sources, query, page.groups);
  const totals = query.include.totals ? await totalsOf(sources, query) : null;
  return {
    results: page.groups.map((group) => ({
      ...rowOf(query, group),
      ...(before !== null && { comparison: comparisonOf(query, group.counters, before(group)) }),
    })),
    totals,
    source: page.source,
    ...sources.caveats,
    totalRows: page.totalRows,
    warnings: warningsOf(query.metrics, page.groups),
  };
}

/** Of time alone. */
function filled(query: ReportQuery, sourced: SourcedGroups): SourcedGroups {
  const known = new Map(sourced.groups.map((group) => [group.bucket, group]));
  // What rates are of is the same in every row.
  const { allVisitors, convertibleVisitors } = sourced.groups[0]?.counters ?? NO_COUNTERS;
  const nobody = { ...NO_COUNTERS, allVisitors, convertibleVisitors };
  const groups = query.buckets.labels.map(
    (_, bucket): Group => known.get(bucket) ?? { bucket, values: [], counters: nobody },
  );
  groups.sort(orderOfGroups(query));
  const { limit, offset } = query.pagination;
  return { ...sourced, groups: groups.slice(offset, offset + limit), totalRows: groups.length };
}

/** Undefined: the range compared with has no such bucket. */
type CountersBefore = (group: Group) => Counters | undefined;

async function comparedGroups(
  sources: ReportSources,
  query: ReportQuery,
  groups: readonly Group[],
): Promise<CountersBefore | null> {
  const compared = comparedQuery(query);
  if (compared === null) return null;
  const timed = query.dimensions.some(isTimeDimension);
  const buckets = compared.buckets.bounds.length - 1;
  const comparable = groups.filter(({ bucket }) => bucket < buckets);
  const grouped = query.dimensions.length > (timed ? 1 : 0);
  const onlyGroups = comparable.map(({ values, bucket }) => [...values, ...(timed ? [bucket + 1] : [])]);
  const found =
    comparable.length === 0
      ? []
      : (await sources.groupsOf({ ...compared, ...(grouped && { onlyGroups }) })).groups;
  const counters = new Map(found.map((group) => [keyOf(group), group.counters]));
  const nobody = await nobodyAmong(sources, compared, found);
  return (group) => (group.bucket < buckets ? (counters.get(keyOf(group)) ?? nobody) : undefined);
}

/** A row that the range has not: nobody, of as many as its other rows are parts of. */
async function nobodyAmong(
  sources: ReportSources,
  query: FactsQuery,
  found: readonly Group[],
): Promise<Counters> {
  const { allVisitors, convertibleVisitors } =
    found[0]?.counters ??
    (query.metrics.includes('percentage') ? await countersOfAll(sources, query) : NO_COUNTERS);
  return { ...NO_COUNTERS, allVisitors, convertibleVisitors };
}

/** Of the whole range, without dimensions. */
async function countersOfAll(sources: ReportSources, query: ReportQuery): Promise<Counters> {
  const { from, to } = query.range;
  const whole = { ...query, dimensions: [], orderBy: [], buckets: { bounds: [from, to], labels: [] } };
  const { groups } = await sources.groupsOf({ ...whole, pagination: { limit: 1, offset: 0 } });
  return groups[0]?.counters ?? NO_COUNTERS;
}

const keyOf = ({ values, bucket }: Group): string => JSON.stringify([bucket, ...values]);

/** The same question of the other range, for its own sake. */
function comparedQuery(query: ReportQuery): FactsQuery | null {
  if (query.compared === null) return null;
  return {
    ...query,
    ...query.compared,
    orderBy: [],
    compared: null,
    include: { ...query.include, totalRows: false, totals: false, fill: false },
    pagination: EVERYTHING,
  };
}

async function totalsOf(sources: ReportSources, query: ReportQuery): Promise<ReportTotals> {
  const counters = await countersOfAll(sources, query);
  const compared = comparedQuery(query);
  return {
    metrics: metricsOf(query, counters),
    ...(compared !== null && {
      comparison: comparisonOf(query, counters, await countersOfAll(sources, compared)),
    }),
  };
}

function comparisonOf(query: ReportQuery, now: Counters, before: Counters | undefined): ReportComparison {
  if (before === undefined) {
    return { metrics: query.metrics.map(() => null), change: query.metrics.map(() => null) };
  }
  const metrics = metricsOf(query, before);
  const current = metricsOf(query, now);
  return {
    metrics,
    change: query.metrics.map((metric, index) => changeOf(metric, metrics[index]!, current[index]!)),
  };
}
