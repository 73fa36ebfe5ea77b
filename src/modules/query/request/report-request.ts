// A query as it arrives: one schema gives the check, the type and the OpenAPI description. What it
// does not know it refuses, naming the path.
import { z } from 'zod';
import { LIMIT_MAX, refuseOversized } from './cost.js';
import { COMPARISON_KINDS, type ComparisonKind } from './comparison.js';
import { DATE_RANGE_FORMS, isDateRangeForm, isDateRangeEnds } from './date-range.js';
import {
  isRequestDimension,
  PROPERTY_NAME_CHARS_MAX,
  REQUEST_DIMENSIONS,
  type RequestDimension,
  TIME_DIMENSIONS,
} from '../vocabulary/dimensions.js';
import { filterSchema } from './filters.js';
import { isMetric, type Metric, METRICS } from '../vocabulary/metrics.js';
import { parsedBy } from './parsed-by.js';
import { WEEK_STARTS } from '../../../events/site.events.js';

const withoutRepeats = <T>(values: readonly T[]): boolean => new Set(values).size === values.length;

const PROPERTY = `event:props: and a name of at most ${PROPERTY_NAME_CHARS_MAX} characters`;

const dimension = z
  .custom<RequestDimension>(
    (name) => typeof name === 'string' && isRequestDimension(name),
    `must be one of ${REQUEST_DIMENSIONS.join(', ')}, or ${PROPERTY}`,
  )
  .meta({ type: 'string', description: `One of ${REQUEST_DIMENSIONS.join(', ')}, or ${PROPERTY}.` });

const orderable = z
  .custom<Metric | RequestDimension>(
    (name) => typeof name === 'string' && (isMetric(name) || isRequestDimension(name)),
    'must be a metric or a dimension',
  )
  .meta({ type: 'string', description: 'A metric or a dimension of the query.' });

const dateRange = z
  .custom<string | readonly [string, string]>(isDateRangeForm, `must be ${DATE_RANGE_FORMS}`)
  .meta({
    description: `${DATE_RANGE_FORMS}. Dates are days of the site's time zone, both included; of two date-times the second is excluded.`,
    examples: ['30d', ['2026-11-01', '2026-11-20']],
  });

type CompareForm = ComparisonKind | readonly [string, string];

const isCompareForm = (form: unknown): form is CompareForm =>
  isDateRangeEnds(form) || COMPARISON_KINDS.some((kind) => kind === form);

const compare = z
  .custom<CompareForm>(
    isCompareForm,
    `must be ${COMPARISON_KINDS.join(', ')}, or [from, to] as two dates or two date-times with offset`,
  )
  .meta({
    description:
      'Each row then has `comparison`, its metrics in the other range and their change: percent, or points of `bounce_rate` and conversion rates. Rows are matched by their dimensions, time by its place in the range.',
    examples: [...COMPARISON_KINDS, ['2025-11-01', '2025-11-20']],
  });

const include = z
  .strictObject({
    time_labels: z.boolean().default(false).meta({ description: 'All buckets in `meta.time_labels`.' }),
    total_rows: z.boolean().default(false).meta({ description: '`meta.total_rows`, of all pages.' }),
    bots: z.boolean().default(false),
    totals: z
      .boolean()
      .default(false)
      .meta({ description: '`meta.totals`: the metrics of the whole range, without dimensions.' }),
    fill: z
      .boolean()
      .default(false)
      .meta({ description: 'Rows for buckets without visits, too. Needs one time dimension and no other.' }),
    compare: compare.optional(),
    compare_match_day_of_week: z
      .boolean()
      .default(false)
      .meta({ description: 'Shifts what is compared with so that it begins on the same day of the week.' }),
    trim_relative_date_range: z
      .boolean()
      .default(false)
      .meta({ description: 'Ends day, month, year and all with the present hour.' }),
    imports: z
      .boolean()
      .default(false)
      .meta({ description: 'Changes nothing: imported events are events like any other.' }),
  })
  .prefault({});

const filters = z.array(filterSchema).meta({
  description:
    'Trees, all of which must hold: `[operator, dimension, [values], {"case_sensitive": false}]` with the operators is, is_not, contains, contains_not, matches, matches_not; `["and", [filters]]`, `["or", [filters]]`, `["not", filter]`; of the whole session `["has_done", filter]`, `["has_not_done", filter]`; `["is", "segment", [ids]]` for saved filters.',
  examples: [[['is', 'visit:country', ['DE', 'AT']]]],
});

export const weekStartSchema = z
  .enum(WEEK_STARTS)
  .optional()
  .meta({ description: "With which day weeks begin. Default: the site's `weekStart`." });

export const reportRequestSchema = z.strictObject({
  metrics: z
    .array(z.enum(METRICS))
    .min(1, 'must name at least one metric')
    .refine(withoutRepeats, 'must not name a metric twice'),
  date_range: dateRange,
  dimensions: z
    .array(dimension)
    .refine(withoutRepeats, 'must not name a dimension twice')
    .refine(
      (names) => names.filter((name) => name === 'time' || isTime(name)).length <= 1,
      'must hold at most one time dimension',
    )
    .default([]),
  filters: filters.default([]),
  order_by: z
    .array(z.tuple([orderable, z.enum(['asc', 'desc'])]))
    .refine((order) => withoutRepeats(order.map(([name]) => name)), 'must not order by the same name twice')
    .optional(),
  include,
  week_start: weekStartSchema,
  pagination: z
    .strictObject({
      limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT_MAX),
      offset: z.int().min(0).max(1_000_000_000).default(0),
    })
    .prefault({}),
});
export type ReportRequest = z.output<typeof reportRequestSchema>;

/** @throws Problem 400 naming every path that is wrong, 422 where the request is too large to look at. */
export function parseReportRequest(body: unknown): ReportRequest {
  refuseOversized(body);
  return parsedBy(reportRequestSchema, body);
}

const isTime = (name: string): boolean => (TIME_DIMENSIONS as readonly string[]).includes(name);
