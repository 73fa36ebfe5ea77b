// A tree of dimension filters as native ones. Filters see the values that GA4 shows: where it calls a
// value otherwise, the native values that are shown so are found first. Pure.
import type { FilterTree, LeafFilter } from './ga4-request.js';
import { stringMatcher, type StringTest } from './string-match.js';
import { dimensionOf, type NativeValues } from './dimension-vocabulary.js';
import type { ReportKind } from './described.js';

export type FilterOutcome =
  | { readonly outcome: 'filter'; readonly filter: NativeFilter }
  | { readonly outcome: 'refused'; readonly reason: string };

/** As native requests write it. */
export type NativeFilter = readonly unknown[];

const NOT_SET = '(not set)';
const PATTERN_SYNTAX = /[\\^$.*+?()[\]{}|]/g;

export function nativeFilter(tree: FilterTree, report: ReportKind): FilterOutcome {
  if (tree.kind === 'leaf') return ofLeaf(tree.leaf, report);
  if (tree.kind === 'not') {
    const inner = nativeFilter(tree.tree, report);
    return inner.outcome === 'refused' ? inner : filter(['not', inner.filter]);
  }
  const filters: NativeFilter[] = [];
  for (const one of tree.trees) {
    const inner = nativeFilter(one, report);
    if (inner.outcome === 'refused') return inner;
    filters.push(inner.filter);
  }
  return filter(filters.length === 1 ? filters[0]! : [tree.kind, filters]);
}

function ofLeaf(leaf: LeafFilter, report: ReportKind): FilterOutcome {
  const { fieldName } = leaf;
  const entry = dimensionOf(fieldName, report);
  if (entry === undefined) return refused(`${fieldName} is not a dimension that is answered here`);
  if (entry.kind === 'time' && entry.clock === null) {
    return refused(`${fieldName} cannot be filtered on: give the days as dateRanges, or filter on date`);
  }
  if (entry.kind === 'joined') {
    return refused(`${fieldName} cannot be filtered on: filter on ${entry.of.join(' and ')}`);
  }
  const test = testOf(leaf);
  if (test === undefined) return refused(`${fieldName} holds text: take stringFilter or inListFilter`);
  const onShown = onValues(test, entry.kind === 'time' ? entry.clock! : entry);
  return onShown.outcome === 'refused' ? refused(`${fieldName}: ${onShown.reason}`) : onShown;
}

function testOf({ stringFilter, inListFilter, emptyFilter }: LeafFilter): StringTest | undefined {
  if (stringFilter !== undefined) return { kind: 'match', ...stringFilter };
  if (inListFilter !== undefined) return { kind: 'list', ...inListFilter };
  if (emptyFilter !== undefined) return { kind: 'list', values: [NOT_SET, ''], caseSensitive: true };
  return undefined;
}

/** Renamed values are tested here, under the names that are shown; all others by the query. */
function onValues(test: StringTest, { native, renamed, toNative }: NativeValues): FilterOutcome {
  if (toNative !== undefined) return onWritten(test, native, toNative);
  const names = Object.keys(renamed);
  const plain = [...comparison(test, native), ...(test.caseSensitive ? [] : [{ case_sensitive: false }])];
  if (names.length === 0) return filter(plain);
  const matcher = stringMatcher(test);
  if (matcher.outcome === 'refused') return matcher;
  const matching = names.filter((name) => matcher.matches(renamed[name]!));
  const others = ['and', [plain, ['is_not', native, names]]];
  return filter(matching.length === 0 ? others : ['or', [['is', native, matching], others]]);
}

/** Parts of a value are not parts of the native one. */
function onWritten(test: StringTest, native: string, toNative: (value: string) => string): FilterOutcome {
  if (test.kind === 'list') return filter(['is', native, test.values.map(toNative)]);
  const exact = test.matchType === 'EXACT' || test.matchType === 'MATCH_TYPE_UNSPECIFIED';
  return exact ? filter(['is', native, [toNative(test.value)]]) : refused('take EXACT or inListFilter');
}

function comparison(test: StringTest, native: string): NativeFilter {
  if (test.kind === 'list') return ['is', native, test.values];
  const { value } = test;
  switch (test.matchType) {
    case 'MATCH_TYPE_UNSPECIFIED':
    case 'EXACT':
      return ['is', native, [value]];
    case 'CONTAINS':
      return ['contains', native, [value]];
    case 'BEGINS_WITH':
      return ['matches', native, [`^${literal(value)}`]];
    case 'ENDS_WITH':
      return ['matches', native, [`${literal(value)}$`]];
    case 'FULL_REGEXP':
      return ['matches', native, [`^(?:${value})$`]];
    case 'PARTIAL_REGEXP':
      return ['matches', native, [value]];
  }
}

const literal = (text: string): string => text.replace(PATTERN_SYNTAX, '\\$&');

const filter = (native: NativeFilter): FilterOutcome => ({ outcome: 'filter', filter: native });
const refused = (reason: string): FilterOutcome => ({ outcome: 'refused', reason });
