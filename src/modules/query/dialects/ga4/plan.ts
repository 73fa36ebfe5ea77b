// What a request comes to: which native dimensions, metrics and filters answer it, and how the columns
// of its answer are read off them. Everything that GA4's request can get wrong is found here, before
// anything is asked. Pure.
import { Problem } from '../../../../http/problem.js';
import { type FilterTree, type Aggregation, leavesOf, type RequestedDimension } from './ga4-request.js';
import type { RequestedMetric, RequestedOrder } from './ga4-request.js';
import { dimensionReader, type DimensionReader, type NativeColumns } from './dimension-reader.js';
import { nativeFilter, type NativeFilter } from './dimension-filter.js';
import { type Expression, namesOf, parseExpression, staysWhole } from './metric-expression.js';
import { type RowTest, rowTest } from './metric-filter.js';
import type { PlannedRange, RangesOutcome } from './ranges.js';
import type { ReportKind } from './described.js';
import { metricMeaning, metricOf, type MetricType, type NativeMetric } from './metric-vocabulary.js';

export const DATE_RANGE = 'dateRange';

export interface PlannedMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly visible: boolean;
  /** Names metrics planned before it, else those of the vocabulary. */
  readonly expression: Expression;
}

export interface Plan {
  /** In the order of the answer; `dateRange` among them where it is shown. */
  readonly dimensions: readonly string[];
  readonly readers: ReadonlyMap<string, DimensionReader>;
  /** With those that only filters name. */
  readonly metrics: readonly PlannedMetric[];
  readonly columns: NativeColumns;
  readonly filters: readonly NativeFilter[];
  readonly natives: readonly NativeMetric[];
  readonly ranges: readonly PlannedRange[];
  readonly passes: RowTest | null;
  readonly order: readonly RequestedOrder[];
  readonly offset: number;
  readonly limit: number;
  readonly aggregations: ReadonlySet<Aggregation>;
  readonly keepEmptyRows: boolean;
}

export interface PlannedRequest {
  readonly dimensions: readonly RequestedDimension[];
  readonly metrics: readonly RequestedMetric[];
  readonly dimensionFilter?: FilterTree | undefined;
  readonly metricFilter?: FilterTree | undefined;
  readonly orderBys: readonly RequestedOrder[];
  readonly offset: number;
  readonly limit: number;
  readonly metricAggregations: readonly Aggregation[];
  readonly keepEmptyRows: boolean;
}

/** @throws Problem 400 naming what cannot be answered. */
export function planReport(request: PlannedRequest, ranges: RangesOutcome, report: ReportKind): Plan {
  if (ranges.outcome === 'refused') throw refuse(ranges.path, ranges.reason);
  if (request.dimensions.length + request.metrics.length === 0) {
    throw refuse('metrics', 'must name at least one metric, or dimensions a dimension');
  }
  const metrics = planMetrics(request, report);
  const { readers, columns } = planDimensions(request.dimensions, ranges.ranges, report);
  const plan: Plan = {
    dimensions: shownDimensions(request.dimensions, ranges.ranges),
    readers,
    metrics,
    columns,
    filters: planFilters(request.dimensionFilter, report),
    natives: nativesOf(metrics),
    ranges: ranges.ranges,
    passes: planRowTest(request.metricFilter),
    order: request.orderBys,
    offset: request.offset,
    limit: request.limit,
    aggregations: new Set(request.metricAggregations),
    keepEmptyRows: request.keepEmptyRows,
  };
  checkOrder(plan);
  return plan;
}

export const refuse = (path: string, reason: string): Problem =>
  Problem.badRequest(`${path} ${reason}`.trim(), [{ path, message: reason }]);

function planDimensions(
  requested: readonly RequestedDimension[],
  ranges: readonly PlannedRange[],
  report: ReportKind,
) {
  const outcome = dimensionReader(
    requested.filter(({ name }) => name !== DATE_RANGE),
    ranges,
    report,
  );
  if (outcome.outcome === 'refused') {
    const index = requested.findIndex(({ name }) => name === outcome.dimension);
    throw refuse(`dimensions[${index}]`, outcome.reason);
  }
  return outcome;
}

