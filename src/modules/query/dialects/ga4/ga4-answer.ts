// A report in GA4's form: headers, rows of text, totals, maximums and minimums as rows of their own. Pure.
import { DATE_RANGE, type Plan } from './plan.js';
import type { PlannedRange } from './ranges.js';
import type { Row } from './rows.js';
import type { MetricType } from './metric-vocabulary.js';

export interface Ga4Row {
  readonly dimensionValues: readonly { readonly value: string }[];
  readonly metricValues: readonly { readonly value: string }[];
}

export interface Ga4Report {
  readonly dimensionHeaders: readonly { readonly name: string }[];
  readonly metricHeaders: readonly { readonly name: string; readonly type: MetricType }[];
  readonly rows: readonly Ga4Row[];
  readonly totals?: readonly Ga4Row[];
  readonly maximums?: readonly Ga4Row[];
  readonly minimums?: readonly Ga4Row[];
  readonly rowCount: number;
}

/** One row for each date range; none where none are asked for. */
export type Totals = readonly Row[];

export interface Table {
  /** The page. */
  readonly rows: readonly Row[];
  readonly allRows: readonly Row[];
  readonly rowCount: number;
  readonly totals: Totals;
}

type Reserved = 'RESERVED_TOTAL' | 'RESERVED_MAX' | 'RESERVED_MIN';

export function ga4Report(plan: Plan, { rows, allRows, rowCount, totals }: Table): Ga4Report {
  const { aggregations, dimensions, metrics } = plan;
  const show = (row: Row) => shown(plan, row);
  return {
    dimensionHeaders: dimensions.map((name) => ({ name })),
    metricHeaders: metrics.filter(({ visible }) => visible).map(({ name, type }) => ({ name, type })),
    rows: rows.map(show),
    ...(aggregations.has('TOTAL') && { totals: totals.map(show) }),
    ...(aggregations.has('MAXIMUM') && { maximums: extremes(plan, allRows, 'RESERVED_MAX') }),
    ...(aggregations.has('MINIMUM') && { minimums: extremes(plan, allRows, 'RESERVED_MIN') }),
    rowCount,
  };
}

/** What stands in the dimensions' places; of several date ranges, the range's name. */
export const aggregateRow = (plan: Plan, reserved: Reserved, range: PlannedRange): readonly string[] =>
  plan.dimensions.map((name) => (name === DATE_RANGE ? range.name : reserved));

function extremes(plan: Plan, rows: readonly Row[], reserved: Reserved): readonly Ga4Row[] {
  return plan.ranges.flatMap((range) => {
    const ofRange = rows.filter((row) => row.range === range);
    if (ofRange.length === 0) return [];
    const pick = reserved === 'RESERVED_MAX' ? Math.max : Math.min;
    const metrics = new Map(
      plan.metrics.map(({ name }): [string, number] => [
        name,
        ofRange.map((row) => row.metrics.get(name)!).reduce((a, b) => pick(a, b)),
      ]),
    );
    return [shown(plan, { ...ofRange[0]!, dimensions: aggregateRow(plan, reserved, range), metrics })];
  });
}

const shown = ({ metrics }: Plan, row: Row): Ga4Row => ({
  dimensionValues: row.dimensions.map((value) => ({ value })),
  metricValues: metrics
    .filter(({ visible }) => visible)
    .map(({ name }) => ({ value: String(row.metrics.get(name)!) })),
});
