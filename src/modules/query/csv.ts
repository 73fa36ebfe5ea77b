// An answer as CSV (RFC 4180). Values come from visitors, and a spreadsheet would run those that
// look like formulas: they get an apostrophe. Numbers are written as they are.
import type { Report, ReportTotals } from './report.js';
import type { MetricValue } from './vocabulary/metrics.js';

/** Wide forms of the signs, too, which some spreadsheets take for the narrow ones. */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NEEDS_QUOTES = /[",;\t\r\n]/;
const REVENUE: readonly string[] = ['total_revenue', 'average_revenue'];
const TOTAL = 'Total';

type CellValue = string | number | null;

/** Text is a visitor's, numbers are ours; null is an empty cell. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CellValue[])[];
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
  const numbers = ({ metrics: values, comparison }: ReportTotals): readonly CellValue[] => [
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

function cellsOf(metric: string, value: MetricValue): readonly CellValue[] {
  const [amount, currency] =
    typeof value === 'object' ? [value?.value ?? null, value?.currency ?? null] : [value, null];
  return REVENUE.includes(metric) ? [amount, currency] : [amount];
}

export function tableToCsv({ columns, rows }: Table): string {
  const lines = rows.map((row) => row.map((value) => (typeof value === 'string' ? cell(value) : value)));
  return [columns.map(cell), ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

function cell(text: string): string {
  const safe = LOOKS_LIKE_FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
