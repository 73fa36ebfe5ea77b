// A tree of metric filters as a predicate over the values of a row. It holds after the facts are
// counted, and may name metrics that the answer does not show. Pure.
import type { FilterTree, LeafFilter, NumericOperation } from './ga4-request.js';

export type RowTest = (valueOf: (metric: string) => number) => boolean;

export type RowTestOutcome =
  | { readonly outcome: 'test'; readonly test: RowTest }
  | { readonly outcome: 'refused'; readonly reason: string };

const COMPARE: Readonly<Partial<Record<NumericOperation, (value: number, bound: number) => boolean>>> = {
  EQUAL: (value, bound) => value === bound,
  LESS_THAN: (value, bound) => value < bound,
  LESS_THAN_OR_EQUAL: (value, bound) => value <= bound,
  GREATER_THAN: (value, bound) => value > bound,
  GREATER_THAN_OR_EQUAL: (value, bound) => value >= bound,
};

export function rowTest(tree: FilterTree): RowTestOutcome {
  if (tree.kind === 'leaf') return ofLeaf(tree.leaf);
  if (tree.kind === 'not') {
    const inner = rowTest(tree.tree);
    return inner.outcome === 'refused' ? inner : passing((valueOf) => !inner.test(valueOf));
  }
  const tests: RowTest[] = [];
  for (const one of tree.trees) {
    const inner = rowTest(one);
    if (inner.outcome === 'refused') return inner;
    tests.push(inner.test);
  }
  return passing(
    tree.kind === 'and'
      ? (valueOf) => tests.every((test) => test(valueOf))
      : (valueOf) => tests.some((test) => test(valueOf)),
  );
}

function ofLeaf({ fieldName, numericFilter, betweenFilter }: LeafFilter): RowTestOutcome {
  if (betweenFilter !== undefined) {
    const { fromValue, toValue } = betweenFilter;
    return passing((valueOf) => valueOf(fieldName) >= fromValue && valueOf(fieldName) <= toValue);
  }
  if (numericFilter === undefined) {
    return refused(`${fieldName} is a number: take numericFilter or betweenFilter`);
  }
  const compare = COMPARE[numericFilter.operation];
  if (compare === undefined) return refused(`${fieldName}: say which operation`);
  return passing((valueOf) => compare(valueOf(fieldName), numericFilter.value));
}

const passing = (test: RowTest): RowTestOutcome => ({ outcome: 'test', test });
const refused = (reason: string): RowTestOutcome => ({ outcome: 'refused', reason });
