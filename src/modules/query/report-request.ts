// A query as it arrives: one schema gives the check, the type and the OpenAPI description. What it
// does not know it refuses, naming the path.
import { z } from 'zod';
import { Problem, type ProblemField } from '../../http/problem.js';
import { LIMIT_MAX, refuseOversized } from './cost.js';
import { DATE_RANGE_FORMS, isDateRangeForm } from './date-range.js';
import { REQUEST_DIMENSIONS, TIME_DIMENSIONS } from './dimensions.js';
import { filterSchema } from './filters.js';
import { METRICS } from './metrics.js';

const withoutRepeats = <T>(values: readonly T[]): boolean => new Set(values).size === values.length;

const ORDERABLE = [...METRICS, ...REQUEST_DIMENSIONS] as const;

const dateRange = z
  .custom<string | readonly [string, string]>(isDateRangeForm, `must be ${DATE_RANGE_FORMS}`)
  .meta({
    description: `${DATE_RANGE_FORMS}. Dates are days of the site's time zone, both included; of two date-times the second is excluded.`,
    examples: ['30d', ['2026-11-01', '2026-11-20']],
  });

const filters = z.array(filterSchema).meta({
  description:
    'Trees, all of which must hold: `[operator, dimension, [values], {"case_sensitive": false}]` with the operators is, is_not, contains, contains_not, matches, matches_not; `["and", [filters]]`, `["or", [filters]]`, `["not", filter]`.',
  examples: [[['is', 'visit:country', ['DE', 'AT']]]],
});

export const reportRequestSchema = z.strictObject({
  metrics: z
    .array(z.enum(METRICS))
    .min(1, 'must name at least one metric')
    .refine(withoutRepeats, 'must not name a metric twice'),
  date_range: dateRange,
  dimensions: z
    .array(z.enum(REQUEST_DIMENSIONS))
    .refine(withoutRepeats, 'must not name a dimension twice')
    .refine(
      (names) => names.filter((name) => name === 'time' || isTime(name)).length <= 1,
      'must hold at most one time dimension',
    )
    .default([]),
  filters: filters.default([]),
  order_by: z
    .array(z.tuple([z.enum(ORDERABLE), z.enum(['asc', 'desc'])]))
    .refine((order) => withoutRepeats(order.map(([name]) => name)), 'must not order by the same name twice')
    .optional(),
  include: z
    .strictObject({
      time_labels: z.boolean().default(false),
      total_rows: z.boolean().default(false),
      bots: z.boolean().default(false),
    })
    .prefault({}),
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
  const parsed = reportRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap(fieldsOf);
  const first = errors[0]!;
  throw Problem.badRequest(first.path === '' ? first.message : `${first.path}: ${first.message}`, errors);
}

function fieldsOf(issue: z.core.$ZodIssue): readonly ProblemField[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: 'there is no such key',
    }));
  }
  return [{ path: pathText(issue.path), message: issue.message }];
}

/** `filters[0][1]`, `pagination.limit`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

const isTime = (name: string): boolean => (TIME_DIMENSIONS as readonly string[]).includes(name);
