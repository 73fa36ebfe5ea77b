// Requests of the Data API as they arrive. One schema each gives the check, the type and the OpenAPI
// description. As in all JSON of protocol buffers, enums may be numbers or names, 64-bit integers
// numbers or text; the schema settles both, and proto-json.ts what fields are called. What it does not know it refuses, naming the path.
import { z } from 'zod';
import { Problem } from '../../../../http/problem.js';
import { FILTER_LEAVES_MAX } from '../../request/cost.js';
import { EXPRESSION_CHARS_MAX } from './metric-expression.js';
import { fieldsInCamelCase } from './proto-json.js';

const DIMENSIONS_MAX = 9;
const METRICS_MAX = 10;
const DATE_RANGES_MAX = 4;
const MINUTE_RANGES_MAX = 2;
const BATCH_MAX = 5;
const NAME_CHARS_MAX = 330;
const ROWS_DEFAULT = 10_000;
const ROWS_MAX = 250_000;

/** By number or by name. The number 0 is "not said". */
function enumeration<const T extends Readonly<Record<string, number>>>(members: T) {
  type Name = Extract<keyof T, string>;
  const names = Object.keys(members) as [Name, ...Name[]];
  const byNumber = new Map(names.map((name): [number, Name] => [members[name]!, name]));
  return z
    .union([z.enum(names), z.literal(Object.values(members))], `must be one of ${names.join(', ')}`)
    .transform((value): Name => (typeof value === 'number' ? byNumber.get(value)! : (value as Name)));
}

const MATCH_TYPES = {
  MATCH_TYPE_UNSPECIFIED: 0,
  EXACT: 1,
  BEGINS_WITH: 2,
  ENDS_WITH: 3,
  CONTAINS: 4,
  FULL_REGEXP: 5,
  PARTIAL_REGEXP: 6,
} as const;
export type MatchType = keyof typeof MATCH_TYPES;

const OPERATIONS = {
  OPERATION_UNSPECIFIED: 0,
  EQUAL: 1,
  LESS_THAN: 2,
  LESS_THAN_OR_EQUAL: 3,
  GREATER_THAN: 4,
  GREATER_THAN_OR_EQUAL: 5,
} as const;
export type NumericOperation = keyof typeof OPERATIONS;

const ORDER_TYPES = {
  ORDER_TYPE_UNSPECIFIED: 0,
  ALPHANUMERIC: 1,
  CASE_INSENSITIVE_ALPHANUMERIC: 2,
  NUMERIC: 3,
} as const;

const AGGREGATIONS = {
  METRIC_AGGREGATION_UNSPECIFIED: 0,
  TOTAL: 1,
  COUNT: 4,
  MINIMUM: 5,
  MAXIMUM: 6,
} as const;
export type Aggregation = keyof typeof AGGREGATIONS;

const wholeNumber = z
  .union([z.int(), z.string().regex(/^-?\d{1,18}$/)], 'must be a whole number')
  .transform(Number);

const name = z.string().min(1, 'must not be empty').max(NAME_CHARS_MAX);

const numericValue = z
  .strictObject({ int64Value: wholeNumber.optional(), doubleValue: z.number().optional() })
  .refine((value) => Object.keys(value).length === 1, 'must hold int64Value or doubleValue')
  .transform(({ int64Value, doubleValue }) => (int64Value ?? doubleValue)!);

const stringFilter = z.strictObject({
  matchType: enumeration(MATCH_TYPES).default('EXACT'),
  value: z.string().default(''),
  caseSensitive: z.boolean().default(false),
});
const inListFilter = z.strictObject({
  values: z.array(z.string()).min(1, 'must name at least one value'),
  caseSensitive: z.boolean().default(false),
});
const numericFilter = z.strictObject({ operation: enumeration(OPERATIONS), value: numericValue });
const betweenFilter = z.strictObject({ fromValue: numericValue, toValue: numericValue });

