// What attackers, fuzzers and broken scripts send to POST /v1/sites/{site}/query: each gets its 4xx, soon,
// and none reaches a statement's text. No answer may be a 5xx, and none may show what runs inside.
import { insertSessions } from '../../../test/read-model-rows.js';
import type { Answer } from '../../../test/servers/control-plane.js';
import { type QuerySide, startQuerySide } from '../../../test/servers/query-side.js';
import { isText } from './request/text.js';

const DAY = '2026-11-10';
const QUERY_TIMEOUT_MS = 1_000;
/** The time limit, and what a machine that does other things too takes besides. */
const ANSWERED_MS = QUERY_TIMEOUT_MS + 3_000;
/** What a regular expression that backtracks needs for ever to read. */
const ENDLESS = `/${'a'.repeat(1_900)}!`;
const SESSIONS = 400;

let side: QuerySide;
let postgres: QuerySide['postgres'];
let plane: QuerySide['plane'];
let site: string;
let reader: string;

beforeAll(async () => {
  side = await startQuerySide({ environment: { QUERY_TIMEOUT_MS: String(QUERY_TIMEOUT_MS) } });
  ({ postgres, plane, site, reader } = side);
  const at = Date.parse(`${DAY}T10:00:00Z`);
  await insertSessions(
    postgres.pool,
    Array.from({ length: SESSIONS }, (_, number) => ({
      site,
      visitor: BigInt(number),
      events: [{ at: at + number * 1_000, page: number % 2 === 0 ? ENDLESS : '/' }],
      about: { source: 'Google' },
    })),
  );
});
afterAll(() => side?.stop());

const PLAIN = { metrics: ['visits'], date_range: [DAY, DAY] };

interface Timed extends Answer {
  readonly tookMs: number;
}

async function ask(
  body: unknown,
  options: { readonly of?: string; readonly key?: string } = {},
): Promise<Timed> {
  const startedMs = performance.now();
  const path = `/v1/sites/${options.of ?? site}/query`;
  const answer = await plane.call('POST', path, { key: options.key ?? reader, body });
  return { ...answer, tookMs: performance.now() - startedMs };
}

async function askRaw(payload: string, contentType = 'application/json') {
  const headers = { authorization: `Bearer ${reader}`, 'content-type': contentType };
  const url = `/v1/sites/${site}/query`;
  const { statusCode, payload: text } = await plane.app.inject({ method: 'POST', url, headers, payload });
  return { status: statusCode, body: JSON.parse(text) as Readonly<Record<string, unknown>> };
}

/** As RFC 9457 has it, and nothing of what is inside. */
function expectProblem({ status, body }: { status: number; body: unknown }, expected: number): void {
  expect([status, body]).toEqual([expected, expect.objectContaining({ status: expected })]);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:\d|at async |FROM sessions_v1 s|WITH picked/);
}

const INJECTIONS = [
  `'; DROP TABLE sessions_v1; --`,
  `' OR '1'='1`,
  `visits) FROM sessions_v1; SELECT pg_sleep(5); --`,
  `visits" OR 1=1 --`,
  '$1',
  `\\'; SELECT 1; --`,
  'visit:source\u0000',
  `coalesce(s.source, '')`,
  '{"a"}',
  '${7*7}',
  '../../etc/passwd',
  'v\u0131sits',
  '\ud800',
  'visits ',
  'VISITS',
  '',
  'x'.repeat(300),
];
const PROTOTYPES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

