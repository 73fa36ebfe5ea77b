// Native groups become rows of a report: dimensions read off, groups that GA4 shows as one joined,
// metrics reckoned, empty rows and those that a metric filter refuses left out, the rest ordered. Pure.
import type { NativeGroup } from './dimension-reader.js';
import type { RequestedOrder } from './ga4-request.js';
import { evaluate } from './metric-expression.js';
import { DATE_RANGE, nativeKey, type Plan, refuse } from './plan.js';
import type { PlannedRange } from './ranges.js';
import { metricMeaning, type NativeMetric } from './metric-vocabulary.js';

/** With a value for each of the plan's native metrics. */
export interface CountedGroup extends NativeGroup {
  readonly counts: readonly number[];
}

export interface Row {
  readonly dimensions: readonly string[];
  /** By name, those too that are not shown. */
  readonly metrics: ReadonlyMap<string, number>;
  readonly range: PlannedRange;
  readonly counts: readonly number[];
}

/** @throws Problem 400 where groups would have to be joined whose visitors overlap. */
export function rowsOf(plan: Plan, groups: readonly CountedGroup[]): readonly Row[] {
  const shown = new Map<string, { readonly dimensions: readonly string[]; group: CountedGroup }>();
  for (const group of groups) {
    const dimensions = plan.dimensions.map((name) => read(plan, name, group));
    const key = JSON.stringify([group.range.name, dimensions]);
    const same = shown.get(key);
    if (same === undefined) shown.set(key, { dimensions, group });
    else same.group = joined(plan, [same.group, group]);
  }
  const rows = [...shown.values()].map(({ dimensions, group }) => rowOf(plan, dimensions, group));
  return rows.filter((row) => isKept(plan, row)).sort(byOrder(plan));
}

export function rowOf(plan: Plan, dimensions: readonly string[], { counts, range }: CountedGroup): Row {
  return { dimensions, metrics: metricsOf(plan, counts), range, counts };
}

function read({ readers }: Plan, name: string, group: CountedGroup): string {
  return name === DATE_RANGE ? group.range.name : readers.get(name)!.read(group);
}

/** What one visit cannot be in twice adds up; what counts visitors does not. */
function joined(plan: Plan, [a, b]: readonly [CountedGroup, CountedGroup]): CountedGroup {
  const onlyTimeDiffers = a.values.every((value, index) => value === b.values[index]);
  const counts = plan.natives.map((native, index) => {
    const { additivity } = native;
    if (additivity === 'events' || (additivity === 'visits' && onlyTimeDiffers)) {
      return a.counts[index]! + b.counts[index]!;
    }
    throw refuse('metrics', cannotAdd(plan, native));
  });
  return { ...a, counts };
}

function cannotAdd({ metrics, dimensions }: Plan, native: NativeMetric): string {
  const names = metrics.flatMap(({ name }) => {
    const entry = metricMeaning(name);
    return entry?.kind === 'native' && nativeKey(entry) === nativeKey(native) ? [name] : [];
  });
  const what = names.length === 0 ? 'what an expression needs' : names.join(' and ');
  const finer = 'ask for a finer dimension as well, such as date with hour or day';
  return `cannot give ${what} by ${dimensions.join(', ')}: rows would have to be added that share visitors; ${finer}`;
}

function metricsOf({ metrics, natives }: Plan, counts: readonly number[]): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const byKey = new Map(natives.map((native, index) => [nativeKey(native), counts[index]!]));
  const ofVocabulary = (name: string): number => {
    const entry = metricMeaning(name)!;
    return entry.kind === 'native' ? byKey.get(nativeKey(entry))! : evaluate(entry.expression, ofVocabulary);
  };
  for (const { name, expression } of metrics) {
    values.set(
      name,
      evaluate(expression, (used) => values.get(used) ?? ofVocabulary(used)),
    );
  }
  return values;
}

function isKept({ metrics, passes, keepEmptyRows }: Plan, row: Row): boolean {
  const visible = metrics.filter((metric) => metric.visible);
  const isEmpty = visible.length > 0 && visible.every(({ name }) => row.metrics.get(name) === 0);
  if (isEmpty && !keepEmptyRows) return false;
  return passes === null || passes((name) => row.metrics.get(name)!);
}

type Compare = (a: Row, b: Row) => number;

/** As asked, else by the first metric, largest first; rows that are equal then follow their dimensions. */
function byOrder(plan: Plan): Compare {
  const first = plan.metrics[0]?.name;
  const byFirst: readonly Compare[] =
    first === undefined ? [] : [(a, b) => b.metrics.get(first)! - a.metrics.get(first)!];
  const asked = plan.order.map((order) => comparing(plan, order));
  const byDimensions = plan.dimensions.map(
    (_, index): Compare =>
      (a, b) =>
        compareText(a.dimensions[index]!, b.dimensions[index]!),
  );
  const all = [...(asked.length > 0 ? asked : byFirst), ...byDimensions];
  return (a, b) => {
    for (const compare of all) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

function comparing(plan: Plan, { metric, dimension, desc }: RequestedOrder): Compare {
  const sign = desc ? -1 : 1;
  if (metric !== undefined) {
    const { metricName } = metric;
    return (a, b) => sign * (a.metrics.get(metricName)! - b.metrics.get(metricName)!);
  }
  const { dimensionName, orderType } = dimension!;
  const at = plan.dimensions.indexOf(dimensionName);
  const compare = orderType === 'NUMERIC' ? compareNumbers : compareText;
  const fold =
    orderType === 'CASE_INSENSITIVE_ALPHANUMERIC'
      ? (text: string) => text.toLowerCase()
      : (text: string) => text;
  return (a, b) => sign * compare(fold(a.dimensions[at]!), fold(b.dimensions[at]!));
}

/** What is no number comes before all numbers. */
function compareNumbers(a: string, b: string): number {
  const [x, y] = [numberIn(a), numberIn(b)];
  return x === y ? 0 : x < y ? -1 : 1;
}

const numberIn = (text: string): number =>
  text.trim() === '' || Number.isNaN(Number(text)) ? Number.NEGATIVE_INFINITY : Number(text);

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
