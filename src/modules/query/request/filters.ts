// Filter trees: their form on the wire and what can be asked of them. What they mean in SQL is told by
// facts/filter-sql.ts. A filter sees the text that an answer would show, so `Direct / None` and
// `(not set)` can be filtered on.
import { z } from 'zod';
import {
  GOAL_DIMENSION,
  isEventDimension,
  isValueDimension,
  PROPERTY_NAME_CHARS_MAX,
  VALUE_DIMENSIONS,
  type ValueDimension,
} from '../vocabulary/dimensions.js';
import { patternForPostgres } from './regular-expression.js';
import { text } from './text.js';

const OPERATORS = ['is', 'is_not', 'contains', 'contains_not', 'matches', 'matches_not'] as const;
export type Operator = (typeof OPERATORS)[number];
const GOAL_OPERATORS: readonly Operator[] = ['is', 'is_not', 'contains'];

export interface Comparison {
  readonly kind: 'comparison';
  readonly operator: Operator;
  readonly dimension: ValueDimension;
  readonly values: readonly string[];
  readonly caseSensitive: boolean;
}
/** Of the whole session: some event of it within the range passes the filter, or none does. */
export interface Behaviour {
  readonly kind: 'has_done' | 'has_not_done';
  readonly filter: Filter;
}
/** Stands for a saved filter until that takes its place (segments.ts), before a query is normalised. */
export interface SegmentReference {
  readonly kind: 'segment';
  readonly ids: readonly string[];
}
export type Filter =
  | Comparison
  | Behaviour
  | SegmentReference
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter };

const FORMS: readonly unknown[] = [...OPERATORS, 'and', 'or', 'not', 'has_done', 'has_not_done'];

const comparisonOptions = z.strictObject({ case_sensitive: z.boolean().default(true) });

const dimension = z.custom<ValueDimension>(
  (name) => typeof name === 'string' && isValueDimension(name),
  `must be one of ${VALUE_DIMENSIONS.join(', ')}, or event:props: and a name of at most ${PROPERTY_NAME_CHARS_MAX} characters`,
);

const comparison = z
  .tuple([
    z.enum(OPERATORS),
    dimension,
    z.array(text).min(1, 'must name at least one value'),
    comparisonOptions.optional(),
  ])
  .superRefine(([operator, name, values], context) => {
    if (name === GOAL_DIMENSION && !GOAL_OPERATORS.includes(operator)) {
      const message = `must be one of ${GOAL_OPERATORS.join(', ')} for ${GOAL_DIMENSION}`;
      context.addIssue({ code: 'custom', path: [0], message });
    }
    if (operator !== 'matches' && operator !== 'matches_not') return;
    for (const [index, value] of values.entries()) {
      const checked = patternForPostgres(value);
      if (checked.outcome === 'refused') {
        context.addIssue({ code: 'custom', path: [2, index], message: checked.reason });
      }
    }
  })
  .transform(([operator, name, values, options]): Filter => ({
    kind: 'comparison',
    operator,
    dimension: name,
    values,
    caseSensitive: options?.case_sensitive ?? true,
  }));

const segmentId = z.union([text, z.int()], 'must be the id of a segment').transform(String);
const segment = z
  .tuple([z.literal('is'), z.literal('segment'), z.array(segmentId).min(1, 'must name at least one segment')])
  .transform(([, , ids]): Filter => ({ kind: 'segment', ids }));

const several = z
  .tuple([z.enum(['and', 'or']), z.array(z.lazy(() => filterSchema)).min(1, 'must hold at least one filter')])
  .transform(([kind, filters]): Filter => ({ kind, filters }));

const negation = z
  .tuple([z.literal('not'), z.lazy(() => filterSchema)])
  .transform(([kind, filter]): Filter => ({ kind, filter }));

const behaviour = z
  .tuple([z.enum(['has_done', 'has_not_done']), z.lazy(() => filterSchema)])
  .superRefine(([kind, filter], context) => {
    if (!holdsBehaviour(filter)) return;
    context.addIssue({
      code: 'custom',
      path: [1],
      message: `must not hold has_done or has_not_done in ${kind}`,
    });
  })
  .transform(([kind, filter]): Filter => ({ kind, filter }));

function formOf([operator, dimension]: readonly unknown[]): z.ZodType<Filter> {
  if (operator === 'not') return negation;
  if (operator === 'and' || operator === 'or') return several;
  if (operator === 'has_done' || operator === 'has_not_done') return behaviour;
  return dimension === 'segment' ? segment : comparison;
}

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
  const parsed = formOf(raw as readonly unknown[]).safeParse(raw);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: raw } as never);
  return z.NEVER;
});

export type WireFilter = readonly unknown[];

export function filterToWire(filter: Filter): WireFilter {
  if ('filters' in filter) return [filter.kind, filter.filters.map(filterToWire)];
  if (filter.kind === 'segment') return ['is', 'segment', filter.ids];
  if (filter.kind !== 'comparison') return [filter.kind, filterToWire(filter.filter)];
  const { operator, dimension, values, caseSensitive } = filter;
  return caseSensitive
    ? [operator, dimension, values]
    : [operator, dimension, values, { case_sensitive: false }];
}

/** A comparison, and where the request has it. */
export interface PlacedComparison {
  readonly comparison: Comparison;
  readonly path: string;
}

/** All comparisons of a tree, those inside has_done too. */
export function placedComparisons(filter: Filter, path: string): readonly PlacedComparison[] {
  if (filter.kind === 'comparison') return [{ comparison: filter, path }];
  if ('filters' in filter) {
    return filter.filters.flatMap((inner, index) => placedComparisons(inner, `${path}[1][${index}]`));
  }
  return filter.kind === 'segment' ? [] : placedComparisons(filter.filter, `${path}[1]`);
}

export const everyComparisonOf = (filter: Filter): readonly Comparison[] =>
  placedComparisons(filter, '').map(({ comparison }) => comparison);

/** The comparisons that are asked of each event or session itself: not those inside has_done. */
export function comparisonsOf(filter: Filter): readonly Comparison[] {
  if (filter.kind === 'comparison') return [filter];
  if ('filters' in filter) return filter.filters.flatMap(comparisonsOf);
  return filter.kind === 'not' ? comparisonsOf(filter.filter) : [];
}

function holdsBehaviour(filter: Filter): boolean {
  if (filter.kind === 'comparison') return false;
  if ('filters' in filter) return filter.filters.some(holdsBehaviour);
  if (filter.kind === 'not') return holdsBehaviour(filter.filter);
  return filter.kind !== 'segment';
}

/** Whether one session can have events on either side of the filter. */
export const isEventFilter = (filter: Filter): boolean =>
  comparisonsOf(filter).some(({ dimension }) => isEventDimension(dimension));

export interface PlacedPattern {
  readonly pattern: string;
  /** Where the request has it. */
  readonly path: string;
}

/** The regular expressions of a tree in PostgreSQL's dialect. */
export function patternsOfTree(filter: Filter, path: string): readonly PlacedPattern[] {
  return placedComparisons(filter, path).flatMap(({ comparison, path }) =>
    comparison.operator === 'matches' || comparison.operator === 'matches_not'
      ? patternsOf(comparison.values).map((pattern, index) => ({ pattern, path: `${path}[2][${index}]` }))
      : [],
  );
}

export function patternsOf(values: readonly string[]): readonly string[] {
  return values.map((value) => {
    const checked = patternForPostgres(value);
    if (checked.outcome === 'refused')
      throw new Error(`A refused pattern passed the schema: ${checked.reason}`);
    return checked.pattern;
  });
}