const FIELDS: readonly (readonly [string, (text: string) => unknown])[] = [
  ['metrics', (text) => ({ ...PLAIN, metrics: [text] })],
  ['metrics as text', (text) => ({ ...PLAIN, metrics: text })],
  ['dimensions', (text) => ({ ...PLAIN, dimensions: [text] })],
  ['a dimension of visits', (text) => ({ ...PLAIN, dimensions: [`visit:${text}`] })],
  ['a dimension of time', (text) => ({ ...PLAIN, dimensions: [`time:${text}`] })],
  ['date_range', (text) => ({ ...PLAIN, date_range: text })],
  ['the ends of date_range', (text) => ({ ...PLAIN, date_range: [text, text] })],
  ['an end of date_range', (text) => ({ ...PLAIN, date_range: [DAY, `${DAY}${text || '!'}`] })],
  ['filters', (text) => ({ ...PLAIN, filters: text })],
  ['a filter', (text) => ({ ...PLAIN, filters: [text] })],
  ['an operator', (text) => ({ ...PLAIN, filters: [[text, 'visit:source', ['a']]] })],
  ["a filter's dimension", (text) => ({ ...PLAIN, filters: [['is', text, ['a']]] })],
  ["a filter's visit dimension", (text) => ({ ...PLAIN, filters: [['is', `visit:${text}`, ['a']]] })],
  ["a filter's values", (text) => ({ ...PLAIN, filters: [['is', 'visit:source', text]] })],
  ["a filter's options", (text) => ({ ...PLAIN, filters: [['is', 'visit:source', ['a'], text]] })],
  [
    "a filter's option",
    (text) => ({ ...PLAIN, filters: [['is', 'visit:source', ['a'], { case_sensitive: text }]] }),
  ],
  ['a part too many', (text) => ({ ...PLAIN, filters: [['is', 'visit:source', ['a'], {}, text]] })],
  ['a nested operator', (text) => ({ ...PLAIN, filters: [['not', [text, 'visit:source', ['a']]]] })],
  ['order_by', (text) => ({ ...PLAIN, order_by: [[text, 'asc']] })],
  ['a direction', (text) => ({ ...PLAIN, order_by: [['visits', text]] })],
  ['include', (text) => ({ ...PLAIN, include: text })],
  ['a part of include', (text) => ({ ...PLAIN, include: { [`${text}!`]: true } })],
  ['include.bots', (text) => ({ ...PLAIN, include: { bots: text } })],
  ['include.compare', (text) => ({ ...PLAIN, include: { compare: text } })],
  ['the ends of include.compare', (text) => ({ ...PLAIN, include: { compare: [text, text] } })],
  ['week_start', (text) => ({ ...PLAIN, week_start: text })],
  ['pagination', (text) => ({ ...PLAIN, pagination: text })],
  ['pagination.limit', (text) => ({ ...PLAIN, pagination: { limit: text } })],
  ['pagination.offset', (text) => ({ ...PLAIN, pagination: { offset: text } })],
  ['a key', (text) => ({ ...PLAIN, [`${text}!`]: true })],
];

describe.each(FIELDS)('in %s', (_name, bodyOf) => {
  it.each([...INJECTIONS, ...PROTOTYPES])('%j is refused', async (text) => {
    const answer = await ask(bodyOf(text));
    expectProblem(answer, 400);
    expect(answer.tookMs).toBeLessThan(ANSWERED_MS);
  });
});

describe.each(['is', 'contains', 'is_not', 'contains_not'])('as a value of %s', (operator) => {
  it.each([...INJECTIONS.filter((text) => text !== '' && isText(text)), ...PROTOTYPES])(
    '%j is but a value',
    async (text) => {
      const { status, body } = await ask({
        ...PLAIN,
        filters: [[operator, 'visit:utm_source', [text], { case_sensitive: false }]],
      });
      expect([status, body.results[0].metrics]).toEqual([200, [operator.endsWith('_not') ? SESSIONS : 0]]);
    },
  );

  it.each(['a\0b', '\ud800'])('%j is refused, which PostgreSQL cannot hold', async (text) => {
    const answer = await ask({ ...PLAIN, filters: [[operator, 'visit:source', [text]]] });
    expectProblem(answer, 400);
    expect(answer.body.errors[0].path).toBe('filters[0][2][0]');
  });
});

it.each([...INJECTIONS, ...PROTOTYPES])('the property name %j reaches no statement', async (text) => {
  for (const of of [
    { dimensions: [`event:props:${text}`] },
    { filters: [['is', `event:props:${text}`, ['a']]] },
  ]) {
    const { status } = await ask({ ...PLAIN, ...of });
    expect([200, 400, 422]).toContain(status);
    if (text.includes('\0') || text === '') expect(status).toBe(400);
  }
});