const leaf = z
  .strictObject({
    fieldName: name,
    stringFilter: stringFilter.optional(),
    inListFilter: inListFilter.optional(),
    numericFilter: numericFilter.optional(),
    betweenFilter: betweenFilter.optional(),
    emptyFilter: z.strictObject({}).optional(),
  })
  .refine(
    (filter) => Object.keys(filter).length === 2,
    'must hold one of stringFilter, inListFilter, numericFilter, betweenFilter, emptyFilter',
  );
export type LeafFilter = z.output<typeof leaf>;

export type FilterTree =
  | { readonly kind: 'leaf'; readonly leaf: LeafFilter }
  | { readonly kind: 'and' | 'or'; readonly trees: readonly FilterTree[] }
  | { readonly kind: 'not'; readonly tree: FilterTree };

const group = (kind: 'and' | 'or') =>
  z
    .strictObject({ expressions: z.array(z.lazy(() => filterExpression)).min(1) })
    .transform(({ expressions }): FilterTree => ({ kind, trees: expressions }));

const FORMS: Readonly<Record<string, z.ZodType<FilterTree>>> = {
  andGroup: group('and'),
  orGroup: group('or'),
  notExpression: z.lazy(() => filterExpression).transform((tree): FilterTree => ({ kind: 'not', tree })),
  filter: leaf.transform((leaf): FilterTree => ({ kind: 'leaf', leaf })),
};

/** The key chooses the form, so that a mistake is reported where it is. */
const filterExpression: z.ZodType<FilterTree> = z.unknown().transform((raw, context): FilterTree => {
  const keys = typeof raw === 'object' && raw !== null ? Object.keys(raw) : [];
  const form = keys.length === 1 ? FORMS[keys[0]!] : undefined;
  if (form === undefined) {
    const message = 'must hold one of andGroup, orGroup, notExpression, filter';
    context.issues.push({ code: 'custom', input: raw, path: [], message });
    return z.NEVER;
  }
  const parsed = form.safeParse((raw as Record<string, unknown>)[keys[0]!]);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    context.issues.push({ ...issue, path: [keys[0]!, ...issue.path], input: raw } as never);
  }
  return z.NEVER;
});

const filter = filterExpression
  .refine(
    (tree) => leavesOf(tree).length <= FILTER_LEAVES_MAX,
    `must hold at most ${FILTER_LEAVES_MAX} filters`,
  )
  .meta({
    description: 'One of andGroup, orGroup (`{"expressions": [...]}`), notExpression and filter.',
    examples: [
      {
        filter: { fieldName: 'country', inListFilter: { values: ['Germany', 'Austria'] } },
      },
    ],
  });

export function leavesOf(tree: FilterTree): readonly LeafFilter[] {
  if (tree.kind === 'leaf') return [tree.leaf];
  return tree.kind === 'not' ? leavesOf(tree.tree) : tree.trees.flatMap(leavesOf);
}

const caseExpression = z.strictObject({ dimensionName: name });
const dimensionExpression = z
  .strictObject({
    lowerCase: caseExpression.optional(),
    upperCase: caseExpression.optional(),
    concatenate: z
      .strictObject({
        dimensionNames: z.array(name).min(1).max(DIMENSIONS_MAX),
        delimiter: z.string().max(100).default(''),
      })
      .optional(),
  })
  .refine((value) => Object.keys(value).length === 1, 'must hold one of lowerCase, upperCase, concatenate');
export type DimensionExpression = z.output<typeof dimensionExpression>;

const dimension = z.strictObject({ name, dimensionExpression: dimensionExpression.optional() });
export type RequestedDimension = z.output<typeof dimension>;

const metric = z.strictObject({
  name,
  expression: z.string().max(EXPRESSION_CHARS_MAX).optional(),
  invisible: z.boolean().default(false),
});
export type RequestedMetric = z.output<typeof metric>;

const orderBy = z
  .strictObject({
    metric: z.strictObject({ metricName: name }).optional(),
    dimension: z
      .strictObject({ dimensionName: name, orderType: enumeration(ORDER_TYPES).default('ALPHANUMERIC') })
      .optional(),
    desc: z.boolean().default(false),
  })
  .refine(
    ({ metric, dimension }) => (metric === undefined) !== (dimension === undefined),
    'must hold metric or dimension',
  );
