import { readFilters } from './v1-filters.js';

it.each([
  ['visit:source==Google', [['is', 'visit:source', ['Google']]]],
  ['visit:country!=FR', [['is_not', 'visit:country', ['FR']]]],
  ['visit:source==Github|Twitter', [['is', 'visit:source', ['Github', 'Twitter']]]],
  ['visit:browser!=Chrome|Safari', [['is_not', 'visit:browser', ['Chrome', 'Safari']]]],
  [
    'event:goal==Signup;visit:country==DE',
    [
      ['is', 'event:goal', ['Signup']],
      ['is', 'visit:country', ['DE']],
    ],
  ],
  [String.raw`visit:utm_campaign==campaign\|one`, [['is', 'visit:utm_campaign', ['campaign|one']]]],
  [
    String.raw`event:page==**post\|1|/else`,
    [['matches', 'event:page', [String.raw`^.*post\|1$`, '^/else$']]],
  ],
  ['event:page==/blog/**', [['matches', 'event:page', ['^/blog/.*$']]]],
  ['event:page!=/en/*', [['matches_not', 'event:page', ['^/en/.*$']]]],
  ['event:hostname==a*.example.com', [['matches', 'event:hostname', [String.raw`^a.*\.example\.com$`]]]],
  ['event:props:tier==F*|S*', [['matches', 'event:props:tier', ['^F.*$', '^S.*$']]]],
  [
    'event:page==/a+b(c)[d]{1}?^$*',
    [['matches', 'event:page', [String.raw`^/a\+b\(c\)\[d\]\{1\}\?\^\$.*$`]]],
  ],
  ['event:goal==Visit /blog**', [['is', 'event:goal', ['Visit /blog**']]]],
  ['event:goal==Signup|Visit /**register', [['is', 'event:goal', ['Signup', 'Visit /**register']]]],
  ['event:props:url==https://x.example/?a==b', [['is', 'event:props:url', ['https://x.example/?a==b']]]],
  ['event:props:a!=b==c', [['is_not', 'event:props:a', ['b==c']]]],
  ['visit:source==Direct / None', [['is', 'visit:source', ['Direct / None']]]],
  [
    ' visit:os == Mac ; visit:os_version==10.5;',
    [
      ['is', 'visit:os', ['Mac']],
      ['is', 'visit:os_version', ['10.5']],
    ],
  ],
])('reads %j', (text, filters) => {
  expect(readFilters(text)).toEqual(filters);
});

it.each(['', '  ', ';', ';;'])('takes %j for no filter', (text) => {
  expect(readFilters(text)).toEqual([]);
});

it.each(['visit:source', 'visit:source=Google', '==Google', 'visit:source==', 'visit:source!=  ', ';a'])(
  'refuses %j rather than leave it out',
  (text) => {
    expect(() => readFilters(text)).toThrow(/^filters: "/);
  },
);

it('takes a list in JSON as v2 writes it', () => {
  const filters = [
    [
      'or',
      [
        ['is', 'event:page', ['/en*']],
        ['contains', 'visit:source', ['oo']],
      ],
    ],
  ];
  expect(readFilters(JSON.stringify(filters))).toEqual(filters);
  expect(readFilters('[["matches_wildcard_not","event:props:tier",["small*",7]]]')).toEqual([
    ['matches_not', 'event:props:tier', ['^small.*$', 7]],
  ]);
  expect(readFilters('[null,[],[{}],["constructor","a",[]]]')).toEqual([
    null,
    [],
    [{}],
    ['constructor', 'a', []],
  ]);
  expect(() => readFilters('[["is"')).toThrow('filters: begin with [ but are not JSON');
});

it('reads a long text in a time that grows with its length', () => {
  const text = `visit:source==${'\\|'.repeat(20_000)}`;
  expect(readFilters(text)).toEqual([['is', 'visit:source', ['|'.repeat(20_000)]]]);
  expect(() => readFilters('='.repeat(50_000))).not.toThrow(RangeError);
});
