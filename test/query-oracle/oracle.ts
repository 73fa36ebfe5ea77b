// What a query must answer, from visits in memory and by the definitions alone. Each bucket is asked as a
// range of its own, which is the law that series follow.
import { changeOf, comparedSpan } from './comparisons.js';
import {
  dimensionsOf,
  everyDimensionOf,
  goalsNamed,
  isOfConversions,
  type WireFilter,
  withoutConversions,
} from './filters.js';
import {
  type Defined,
  gather,
  type Group,
  Groups,
  looksAtEvents,
  type Question,
  scrollGoalsOf,
} from './gather.js';
import { type Measured, metricValue, type MetricValue } from './metrics.js';
import {
  type Bucket,
  bucketsOf,
  granularityOf,
  type Moment,
  type Span,
  spanOf,
  trimmed,
  type WeekStart,
} from './ranges.js';
import { isOfTime } from './values.js';
import type { Visit } from './visits.js';

export interface OracleRequest {
  readonly metrics: readonly string[];
  readonly date_range: string | readonly [string, string];
  readonly dimensions?: readonly string[];
  readonly filters?: readonly WireFilter[];
  readonly order_by?: readonly Order[];
  readonly include?: Readonly<Record<string, unknown>>;
  readonly pagination?: { readonly limit?: number; readonly offset?: number };
  readonly week_start?: WeekStart;
}
export type Order = readonly [name: string, direction: 'asc' | 'desc'];

export interface OracleTotals {
  readonly metrics: readonly MetricValue[];
  readonly comparison?: OracleComparison;
}

export interface OracleRow extends OracleTotals {
  readonly dimensions: readonly string[];
}

export interface OracleComparison {
  readonly metrics: readonly MetricValue[];
  readonly change: readonly (number | null)[];
}

export interface OracleAnswer {
  readonly results: readonly OracleRow[];
  readonly totalRows: number;
  readonly timeLabels: readonly string[] | null;
  readonly comparisonTimeLabels: readonly string[] | null;
  readonly totals: OracleTotals;
}

/** Of one site, in order of time. */
export interface Facts extends Defined {
  readonly visits: readonly Visit[];
  readonly firstVisitOf: (visitor: string) => Visit;
}

export function factsOf(visits: readonly Visit[], defined: Defined): Facts {
  const first = new Map<string, Visit>();
  for (const visit of visits.toSorted((a, b) => a.startedAt - b.startedAt)) {
    for (const { visitor } of visit.hits) if (!first.has(visitor)) first.set(visitor, visit);
  }
  return { ...defined, visits, firstVisitOf: (visitor) => first.get(visitor)! };
}

/** A request with its words for time resolved, about one range. */
interface Resolved {
  readonly request: OracleRequest;
  readonly facts: Facts;
  readonly span: Span;
  readonly buckets: readonly Bucket[];
  readonly visits: readonly Visit[];
  readonly timed: boolean;
  /** Without time. */
  readonly values: readonly string[];
  readonly filters: readonly WireFilter[];
}

interface Row {
  /** Its place in the range. */
  readonly bucket: number;
  readonly key: readonly string[];
  readonly metrics: readonly MetricValue[];
}

export function oracleAnswer(facts: Facts, request: OracleRequest, moment: Moment): OracleAnswer {
  const { order_by, include = {}, pagination = {} } = request;
  const span = trimmed(spanOf(request.date_range, moment), request, moment);
  const granularity = (name: string) => (name === 'time' ? granularityOf(span, moment.zone) : name);
  const dimensions = (request.dimensions ?? []).map(granularity);
  const time = dimensions.find(isOfTime);
  const about = (asked: Span, dimensions: readonly string[]) =>
    resolve({ facts, request, moment }, asked, dimensions);
  const now = about(span, dimensions);
  const other = comparedSpan(span, request, moment);
  const before = other === null ? null : about(other, dimensions);
  const compare = before === null ? () => undefined : comparing(before);
  const buckets = new Map<OracleRow, number>();
  const rows = (include.fill === true ? filled(now) : rowsOf(now)).map((row): OracleRow => {
    const rest = row.key.values();
    const comparison = compare(row);
    const shown = {
      dimensions: dimensions.map((name) =>
        name === time ? now.buckets[row.bucket]!.label : rest.next().value!,
      ),
      metrics: row.metrics,
      ...(comparison !== undefined && { comparison }),
    };
    buckets.set(shown, row.bucket);
    return shown;
  });
  const order = (order_by ?? defaultOrder(request.metrics, time)).map(([name, direction]): Order => [
    granularity(name),
    direction,
  ]);
  const ordering = { metrics: request.metrics, dimensions, order, buckets };
  const ordered = rows.toSorted((a, b) => compareRows(ordering, a, b));
  const { limit = 10_000, offset = 0 } = pagination;
  const labels = (of: Resolved | null) =>
    of === null || time === undefined ? null : of.buckets.map(({ label }) => label);
  const [whole] = rowsOf(about(span, []));
  const comparison = other === null ? undefined : comparing(about(other, []))(whole!);
  return {
    results: ordered.slice(offset, offset + limit),
    totalRows: rows.length,
    timeLabels: labels(now),
    comparisonTimeLabels: labels(before),
    totals: { metrics: whole!.metrics, ...(comparison !== undefined && { comparison }) },
  };
}