export type RequestedOrder = z.output<typeof orderBy>;

const rangeName = z
  .string()
  .max(NAME_CHARS_MAX)
  .refine((text) => !/^(date_range_|RESERVED_)/.test(text), 'must not begin with date_range_ or RESERVED_')
  .default('');

const dateRange = z
  .strictObject({ startDate: z.string(), endDate: z.string(), name: rangeName })
  .meta({ examples: [{ startDate: '7daysAgo', endDate: 'yesterday' }] });
export type RequestedDateRange = z.output<typeof dateRange>;

const minutes = wholeNumber.refine((value) => value >= 0 && value <= 29, 'must be from 0 to 29');
const minuteRange = z
  .strictObject({
    startMinutesAgo: minutes.default(29),
    endMinutesAgo: minutes.default(0),
    name: rangeName,
  })
  .refine(
    ({ startMinutesAgo, endMinutesAgo }) => startMinutesAgo >= endMinutesAgo,
    'must not end before it starts',
  );
export type RequestedMinuteRange = z.output<typeof minuteRange>;

const withoutRepeats = (values: readonly { readonly name: string }[]): boolean =>
  new Set(values.map(({ name }) => name)).size === values.length;

const table = {
  property: z.string().optional(),
  dimensions: z
    .array(dimension)
    .max(DIMENSIONS_MAX, `must hold at most ${DIMENSIONS_MAX} dimensions`)
    .refine(withoutRepeats, 'must not name a dimension twice')
    .default([]),
  metrics: z
    .array(metric)
    .max(METRICS_MAX, `must hold at most ${METRICS_MAX} metrics`)
    .refine(withoutRepeats, 'must not name a metric twice')
    .default([]),
  dimensionFilter: filter.optional(),
  metricFilter: filter.optional(),
  limit: wholeNumber
    .refine((limit) => limit >= 0, 'must not be negative')
    // 0 is what protocol buffers send for "not said".
    .transform((limit) => (limit === 0 ? ROWS_DEFAULT : Math.min(limit, ROWS_MAX)))
    .default(ROWS_DEFAULT),
  metricAggregations: z.array(enumeration(AGGREGATIONS)).default([]),
  orderBys: z
    .array(orderBy)
    .max(DIMENSIONS_MAX + METRICS_MAX)
    .default([]),
  returnPropertyQuota: z.boolean().default(false),
};

export const reportRequestSchema = z.strictObject({
  ...table,
  dateRanges: z
    .array(dateRange, 'must hold a date range')
    .min(1, 'must hold a date range')
    .max(DATE_RANGES_MAX, `must hold at most ${DATE_RANGES_MAX} date ranges`),
  offset: wholeNumber.refine((offset) => offset >= 0, 'must not be negative').default(0),
  currencyCode: z.string().default(''),
  keepEmptyRows: z.boolean().default(false),
});
export type Ga4ReportRequest = z.output<typeof reportRequestSchema>;

export const realtimeRequestSchema = z.strictObject({
  ...table,
  minuteRanges: z
    .array(minuteRange)
    .max(MINUTE_RANGES_MAX, `must hold at most ${MINUTE_RANGES_MAX} minute ranges`)
    .default([]),
});

export const batchRequestSchema = z.strictObject({
  property: z.string().optional(),
  requests: z.array(reportRequestSchema).max(BATCH_MAX, `must hold at most ${BATCH_MAX} reports`).default([]),
});

/** @throws Problem 400 naming what is wrong. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(fieldsInCamelCase(body) ?? {});
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not answered here' }))
      : [{ path: issue.path, message: issue.message }],
  );
  const fields = errors.map(({ path, message }) => ({ path: pathText(path), message }));
  throw Problem.badRequest(fields.map(({ path, message }) => `${path} ${message}`.trim()).join('; '), fields);
}

/** `dimensions[0].name` */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
