import { stringMatcher, type StringTest } from './string-match.js';

const TEXTS = ['(direct)', 'smart tv', 'desktop', 'page_view'];

const passing = (test: StringTest) => {
  const outcome = stringMatcher(test);
  return outcome.outcome === 'refused' ? outcome.reason : TEXTS.filter(outcome.matches);
};

const match = (matchType: Extract<StringTest, { kind: 'match' }>['matchType'], value: string) =>
  passing({ kind: 'match', matchType, value, caseSensitive: false });

it('knows every kind of match', () => {
  expect(match('EXACT', 'DESKTOP')).toEqual(['desktop']);
  expect(match('BEGINS_WITH', 'Smart')).toEqual(['smart tv']);
  expect(match('ENDS_WITH', 'TV')).toEqual(['smart tv']);
  expect(match('CONTAINS', 'e_v')).toEqual(['page_view']);
  expect(match('FULL_REGEXP', 'des')).toEqual([]);
  expect(match('FULL_REGEXP', 'des.*')).toEqual(['desktop']);
  expect(match('PARTIAL_REGEXP', 'DES')).toEqual(['desktop']);
  expect(passing({ kind: 'list', values: ['Desktop', '(direct)'], caseSensitive: false })).toEqual([
    '(direct)',
    'desktop',
  ]);
  expect(passing({ kind: 'list', values: ['Desktop'], caseSensitive: true })).toEqual([]);
});

it('reads alternatives, whatever stands around them', () => {
  expect(match('FULL_REGEXP', 'a|b|c|d|e|f|g|h|desktop')).toEqual(['desktop']);
  expect(match('FULL_REGEXP', '[|]|\\||\\(direct\\)|(x|smart) tv')).toEqual(['(direct)', 'smart tv']);
});

it.each(['(.*)*(.*)*(.*)*(.*)*z', '(|)(|)(|)(|)(|)(|)(|)z', '((a?)?)?((a?)?)?(a?)?z'])(
  'refuses %s, which could be tried in very many ways',
  (pattern) => {
    expect(match('FULL_REGEXP', pattern)).toContain('at most 6');
  },
);

it('refuses what is no pattern', () => {
  expect(match('PARTIAL_REGEXP', '(')).toContain('not a regular expression');
});
