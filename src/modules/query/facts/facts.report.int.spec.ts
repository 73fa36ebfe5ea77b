// Every dimension and every kind of filter over random sessions, against plain counting.
import type { Pool } from 'pg';
import { askFacts } from '../../../../test/asking-facts.js';
import { type NaiveQuery, naiveReport } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import { startReadModels, type GivenSession, insertSessions } from '../../../../test/read-model-rows.js';
import { CLOCK_DIMENSIONS, VALUE_DIMENSIONS } from '../vocabulary/dimensions.js';

/** Those that the rollup answers, too; engagement.int.spec.ts and its neighbours are about the others. */
const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'events',
];
/** Goals are looked at in goals.int.spec.ts, clocks in clock-sql.int.spec.ts; names of countries below. */
const ELSEWHERE: readonly string[] = ['event:goal', 'visit:country_name', ...CLOCK_DIMENSIONS];
const PLAIN_DIMENSIONS = VALUE_DIMENSIONS.filter((name) => !ELSEWHERE.includes(name));
const SITE = 'site-a';
const RANGE = { from: Date.parse('2026-10-20T10:20:00Z'), to: Date.parse('2026-10-22T09:40:00Z') };
const FROM = RANGE.from - 6 * 3_600_000;
const TO = RANGE.to + 6 * 3_600_000;
const DATE_RANGE = [new Date(RANGE.from).toISOString(), new Date(RANGE.to).toISOString()];

let postgres: { pool: Pool; stop(): Promise<void> };
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startReadModels();
  sessions = [
    ...randomSessions({ seed: 21, site: SITE, count: 400, from: FROM, to: TO }),
    ...randomSessions({ seed: 22, site: 'site-b', count: 60, from: FROM, to: TO }),
  ];
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

const ask = (body: Record<string, unknown>) =>
  askFacts(
    { pool: postgres.pool, site: SITE, zone: 'Europe/Berlin' },
    { metrics: METRICS, date_range: DATE_RANGE, ...body },
  );

const naive = (query: Partial<NaiveQuery>) =>
  naiveReport(sessions, { site: SITE, zone: 'Europe/Berlin', ...RANGE, metrics: METRICS, ...query });

const byDimensions = <T extends { dimensions: readonly string[] }>(rows: readonly T[]) =>
  [...rows].sort((a, b) => (a.dimensions.join('\0') < b.dimensions.join('\0') ? -1 : 1));

const sameRows = (
  actual: Parameters<typeof byDimensions>[0],
  expected: Parameters<typeof byDimensions>[0],
) => {
  expect(expected.length).toBeGreaterThan(0);
  expect(byDimensions(actual)).toEqual(byDimensions(expected));
};

describe('dimensions', () => {
  it.each(PLAIN_DIMENSIONS.map((dimension) => [dimension]))('groups by %s', async (dimension) => {
    const { rows } = await ask({ dimensions: [dimension] });
    sameRows(rows, naive({ dimensions: [dimension], bots: dimension.startsWith('visit:bot') }));
  });

  it.each([
    [['visit:source', 'visit:country', 'visit:device']],
    [['time:hour', 'visit:source']],
    [['time:day', 'event:page']],
    [['event:page', 'event:name']],
    [['event:hostname', 'event:page', 'visit:browser', 'time:day']],
    [['event:hostname']],
  ])('groups by %j together', async (dimensions) => {
    const { rows } = await ask({ dimensions });
    sameRows(rows, naive({ dimensions }));
  });

  it.each(METRICS.map((metric) => [metric]))(
    'answers %s alone as together with the others',
    async (metric) => {
      for (const dimensions of [[], ['visit:source'], ['event:page'], ['time:hour']]) {
        const { rows } = await ask({ metrics: [metric], dimensions });
        sameRows(rows, naive({ metrics: [metric], dimensions }));
      }
    },
  );
});

type Where = NonNullable<NaiveQuery['where']>;

const VISIT_FILTERS: readonly (readonly [string, unknown, Where])[] = [
  ['is', ['is', 'visit:country', ['DE', 'AT']], (of) => ['DE', 'AT'].includes(of('visit:country'))],
  [
    'is with the label of missing values',
    ['is', 'visit:source', ['Direct / None']],
    (of) => of('visit:source') === 'Direct / None',
  ],
  [
    'is_not, which missing values pass',
    ['is_not', 'visit:source', ['Google']],
    (of) => of('visit:source') !== 'Google',
  ],
  [
    'is regardless of case',
    ['is', 'visit:source', ['GOOGLE'], { case_sensitive: false }],
    (of) => of('visit:source').toLowerCase() === 'google',
  ],
  ['contains', ['contains', 'visit:city', ['ünch', 'zmi']], (of) => /ünch|zmi/.test(of('visit:city'))],
  ['contains_not', ['contains_not', 'visit:browser', ['fox']], (of) => !of('visit:browser').includes('fox')],
  [
    'contains of characters that LIKE knows',
    ['contains', 'visit:entry_page', ['%']],
    (of) => of('visit:entry_page').includes('%'),
  ],
  [
    'matches',
    ['matches', 'visit:utm_source', ['^news', 'cmd\\(\\)$']],
    (of) => /^news|cmd\(\)$/.test(of('visit:utm_source')),
  ],
  ['matches_not', ['matches_not', 'visit:os', ['^W|x$']], (of) => !/^W|x$/.test(of('visit:os'))],
  [
    'matches at word boundaries',
    ['matches', 'visit:referrer', ['\\bsearch\\b']],
    (of) => /\bsearch\b/.test(of('visit:referrer')),
  ],
  [
    'and, or, not',
    [
      'or',
      [
        [
          'and',
          [
            ['is', 'visit:country', ['US']],
            ['not', ['is', 'visit:os', ['Linux']]],
          ],
        ],
        ['is', 'visit:device', ['Mobile']],
      ],
    ],
    (of) => (of('visit:country') === 'US' && of('visit:os') !== 'Linux') || of('visit:device') === 'Mobile',
  ],
];