interface Asking {
  readonly facts: Facts;
  readonly request: OracleRequest;
  readonly moment: Moment;
}

function resolve({ facts, request, moment }: Asking, span: Span, dimensions: readonly string[]): Resolved {
  const { filters = [], include = {}, week_start: weekStart = moment.weekStart } = request;
  const time = dimensions.find(isOfTime);
  const asked = [
    ...(request.dimensions ?? []),
    ...filters.flatMap((filter) => everyDimensionOf(filter, facts.segments)),
  ];
  const seesBots = include.bots === true || asked.some((name) => /^visit:bot(?:_name|_kind)?$/.test(name));
  return {
    ...{ request, facts, span, filters },
    timed: time !== undefined,
    values: dimensions.filter((dimension) => dimension !== time),
    visits: facts.visits.filter((visit) => (seesBots || !visit.bot) && isAbout(visit, span)),
    buckets:
      time === undefined
        ? [{ label: '', ...span }]
        : bucketsOf({ ...span, zone: moment.zone, time, weekStart }),
  };
}

/** The same row of the range compared with; all null where that has no such bucket. */
function comparing(before: Resolved): (row: Row) => OracleComparison {
  const { metrics } = before.request;
  const known = new Map(rowsOf(before).map((row) => [JSON.stringify([row.bucket, row.key]), row]));
  return ({ bucket, key, metrics: current }) => {
    if (bucket >= before.buckets.length)
      return { metrics: metrics.map(() => null), change: metrics.map(() => null) };
    const found = known.get(JSON.stringify([bucket, key]))?.metrics ?? nothing(before, bucket, key).metrics;
    return {
      metrics: found,
      change: metrics.map((name, place) => changeOf(name, found[place]!, current[place]!)),
    };
  };
}

/** Whether anything of the visit, engagement included, lies there. */
const isAbout = ({ hits, startedAt }: Visit, { from, to }: Span): boolean =>
  startedAt < to && hits.at(-1)!.at >= from;

const rowsOf = (resolved: Resolved): readonly Row[] =>
  resolved.buckets.flatMap((_, bucket) => rowsOfBucket(resolved, bucket));

function filled(resolved: Resolved): readonly Row[] {
  return resolved.buckets.flatMap((_, bucket) => {
    const rows = rowsOfBucket(resolved, bucket);
    return rows.length > 0 ? rows : [nothing(resolved, bucket, [])];
  });
}

/** A row that nothing fell into: its share of what there is elsewhere is still a share. */
function nothing(resolved: Resolved, bucket: number, key: readonly string[]): Row {
  const group = new Groups().of(key);
  const measure = measuring(resolved, bucket)(group);
  return { bucket, key, metrics: resolved.request.metrics.map((name) => metricValue(name, measure)) };
}

function rowsOfBucket(resolved: Resolved, bucket: number): readonly Row[] {
  const { request, values, timed } = resolved;
  const question = questionOf(resolved, bucket);
  const here = resolved.visits.filter((visit) => isAbout(visit, question));
  if (here.length === 0 && (timed || values.length > 0)) return [];
  const measured = measuring(resolved, bucket);
  return gather(here, question)
    .filter(({ touched }) => touched.size > 0 || (values.length === 0 && !timed))
    .map((group) => {
      const measure = measured(group);
      return { bucket, key: group.key, metrics: request.metrics.map((name) => metricValue(name, measure)) };
    });
}

