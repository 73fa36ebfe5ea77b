import { nativeFilter } from './dimension-filter.js';
import type { FilterTree } from './ga4-request.js';

const text = (
  fieldName: string,
  value: string,
  { matchType = 'EXACT', caseSensitive = true }: { matchType?: string; caseSensitive?: boolean } = {},
) => ({ kind: 'leaf', leaf: { fieldName, stringFilter: { matchType, value, caseSensitive } } }) as FilterTree;

const native = (tree: FilterTree) => {
  const outcome = nativeFilter(tree, 'core');
  return outcome.outcome === 'refused' ? outcome.reason : outcome.filter;
};

it.each([
  ['EXACT', ['is', 'event:page', ['/a.b']]],
  ['CONTAINS', ['contains', 'event:page', ['/a.b']]],
  ['BEGINS_WITH', ['matches', 'event:page', ['^/a\\.b']]],
  ['ENDS_WITH', ['matches', 'event:page', ['/a\\.b$']]],
  ['FULL_REGEXP', ['matches', 'event:page', ['^(?:/a.b)$']]],
  ['PARTIAL_REGEXP', ['matches', 'event:page', ['/a.b']]],
])('says %s natively', (matchType, filter) => {
  expect(native(text('pagePath', '/a.b', { matchType }))).toEqual(filter);
});

it('ignores case unless told otherwise', () => {
  expect(native(text('pagePath', '/A', { caseSensitive: false }))).toEqual([
    'is',
    'event:page',
    ['/A'],
    { case_sensitive: false },
  ]);
});

it('finds values by the names that are shown, and only by them', () => {
  const others = [
    'and',
    [
      ['is', 'visit:source', ['(direct)']],
      ['is_not', 'visit:source', ['Direct / None']],
    ],
  ];
  expect(native(text('sessionSource', '(direct)'))).toEqual([
    'or',
    [['is', 'visit:source', ['Direct / None']], others],
  ]);
  expect(native(text('sessionSource', 'Direct / None'))).toEqual([
    'and',
    [
      ['is', 'visit:source', ['Direct / None']],
      ['is_not', 'visit:source', ['Direct / None']],
    ],
  ]);
});

it('takes nothing set for empty', () => {
  const empty = (fieldName: string) => native({ kind: 'leaf', leaf: { fieldName, emptyFilter: {} } });
  expect(empty('city')).toEqual(['is', 'visit:city_name', ['(not set)', '']]);
  expect(empty('customEvent:plan')).toEqual([
    'or',
    [
      ['is', 'event:props:plan', ['(none)']],
      [
        'and',
        [
          ['is', 'event:props:plan', ['(not set)', '']],
          ['is_not', 'event:props:plan', ['(none)']],
        ],
      ],
    ],
  ]);
});

it('keeps the form of a tree', () => {
  const page = text('pagePath', '/');
  expect(
    native({ kind: 'or', trees: [page, { kind: 'not', tree: { kind: 'and', trees: [page, page] } }] }),
  ).toEqual([
    'or',
    [
      ['is', 'event:page', ['/']],
      [
        'not',
        [
          'and',
          [
            ['is', 'event:page', ['/']],
            ['is', 'event:page', ['/']],
          ],
        ],
      ],
    ],
  ]);
});

it.each([
  ['pageTitle', 'pageTitle is not a dimension that is answered here'],
  ['dateHour', 'give the days as dateRanges'],
  ['operatingSystemWithVersion', 'filter on operatingSystem and operatingSystemVersion'],
])('refuses to filter on %s', (fieldName, reason) => {
  expect(native(text(fieldName, 'x'))).toContain(reason);
});

it('asks days as they are written natively, and parts of them not at all', () => {
  expect(native(text('date', '20261109'))).toEqual(['is', 'event:date', ['2026-11-09']]);
  expect(native(text('date', '202611', { matchType: 'BEGINS_WITH' }))).toContain('EXACT or inListFilter');
});