/** `dateRange` where it is asked for, else last where there are several ranges to tell apart. */
function shownDimensions(
  requested: readonly RequestedDimension[],
  ranges: readonly PlannedRange[],
): readonly string[] {
  const names = requested.map(({ name }) => name);
  return ranges.length > 1 && !names.includes(DATE_RANGE) ? [...names, DATE_RANGE] : names;
}

function planFilters(tree: FilterTree | undefined, report: ReportKind): readonly NativeFilter[] {
  if (tree === undefined) return [];
  const outcome = nativeFilter(tree, report);
  if (outcome.outcome === 'refused') throw refuse('dimensionFilter:', outcome.reason);
  return [outcome.filter];
}

function planRowTest(tree: FilterTree | undefined): RowTest | null {
  if (tree === undefined) return null;
  const outcome = rowTest(tree);
  if (outcome.outcome === 'refused') throw refuse('metricFilter:', outcome.reason);
  return outcome.test;
}

function planMetrics(
  { metrics: requested, metricFilter }: PlannedRequest,
  report: ReportKind,
): readonly PlannedMetric[] {
  const planned = new Map<string, PlannedMetric>();
  for (const [index, { name, expression: text, invisible }] of requested.entries()) {
    const path = text === undefined ? `metrics[${index}].name` : `metrics[${index}].expression`;
    const expression = text === undefined ? nameOnly(name) : readExpression(text, path);
    const typeOf = (of: string): MetricType => {
      const type = planned.get(of)?.type ?? metricOf(of, report)?.type;
      if (type === undefined) throw refuse(path, `${of} is not a metric that is answered here`);
      return type;
    };
    planned.set(name, { name, type: typeOfExpression(expression, typeOf), visible: !invisible, expression });
  }
  for (const { fieldName } of metricFilter === undefined ? [] : leavesOf(metricFilter)) {
    if (planned.has(fieldName)) continue;
    const type = metricOf(fieldName, report)?.type;
    if (type === undefined) {
      throw refuse('metricFilter:', `${fieldName} is not a metric that is answered here`);
    }
    planned.set(fieldName, { name: fieldName, type, visible: false, expression: nameOnly(fieldName) });
  }
  return [...planned.values()];
}

const nameOnly = (name: string): Expression => ({ kind: 'name', name });

function readExpression(text: string, path: string): Expression {
  const outcome = parseExpression(text);
  if (outcome.outcome === 'refused') throw refuse(path, outcome.reason);
  return outcome.expression;
}

function typeOfExpression(expression: Expression, typeOf: (name: string) => MetricType): MetricType {
  if (expression.kind === 'name') return typeOf(expression.name);
  const types = namesOf(expression).map((name): [string, MetricType] => [name, typeOf(name)]);
  const whole = new Map(types);
  return staysWhole(expression, (name) => whole.get(name) === 'TYPE_INTEGER') ? 'TYPE_INTEGER' : 'TYPE_FLOAT';
}

/** Distinct, in the order in which they are first needed. */
function nativesOf(metrics: readonly PlannedMetric[]): readonly NativeMetric[] {
  const natives = new Map<string, NativeMetric>();
  const planned = new Set<string>();
  const need = (name: string): void => {
    const entry = metricMeaning(name);
    if (entry === undefined) return;
    if (entry.kind === 'native') natives.set(nativeKey(entry), entry);
    else for (const inner of namesOf(entry.expression)) need(inner);
  };
  for (const { name, expression } of metrics) {
    for (const used of namesOf(expression)) if (!planned.has(used)) need(used);
    planned.add(name);
  }
  return [...natives.values()];
}

export const nativeKey = ({ native, ofGoals }: NativeMetric): string =>
  `${native}${ofGoals ? ' of goals' : ''}`;

function checkOrder({ order, metrics, dimensions }: Plan): void {
  for (const [index, { metric, dimension }] of order.entries()) {
    if (metric !== undefined && !metrics.some(({ name }) => name === metric.metricName)) {
      throw refuse(`orderBys[${index}]`, `${metric.metricName} is not a metric of this request`);
    }
    if (dimension !== undefined && !dimensions.includes(dimension.dimensionName)) {
      throw refuse(`orderBys[${index}]`, `${dimension.dimensionName} is not a dimension of this request`);
    }
  }
}
