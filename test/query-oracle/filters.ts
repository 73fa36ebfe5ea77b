// Filter trees as predicates over one event of one visit, or over a visit alone.
export type WireFilter = readonly unknown[];

/** What is asked: the event or the visit that a tree looks at. */
export interface Looked {
  /** What a dimension says of it. */
  values(dimension: string): readonly string[];
  /** Whether the visit has an event that passes. */
  hasDone(filter: WireFilter): boolean;
  segment(id: string): readonly WireFilter[];
}

type Operator = 'is' | 'contains' | 'matches';

export function passes(filter: WireFilter, looked: Looked): boolean {
  const [operator, operand] = filter as [string, never];
  if (operator === 'not') return !passes(operand, looked);
  if (operator === 'and') return (operand as WireFilter[]).every((inner) => passes(inner, looked));
  if (operator === 'or') return (operand as WireFilter[]).some((inner) => passes(inner, looked));
  if (operator === 'has_done') return looked.hasDone(operand);
  if (operator === 'has_not_done') return !looked.hasDone(operand);
  const [name, dimension, values, options] = filter as [
    string,
    string,
    string[],
    { case_sensitive?: boolean }?,
  ];
  if (dimension === 'segment') {
    return values.some((id) => looked.segment(id).every((inner) => passes(inner, looked)));
  }
  const negated = name.endsWith('_not');
  const kind = (negated ? name.slice(0, -'_not'.length) : name) as Operator;
  const exact = options?.case_sensitive ?? true;
  const texts = looked.values(dimension);
  const found = texts.some((text) => values.some((value) => COMPARE[kind](text, value, exact)));
  return found !== negated;
}

const COMPARE: Readonly<Record<Operator, (text: string, value: string, exact: boolean) => boolean>> = {
  is: (text, value, exact) => (exact ? text === value : lower(text) === lower(value)),
  contains: (text, value, exact) => (exact ? text.includes(value) : lower(text).includes(lower(value))),
  matches: (text, value, exact) => new RegExp(value, exact ? 'su' : 'isu').test(text),
};

/** Letter by letter, so that no letter becomes two. */
const lower = (text: string): string =>
  Array.from(text, (letter) => {
    const low = letter.toLowerCase();
    return low.length === letter.length ? low : letter;
  }).join('');

/** Those asked of the event or visit itself: not those of what it has done. */
export function dimensionsOf(
  filter: WireFilter,
  segments: ReadonlyMap<string, readonly WireFilter[]>,
): readonly string[] {
  const [operator, operand, values] = filter as [string, never, string[]];
  const inside = (filters: readonly WireFilter[]) =>
    filters.flatMap((inner) => dimensionsOf(inner, segments));
  if (operator === 'and' || operator === 'or') return inside(operand);
  if (operator === 'not') return inside([operand]);
  if (operator === 'has_done' || operator === 'has_not_done') return [];
  return operand === 'segment' ? values.flatMap((id) => inside(segments.get(id) ?? [])) : [operand];
}

/** Those of what visits have done, too. */
export function everyDimensionOf(
  filter: WireFilter,
  segments: ReadonlyMap<string, readonly WireFilter[]>,
): readonly string[] {
  const [operator, operand] = filter as [string, never];
  if (operator === 'has_done' || operator === 'has_not_done') return everyDimensionOf(operand, segments);
  if (operator === 'not') return everyDimensionOf(operand, segments);
  if (operator !== 'and' && operator !== 'or') return dimensionsOf(filter, segments);
  return (operand as WireFilter[]).flatMap((inner) => everyDimensionOf(inner, segments));
}

export const isOfConversions = (dimension: string): boolean =>
  dimension === 'event:goal' || dimension.startsWith('event:props:');

const ALWAYS: WireFilter = ['and', []];
const NEVER: WireFilter = ['or', []];

/** As if every comparison of goals and properties held, wherever in the tree it stands. */
export function withoutConversions(filter: WireFilter, holds: boolean = true): WireFilter {
  const [operator, operand] = filter as [string, never];
  if (operator === 'not') return ['not', withoutConversions(operand, !holds)];
  if (operator === 'and' || operator === 'or') {
    return [operator, (operand as WireFilter[]).map((inner) => withoutConversions(inner, holds))];
  }
  if (operator === 'has_done' || operator === 'has_not_done' || !isOfConversions(operand)) return filter;
  return holds ? ALWAYS : NEVER;
}

export interface Named {
  readonly names: readonly string[];
  /** Whether events that reach the goal are wanted, and not those that do not. */
  readonly wanted: boolean;
}

/** The goals of `known` that comparisons name, what visits have done aside. */
export function goalsNamed(filter: WireFilter, known: readonly string[], positive = true): readonly Named[] {
  const [operator, operand, values] = filter as [string, never, string[]];
  if (operator === 'not') return goalsNamed(operand, known, !positive);
  if (operator === 'and' || operator === 'or') {
    return (operand as WireFilter[]).flatMap((inner) => goalsNamed(inner, known, positive));
  }
  if (operand !== 'event:goal') return [];
  const fits = (name: string) =>
    values.some((value) => (operator === 'contains' ? name.includes(value) : name === value));
  return [{ names: known.filter(fits), wanted: positive === (operator !== 'is_not') }];
}
