// One report from its plan to GA4's form: asks the native queries behind it, one after the other, and
// puts their answers together. All numbers come from them; ratios, joins and order are rows.ts's.
import { Problem } from '../../../../http/problem.js';
import { LIMIT_MAX, tooCostly } from '../../request/cost.js';
import { parseReportRequest, type ReportRequest } from '../../request/report-request.js';
import { aggregateRow, type Ga4Report, ga4Report, type Totals } from './ga4-answer.js';
import {
  goalsRequest,
  mainRequest,
  type NativePage,
  nativePage,
  type NativeRequest,
  withoutDimensions,
} from './native-requests.js';
import { type Plan, refuse } from './plan.js';
import type { PlannedRange } from './ranges.js';
import { COMPLETE, type Completeness, lesserOf } from './report-metadata.js';
import { type CountedGroup, type Row, rowOf, rowsOf } from './rows.js';
import { bucketOf } from './time-dimensions.js';

/** Rows fetched for one report: all that there are, where not the facts but GA4's rules order and page them. */
const GATHERED_ROWS_MAX = 100_000;
const ALL_ROWS: NativePage = { limit: Number.POSITIVE_INFINITY, offset: 0 };

/** As far as this dialect reads a native answer. */
export interface NativeReport {
  readonly results: readonly {
    readonly dimensions: readonly string[];
    readonly metrics: readonly unknown[];
  }[];
  readonly meta: {
    readonly total_rows?: number;
    /** Of visitors, where only some were read. */
    readonly sample_rate?: number;
    /** Rare values are in one row, whose name is `(other)`. */
    readonly other_row?: boolean;
    /** Times of which something is hidden or was not taken. */
    readonly incomplete?: readonly unknown[];
    readonly metric_warnings?: Readonly<Record<string, unknown>>;
  };
}

export interface Asking {
  readonly ask: (request: ReportRequest) => Promise<NativeReport>;
  /** The site's, in which amounts are given. */
  readonly currency: string;
}

export interface AnsweredReport {
  readonly report: Ga4Report;
  /** Of each date range. */
  readonly completeness: readonly Completeness[];
}

/** @throws Problem of the queries, or where their answers cannot be shown as GA4 would. */
export async function runGa4Report(plan: Plan, asking: Asking): Promise<AnsweredReport> {
  const page = nativePage(plan);
  const groups: CountedGroup[] = [];
  const completeness: Completeness[] = [];
  let totalRows = 0;
  for (const range of plan.ranges) {
    const native = await groupsOf(plan, { range, page, asking });
    groups.push(...native.groups);
    completeness.push(native.completeness);
    totalRows += native.totalRows;
  }
  const rows = rowsOf(plan, groups);
  const totals = await totalsOf(plan, rows, asking);
  const table =
    page === null
      ? { rows: rows.slice(plan.offset, plan.offset + plan.limit), rowCount: rows.length }
      : { rows, rowCount: totalRows };
  return { report: ga4Report(plan, { ...table, totals, allRows: rows }), completeness };
}

interface Fetching {
  readonly range: PlannedRange;
  readonly page: NativePage | null;
  readonly asking: Asking;
}

async function groupsOf(plan: Plan, { range, page, asking }: Fetching) {
  const main = await fetchRows(asking, page, (page) => mainRequest(plan, range, page));
  const ofGoals = await fetchRows(asking, null, (page) => goalsRequest(plan, range, page));
  const goalsByKey = new Map(ofGoals.rows.map((row) => [JSON.stringify(row.dimensions), row.metrics]));
  const mainNatives = plan.natives.filter((native) => !native.ofGoals);
  const goalNatives = plan.natives.filter((native) => native.ofGoals);
  const groups = main.rows.map(({ dimensions, metrics }): CountedGroup => {
    const reached = goalsByKey.get(JSON.stringify(dimensions));
    const counts = plan.natives.map((native) =>
      native.ofGoals
        ? numberOf(reached?.[goalNatives.indexOf(native)] ?? 0, asking.currency)
        : numberOf(metrics[mainNatives.indexOf(native)], asking.currency),
    );
    const timed = plan.columns.granule !== null;
    return {
      bucket: timed ? bucketOf(dimensions[0]!) : null,
      values: timed ? dimensions.slice(1) : dimensions,
      range,
      counts,
    };
  });
  return {
    groups,
    totalRows: main.totalRows,
    completeness: lesserOf(main.completeness, ofGoals.completeness),
  };
}