describe('a body', () => {
  it.each([
    'null',
    '[]',
    '"text"',
    '7',
    'true',
    '{}',
    '[[[[]]]]',
    '',
    '{"metrics":',
    'nonsense',
    '{"a":1}{"b":2}',
  ])('%s is refused', async (payload) => expectProblem(await askRaw(payload), 400));

  it.each(['__proto__', 'constructor'])('with the key %s is refused', async (key) => {
    expectProblem(await askRaw(`{"${key}":{"prototype":{"a":1}},${JSON.stringify(PLAIN).slice(1)}`), 400);
    expectProblem(await askRaw(`{"include":{"${key}":{"bots":true}},${JSON.stringify(PLAIN).slice(1)}`), 400);
    expect(({} as Record<string, unknown>)['bots']).toBeUndefined();
  });

  it.each([
    ['filters', '['.repeat(100_000) + ']'.repeat(100_000), 400],
    ['filters', '["not",'.repeat(20_000) + '[]' + ']'.repeat(20_000), 400],
    ['filters', '[' + '["not",'.repeat(20) + '[]' + ']'.repeat(20) + ']', 422],
    ['filters', '[' + '["and",['.repeat(20) + ']]'.repeat(20) + ']', 422],
    ['filters', '[["is","visit:source",' + '['.repeat(50_000) + ']'.repeat(50_000) + ']]', 400],
    ['include', '{"bots":'.repeat(50_000) + '1' + '}'.repeat(50_000), 400],
    ['date_range', '['.repeat(50_000) + ']'.repeat(50_000), 400],
  ] as const)('whose %s is nested without end is refused', async (key, nested, status) => {
    const { [key as 'filters']: _, ...rest } = PLAIN as Record<string, unknown>;
    expectProblem(await askRaw(`{"${key}":${nested},${JSON.stringify(rest).slice(1)}`), status);
  });
});

const many = (count: number, value: unknown): readonly unknown[] =>
  Array.from({ length: count }, () => value);

it.each<[string, Record<string, unknown>, readonly number[]]>([
  ['10,000 metrics', { metrics: many(10_000, 'visits') }, [422]],
  ['10,000 dimensions', { dimensions: many(10_000, 'visit:source') }, [422]],
  ['10,000 filters', { filters: many(10_000, ['is', 'visit:source', ['a']]) }, [422]],
  ['10,000 filters under one', { filters: [['or', many(10_000, ['is', 'visit:source', ['a']])]] }, [422]],
  ['10,000 values', { filters: [['is', 'visit:source', many(10_000, 'a')]] }, [422]],
  ['10,000 regular expressions', { filters: [['matches', 'visit:source', many(99, 'a')]] }, [422]],
  ['10,000 orders', { order_by: many(10_000, ['visits', 'asc']) }, [400, 422]],
  ['a value of 500,000 characters', { filters: [['is', 'visit:source', ['a'.repeat(500_000)]]] }, [422]],
])('%s are refused', async (_name, change, statuses) => {
  const { status, body, tookMs } = await ask({ ...PLAIN, ...change });
  expect(statuses).toContain(status);
  expectProblem({ status, body }, status);
  expect(tookMs).toBeLessThan(ANSWERED_MS);
});

it('more than a request may hold is refused', async () => {
  const { status } = await ask({
    ...PLAIN,
    filters: [['is', 'visit:source', many(100, 'a'.repeat(50_000))]],
  });
  expect([413, 422]).toContain(status);
});

describe('a date range', () => {
  it.each<unknown>([
    ['2026-02-30', '2026-03-01'],
    ['2026-11-10', '2026-11-09'],
    ['2026-11-10T10:00:00Z', '2026-11-10T10:00:00Z'],
    ['2026-11-10', '2026-11-10T10:00:00Z'],
    ['2026-11-10T10:00:00', '2026-11-10T11:00:00'],
    ['2026-11-10T25:00:00Z', '2026-11-11T00:00:00Z'],
    ['0000-01-01', '2026-01-01'],
    ['2026-01-01', '9999-12-31'],
    ['+275760-09-13', '+275760-09-14'],
    [DAY],
    [DAY, DAY, DAY],
    [1, 2],
    [null, null],
    {},
    7,
    null,
    '0d',
    '-7d',
    '7D',
    ' 7d',
    '7 d',
    '99999mo',
    '99999d',
    '1e3d',
    '999999999999d',
  ])('%j is refused', async (range) => expectProblem(await ask({ ...PLAIN, date_range: range }), 400));

  it.each([
    [['2016-01-01', '2025-12-31'], 'time:hour'],
    [['1970-01-01', '2999-12-31'], 'time:day'],
    [['1970-01-01', '2999-12-31'], 'time:week'],
    ['9999d', 'time:hour'],
    ['300mo', 'time:hour'],
  ] as const)('of %j by %s is too much, and the answer says what to narrow', async (range, time) => {
    const { status, body, tookMs } = await ask({ ...PLAIN, date_range: range, dimensions: [time] });
    expectProblem({ status, body }, 422);
    expect(body.detail).toContain('narrow');
    expect(tookMs).toBeLessThan(ANSWERED_MS);
  });
});