function questionOf({ facts, span, filters, values, buckets }: Resolved, bucket: number): Question {
  return {
    ...{ ...buckets[bucket]!, dimensions: values, filters, site: facts, range: span },
    scrollGoals: values.includes('event:goal')
      ? facts.goals.filter(({ match }) => match.kind === 'scroll')
      : scrollGoalsOf(filters, facts.goals),
    paidFor: paidForOf(filters, facts),
  };
}

function measuring(resolved: Resolved, bucket: number): (group: Group) => Measured {
  const { facts, span, filters, values, visits } = resolved;
  const question = questionOf(resolved, bucket);
  const byPage = looksAtEvents(question) && values.includes('event:page');
  const filtersPage = filters
    .flatMap((filter) => dimensionsOf(filter, facts.segments))
    .includes('event:page');
  const convertibleFilters = filters.map((filter) => withoutConversions(filter));
  const whole = { ...question, ...span, dimensions: [] };
  const rest = values.filter((name) => !isOfConversions(name));
  const convertibleGroups = once(
    () =>
      new Map(
        gather(
          visits.filter((visit) => isAbout(visit, question)),
          { ...question, dimensions: rest, filters: convertibleFilters },
        ).map((group) => [JSON.stringify(group.key), group.visitors.size]),
      ),
  );
  const allVisitors = once(() => gather(visits, whole)[0]!.visitors.size);
  const convertible = once(() => gather(visits, { ...whole, filters: convertibleFilters })[0]!.visitors.size);
  return (group) => ({
    ...{ group, allVisitors, convertible, goals: facts.goals, firstVisitOf: facts.firstVisitOf },
    bounceVisits: byPage || filtersPage ? group.entering : group.touched,
    durationVisits: byPage ? group.entering : group.touched,
    convertibleHere: () =>
      convertibleGroups().get(
        JSON.stringify(group.key.filter((_, place) => !isOfConversions(values[place]!))),
      ) ?? 0,
  });
}

/** Of wanted goals' revenue only amounts in the goals' currencies are part. */
function paidForOf(filters: readonly WireFilter[], { goals }: Facts): Question['paidFor'] {
  const known = goals.map(({ name }) => name);
  const named = filters.flatMap((filter) => goalsNamed(filter, known)).filter(({ wanted }) => wanted);
  if (named.length === 0) return null;
  const names = new Set(named.flatMap((one) => one.names));
  return goals.filter(({ name }) => names.has(name));
}

function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => (known ??= { value: compute() }).value;
}

const defaultOrder = (metrics: readonly string[], time: string | undefined): readonly Order[] => [
  ...(time === undefined ? [] : [[time, 'asc'] as const]),
  [metrics[0]!, 'desc'],
];

interface Ordering {
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  readonly order: readonly Order[];
  readonly buckets: ReadonlyMap<OracleRow, number>;
}

/** Rows that are equal in what was asked follow their dimensions: time as it went by, others byte by byte. */
function compareRows(ordering: Ordering, a: OracleRow, b: OracleRow): number {
  const { metrics, dimensions, order, buckets } = ordering;
  const byDimension = (place: number): number =>
    isOfTime(dimensions[place]!)
      ? buckets.get(a)! - buckets.get(b)!
      : byBytes(a.dimensions[place]!, b.dimensions[place]!);
  for (const [name, direction] of order) {
    const place = metrics.indexOf(name);
    if (place >= 0) {
      const difference = byMetric(direction, a.metrics[place]!, b.metrics[place]!);
      if (difference !== 0) return difference;
      continue;
    }
    const dimension = dimensions.indexOf(name);
    const difference = byDimension(dimension);
    if (difference !== 0) return direction === 'asc' ? difference : -difference;
  }
  for (const [place] of dimensions.entries()) {
    const difference = byDimension(place);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Null comes last, whatever the direction. */
function byMetric(direction: 'asc' | 'desc', a: MetricValue, b: MetricValue): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const [one, other] = [a, b].map((value) => (typeof value === 'number' ? value : value.value));
  return direction === 'asc' ? one! - other! : other! - one!;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