/** The rows of a page, or with null all of them, in as many queries as that takes. */
async function fetchRows(
  { ask }: Asking,
  page: NativePage | null,
  requestFor: (page: NativePage) => NativeRequest | null,
) {
  const { limit, offset } = page ?? ALL_ROWS;
  const rows: NativeReport['results'][number][] = [];
  let completeness = COMPLETE;
  for (;;) {
    const next = { limit: Math.min(limit - rows.length, LIMIT_MAX), offset: offset + rows.length };
    const request = requestFor(next);
    if (request === null) return { rows, totalRows: 0, completeness };
    const report = await ask(parseReportRequest(request));
    const { results, meta } = report;
    refuseMixedCurrencies(report);
    rows.push(...results);
    completeness = lesserOf(completeness, completenessOf(meta));
    const totalRows = meta.total_rows ?? rows.length;
    const wanted = Math.min(limit, totalRows - offset);
    if (rows.length >= wanted || results.length === 0) return { rows, totalRows, completeness };
    if (wanted > GATHERED_ROWS_MAX) {
      throw tooCostly(
        'dateRanges',
        `The report has ${totalRows} rows to fetch: narrow dateRanges or dimensions, or take a smaller limit and order by a plain metric.`,
      );
    }
  }
}

const completenessOf = ({ sample_rate, other_row, incomplete }: NativeReport['meta']): Completeness => ({
  sampleRate: sample_rate ?? 1,
  hasOtherRow: other_row ?? false,
  isIncomplete: incomplete !== undefined,
});

/** Revenue is an amount with its currency, or null where there is none. */
function numberOf(cell: unknown, currency: string): number {
  if (typeof cell === 'number') return cell;
  if (typeof cell !== 'object' || cell === null) return 0;
  const money = cell as { readonly value: number; readonly currency: string };
  if (money.currency === currency) return money.value;
  throw refuse('metrics:', `amounts are in ${money.currency}, the site's currency is ${currency}`);
}

function refuseMixedCurrencies({ meta }: NativeReport): void {
  if (meta.metric_warnings === undefined || !('total_revenue' in meta.metric_warnings)) return;
  throw refuse('metrics:', 'amounts are in several currencies, and nothing is converted: filter by event');
}

/** Counted anew without dimensions, so that nobody counts twice; only what a metric filter left is added up. */
async function totalsOf(plan: Plan, rows: readonly Row[], asking: Asking): Promise<Totals> {
  if (!plan.aggregations.has('TOTAL')) return [];
  const totals: Row[] = [];
  for (const range of plan.ranges) {
    if (plan.passes !== null) {
      totals.push(sumOf(plan, rows, range));
      continue;
    }
    const whole = withoutDimensions(plan);
    const { groups } = await groupsOf(whole, { range, page: null, asking });
    const [group] = groups;
    if (group === undefined) throw new Error('A query without dimensions has one row');
    totals.push(rowOf(plan, aggregateRow(plan, 'RESERVED_TOTAL', range), group));
  }
  return totals;
}

function sumOf(plan: Plan, rows: readonly Row[], range: PlannedRange): Row {
  const ofRange = rows.filter((row) => row.range === range);
  const counts = plan.natives.map(({ additivity }, index) => {
    if (additivity === 'distinct' && ofRange.length > 1) {
      throw Problem.badRequest(
        'metricAggregations: visitors of several rows cannot be added up to a TOTAL under a metricFilter.',
      );
    }
    return ofRange.reduce((sum, row) => sum + row.counts[index]!, 0);
  });
  const group = { bucket: null, values: [], range, counts };
  return rowOf(plan, aggregateRow(plan, 'RESERVED_TOTAL', range), group);
}