it.each<unknown>([
  { limit: 0 },
  { limit: -1 },
  { limit: 1.5 },
  { limit: '10' },
  { limit: 10_001 },
  { limit: null },
  { offset: -1 },
  { offset: 1e300 },
  { offset: 0.5 },
  { page: 2 },
])('the page %j is refused', async (pagination) => expectProblem(await ask({ ...PLAIN, pagination }), 400));

it.each<Record<string, unknown>>([
  { order_by: [['visitors', 'asc']] },
  { order_by: [['visit:source', 'asc']] },
  { order_by: [['time', 'asc']] },
  {
    order_by: [
      ['visits', 'asc'],
      ['visits', 'desc'],
    ],
  },
  { include: { time_labels: true } },
  { dimensions: ['time:day', 'time:hour'] },
  { dimensions: ['time', 'time:day'] },
  { dimensions: ['visit:source', 'visit:source'] },
  { metrics: ['visits', 'visits'] },
  { metrics: [] },
  { filters: [['and', []]] },
  { filters: [['is', 'visit:source', []]] },
  { filters: [['is', 'time:day', ['2026-11-10']]] },
  { filters: [['not']] },
  { filters: [['not', ['is', 'visit:source', ['a']], ['is', 'visit:source', ['b']]]] },
])('what cannot be put together is refused: %j', async (change) => {
  const answer = await ask({ ...PLAIN, ...change });
  expectProblem(answer, 400);
  expect(answer.body.errors.length).toBeGreaterThan(0);
});

describe.each(['event:page', 'visit:entry_page'])('a regular expression on %s', (dimension) => {
  it.each([
    '(a+)+$',
    '(a|aa)+$',
    '(a|a?)+$',
    '(.*a){20}$',
    '(.*.*)*x',
    '([a-z]+)*$',
    '^/(([a-z])+.)+[A-Z]([a-z])+$',
    '(x+x+)+y',
    '(a*)*b',
    '((a*)*)*b',
    '(a?){100}a{100}$',
    '^/(a?a?a?a?a?a?a?a?a?a?)*$',
    '((a{1,50}){1,50}){1,50}',
    '(((a{1,255}){1,255}){1,255}){1,255}',
    '(a{0,255}){0,255}(b{0,255}){0,255}$',
    `${'(a|'.repeat(40)}b${')'.repeat(40)}`,
    `${'('.repeat(120)}a${')*'.repeat(60)}`,
    '[[:alpha:]]{1,255}{1,255}!!$',
    '(?i)(a+)+$',
    '.*'.repeat(100),
    '(.+)+'.repeat(30),
    '\\w+\\w+\\w+\\w+\\w+\\w+\\w+\\w+\\d',
  ])('%s is answered within the time limit', async (pattern) => {
    for (const operator of ['matches', 'matches_not']) {
      const filters = [[operator, dimension, [pattern], { case_sensitive: false }]];
      const { status, body, tookMs } = await ask({ ...PLAIN, filters });
      expect([200, 400, 422]).toContain(status);
      if (status !== 200) expectProblem({ status, body }, status);
      expect(tookMs).toBeLessThan(ANSWERED_MS);
    }
  });
});

it.each([
  '(a)\\1',
  '(?=a)',
  '(?!a)',
  '(?<=a)',
  '(?<!a)',
  '***:a',
  '***=a',
  'a\\',
  '(',
  '[',
  'a\0',
  'a'.repeat(257),
])('the pattern %j is refused', async (pattern) =>
  expectProblem(await ask({ ...PLAIN, filters: [['matches', 'visit:source', ['ok', pattern]]] }), 400),
);

describe('a site', () => {
  it('of another merchant answers as one that does not exist, whatever is asked', async () => {
    const { body: other } = await plane.call('POST', '/v1/sites', { body: { domain: 'other.example' } });
    for (const body of [
      PLAIN,
      { ...PLAIN, metrics: ['nonsense'] },
      { ...PLAIN, dimensions: many(99, 'x') },
    ]) {
      const answers = await Promise.all(
        [other.id, 'other.example', 'nowhere'].map((of) => ask(body, { of })),
      );
      for (const answer of answers) expectProblem(answer, 404);
      expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    }
  });

  it.each([...INJECTIONS.filter((text) => text !== '' && text !== '\ud800'), ...PROTOTYPES, '%00'])(
    'named %j is not found',
    async (name) => {
      const { status } = await ask(PLAIN, { of: encodeURIComponent(name) });
      expect([400, 404, 414]).toContain(status);
    },
  );
});

it('and after all this the site still answers', async () => {
  expect((await ask(PLAIN)).body.results).toEqual([{ dimensions: [], metrics: [SESSIONS] }]);
});
