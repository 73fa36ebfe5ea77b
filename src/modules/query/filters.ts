// Filter trees: their form on the wire, and the SQL predicates made of them. A predicate sees the
// text that an answer would show, so `Direct / None` and `(not set)` can be filtered on, and no
// comparison is ever null.
import { z } from 'zod';
import { isEventDimension, VALUE_DIMENSIONS, type ValueDimension } from './dimensions.js';
import { patternForPostgres } from './regular-expression.js';
import type { SqlParameters } from './sql-parameters.js';

const OPERATORS = ['is', 'is_not', 'contains', 'contains_not', 'matches', 'matches_not'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Comparison {
  readonly kind: 'comparison';
  readonly operator: Operator;
  readonly dimension: ValueDimension;
  readonly values: readonly string[];
  readonly caseSensitive: boolean;
}
export type Filter =
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter };

const FORMS: readonly unknown[] = [...OPERATORS, 'and', 'or', 'not'];

const comparisonOptions = z.strictObject({ case_sensitive: z.boolean().default(true) });
const text = z.string().refine((value) => !value.includes('\0'), 'must not contain the character U+0000');

const comparison = z
  .tuple([
    z.enum(OPERATORS),
    z.enum(VALUE_DIMENSIONS as readonly [ValueDimension, ...ValueDimension[]]),
    z.array(text).min(1, 'must name at least one value'),
    comparisonOptions.optional(),
  ])
  .superRefine(([operator, , values], context) => {
    if (operator !== 'matches' && operator !== 'matches_not') return;
    for (const [index, value] of values.entries()) {
      const checked = patternForPostgres(value);
      if (checked.outcome === 'refused') {
        context.addIssue({ code: 'custom', path: [2, index], message: checked.reason });
      }
    }
  })
  .transform(([operator, dimension, values, options]): Filter => ({
    kind: 'comparison',
    operator,
    dimension,
    values,
    caseSensitive: options?.case_sensitive ?? true,
  }));

const several = z
  .tuple([z.enum(['and', 'or']), z.array(z.lazy(() => filterSchema)).min(1, 'must hold at least one filter')])
  .transform(([kind, filters]): Filter => ({ kind, filters }));

const negation = z
  .tuple([z.literal('not'), z.lazy(() => filterSchema)])
  .transform(([kind, filter]): Filter => ({ kind, filter }));

/** The operator chooses the form, so that a mistake is reported where it is and not as "no form matches". */
export const filterSchema: z.ZodType<Filter> = z.unknown().transform((raw, context): Filter => {
  const operator: unknown = Array.isArray(raw) ? raw[0] : undefined;
  if (!FORMS.includes(operator)) {
    const path = Array.isArray(raw) ? [0] : [];
    context.issues.push({
      code: 'custom',
      input: raw,
      path,
      message: `must begin with one of ${FORMS.join(', ')}`,
    });
    return z.NEVER;
  }
  const form = operator === 'not' ? negation : operator === 'and' || operator === 'or' ? several : comparison;
  const parsed = form.safeParse(raw);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: raw } as never);
  return z.NEVER;
});

export type WireFilter = readonly unknown[];

export function filterToWire(filter: Filter): WireFilter {
  if (filter.kind === 'not') return ['not', filterToWire(filter.filter)];
  if (filter.kind !== 'comparison') return [filter.kind, filter.filters.map(filterToWire)];
  const { operator, dimension, values, caseSensitive } = filter;
  return caseSensitive
    ? [operator, dimension, values]
    : [operator, dimension, values, { case_sensitive: false }];
}

export function comparisonsOf(filter: Filter): readonly Comparison[] {
  if (filter.kind === 'comparison') return [filter];
  if (filter.kind === 'not') return comparisonsOf(filter.filter);
  return filter.filters.flatMap(comparisonsOf);
}

/** Whether one session can have events on either side of the filter. */
export const isEventFilter = (filter: Filter): boolean =>
  comparisonsOf(filter).some(({ dimension }) => isEventDimension(dimension));

/** The SQL predicate of a tree; `predicateOf` says how one comparison reads where the tree is used. */
export function treeSql(filter: Filter, predicateOf: (comparison: Comparison) => string): string {
  if (filter.kind === 'comparison') return predicateOf(filter);
  if (filter.kind === 'not') return `NOT (${treeSql(filter.filter, predicateOf)})`;
  const joined = filter.filters.map((inner) => `(${treeSql(inner, predicateOf)})`);
  return joined.join(filter.kind === 'and' ? ' AND ' : ' OR ');
}

/** `expression` is the SQL of the comparison's dimension: text, never null. */
export function comparisonSql(
  { operator, values, caseSensitive }: Comparison,
  expression: string,
  parameters: SqlParameters,
): string {
  const any = (patterns: readonly string[]) => `ANY(${parameters.add(patterns, 'text[]')})`;
  const like = caseSensitive ? 'LIKE' : 'ILIKE';
  switch (operator) {
    case 'is':
      return caseSensitive
        ? `${expression} = ${values.length === 1 ? parameters.add(values[0], 'text') : any(values)}`
        : `${expression} ILIKE ${any(values.map(likeLiteral))}`;
    case 'contains':
      return `${expression} ${like} ${any(values.map((value) => `%${likeLiteral(value)}%`))}`;
    case 'matches':
      return `${expression} ${caseSensitive ? '~' : '~*'} ${any(patternsOf(values))}`;
    case 'is_not':
    case 'contains_not':
    case 'matches_not': {
      const positive = operator.slice(0, -'_not'.length) as 'is' | 'contains' | 'matches';
      const inner = { kind: 'comparison', operator: positive, values, caseSensitive } as Comparison;
      return `NOT (${comparisonSql(inner, expression, parameters)})`;
    }
  }
}

export interface PlacedPattern {
  readonly pattern: string;
  /** Where the request has it. */
  readonly path: string;
}

/** The regular expressions of a tree in PostgreSQL's dialect. */
export function patternsOfTree(filter: Filter, path: string): readonly PlacedPattern[] {
  if (filter.kind === 'not') return patternsOfTree(filter.filter, `${path}[1]`);
  if (filter.kind !== 'comparison') {
    return filter.filters.flatMap((inner, index) => patternsOfTree(inner, `${path}[1][${index}]`));
  }
  if (filter.operator !== 'matches' && filter.operator !== 'matches_not') return [];
  return patternsOf(filter.values).map((pattern, index) => ({ pattern, path: `${path}[2][${index}]` }));
}

function patternsOf(values: readonly string[]): readonly string[] {
  return values.map((value) => {
    const checked = patternForPostgres(value);
    if (checked.outcome === 'refused')
      throw new Error(`A refused pattern passed the schema: ${checked.reason}`);
    return checked.pattern;
  });
}

const likeLiteral = (value: string): string => value.replace(/[\\%_]/g, '\\$&');
