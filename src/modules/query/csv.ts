// An answer as CSV.
import { type CsvCell, csvLine } from '../../http/csv.js';
import type { Report, ReportTotals } from './report.js';
import type { MetricValue } from './vocabulary/metrics.js';

const REVENUE: readonly string[] = ['total_revenue', 'average_revenue'];
const TOTAL = 'Total';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CsvCell[])[];
}

/** After the metrics those of the range compared with and the changes; after the rows the totals. */
export function toCsv({ query, results, meta }: Report): string {
  const { dimensions, metrics } = query;
  const compares = query.include.compare !== undefined;
  const named = (prefix: string) =>
    metrics.flatMap((metric) => [
      prefix + metric,
      ...(REVENUE.includes(metric) ? [`${prefix}${metric}:currency`] : []),
    ]);
  const numbers = ({ metrics: values, comparison }: ReportTotals): readonly CsvCell[] => [
    ...metrics.flatMap((metric, index) => cellsOf(metric, values[index]!)),
    ...(comparison
      ? [
          ...metrics.flatMap((metric, index) => cellsOf(metric, comparison.metrics[index]!)),
          ...comparison.change,
        ]
      : []),
  ];
  const totals =
    meta.totals && dimensions.length > 0
      ? [[...dimensions.map((_, index) => (index === 0 ? TOTAL : null)), ...numbers(meta.totals)]]
      : [];
  return tableToCsv({
    columns: [
      ...dimensions,
      ...named(''),
      ...(compares ? [...named('comparison:'), ...metrics.map((metric) => `change:${metric}`)] : []),
    ],
    rows: [...results.map((row) => [...row.dimensions, ...numbers(row)]), ...totals],
  });
}

function cellsOf(metric: string, value: MetricValue): readonly CsvCell[] {
  const [amount, currency] =
    typeof value === 'object' ? [value?.value ?? null, value?.currency ?? null] : [value, null];
  return REVENUE.includes(metric) ? [amount, currency] : [amount];
}

export const tableToCsv = ({ columns, rows }: Table): string => [columns, ...rows].map(csvLine).join('');