const EVENT_FILTERS: readonly (readonly [string, unknown, Where])[] = [
  [
    'a page',
    ['is', 'event:page', ['/blog', '/pricing']],
    (of) => ['/blog', '/pricing'].includes(of('event:page')),
  ],
  ['all but a page', ['is_not', 'event:page', ['/']], (of) => of('event:page') !== '/'],
  [
    'pages regardless of case',
    ['is', 'event:page', ['/BLOG'], { case_sensitive: false }],
    (of) => of('event:page').toLowerCase() === '/blog',
  ],
  ['no page', ['is', 'event:page', ['(not set)']], (of) => of('event:page') === '(not set)'],
  ['an event', ['is', 'event:name', ['signup']], (of) => of('event:name') === 'signup'],
  [
    'a host name',
    ['is', 'event:hostname', ['app.shop.example']],
    (of) => of('event:hostname') === 'app.shop.example',
  ],
  [
    'a page or a country',
    [
      'or',
      [
        ['is', 'event:page', ['/blog']],
        ['is', 'visit:country', ['AT']],
      ],
    ],
    (of) => of('event:page') === '/blog' || of('visit:country') === 'AT',
  ],
  [
    'neither an event nor a page',
    [
      'not',
      [
        'or',
        [
          ['is', 'event:name', ['pageview']],
          ['matches', 'event:page', ['^/b']],
        ],
      ],
    ],
    (of) => of('event:name') !== 'pageview' && !/^\/b/.test(of('event:page')),
  ],
];

const BREAKDOWNS = [[], ['visit:source'], ['event:page'], ['time:hour'], ['time:day', 'event:name']];

describe('filters', () => {
  it.each(VISIT_FILTERS)('on visits: %s', async (_, filter, where) => {
    for (const dimensions of BREAKDOWNS) {
      const { rows } = await ask({ dimensions, filters: [filter] });
      sameRows(rows, naive({ dimensions, where }));
    }
  });

  it.each(EVENT_FILTERS)('on events: %s', async (_, filter, where) => {
    const filtersPage = JSON.stringify(filter).includes('event:page');
    for (const dimensions of BREAKDOWNS) {
      const { rows } = await ask({ dimensions, filters: [filter] });
      sameRows(rows, naive({ dimensions, where, filtersEvents: true, filtersPage }));
    }
  });

  it('on both at once, each at its own level', async () => {
    const filters = [
      ['is', 'event:page', ['/blog']],
      ['is', 'visit:device', ['Mobile']],
    ];
    const { rows } = await ask({ dimensions: ['visit:source'], filters });
    const where: Where = (of) => of('event:page') === '/blog' && of('visit:device') === 'Mobile';
    sameRows(rows, naive({ dimensions: ['visit:source'], where, filtersEvents: true, filtersPage: true }));
  });

  it('on visit:bot count bots', async () => {
    const { rows } = await ask({ filters: [['is', 'visit:bot', ['true']]] });
    sameRows(rows, naive({ bots: true, where: (of) => of('visit:bot') === 'true' }));
  });
});

describe('pages of an answer', () => {
  it('follow one order without gap or overlap, and know the number of rows', async () => {
    const query = {
      dimensions: ['event:page'],
      order_by: [['visits', 'desc']],
      include: { total_rows: true },
    };
    const all = await ask(query);
    const paged = [];
    for (let offset = 0; offset < all.rows.length; offset += 2) {
      const { rows, totalRows } = await ask({ ...query, pagination: { limit: 2, offset } });
      expect(totalRows).toBe(all.rows.length);
      paged.push(...rows);
    }
    expect(paged).toEqual(all.rows);
  });

  it('know the number of rows beyond the last', async () => {
    const query = { dimensions: ['visit:source'], include: { total_rows: true } };
    const all = await ask(query);
    const beyond = await ask({ ...query, pagination: { offset: 1_000 } });
    expect(beyond).toEqual({ rows: [], totalRows: all.rows.length });
  });

  it('put equal metrics in the order of their dimensions', async () => {
    const { rows } = await ask({ metrics: ['bounce_rate'], dimensions: ['visit:city', 'event:page'] });
    const expected = [...rows].sort(
      (a, b) =>
        Number(b.metrics[0]) - Number(a.metrics[0]) ||
        Buffer.compare(Buffer.from(a.dimensions[0]!), Buffer.from(b.dimensions[0]!)) ||
        Buffer.compare(Buffer.from(a.dimensions[1]!), Buffer.from(b.dimensions[1]!)),
    );
    expect(rows).toEqual(expected);
  });
});

it('answers a site without sessions with one row of zeros, or none', async () => {
  const { rows } = await askFacts(
    { pool: postgres.pool, site: 'nobody' },
    { metrics: METRICS, date_range: DATE_RANGE },
  );
  expect(rows).toEqual([{ dimensions: [], metrics: [0, 0, 0, 0, 0, 0, 0] }]);
});
