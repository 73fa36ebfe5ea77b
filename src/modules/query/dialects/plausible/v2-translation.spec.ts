import type { AnsweredMeta, AnsweredReport, AnsweredRow } from './translation.js';
import type { Goal } from '../../vocabulary/goal.js';
import { statsV2 } from './v2-translation.js';

const CONTEXT = {
  domain: 'shop.example',
  zone: 'Europe/Berlin',
  goals: [] as readonly Goal[],
  now: Date.parse('2026-11-20T12:00:00Z'),
};
const ASKED = { site_id: 'www.shop.example', metrics: ['visitors'], date_range: '7d' };

const translate = (asked: object = {}) => statsV2({ ...ASKED, ...asked }, CONTEXT);

const report = (results: readonly AnsweredRow[], meta: AnsweredMeta = {}): AnsweredReport => ({
  results,
  meta,
  query: {
    metrics: ['visitors'],
    // To the end of the day on which summer time ended.
    date_range: ['2026-10-24T00:00:00+02:00', '2026-10-26T00:00:00+01:00'],
    dimensions: ['visit:source'],
    filters: [['is', 'visit:os', ['Mac']]],
    order_by: [['visitors', 'desc']],
    pagination: { limit: 10_000, offset: 0 },
  },
});

describe('the native query', () => {
  it('is the same without the site', () => {
    const asked = {
      dimensions: ['visit:source', 'time:day'],
      filters: [['is', 'visit:os', ['Mac'], { case_sensitive: false }]],
      order_by: [['visitors', 'asc']],
      pagination: { limit: 3, offset: 1 },
    };
    expect(translate(asked).query).toEqual({
      metrics: ['visitors'],
      date_range: '7d',
      ...asked,
      include: { time_labels: false, total_rows: false },
    });
  });

  it('keeps what it does not know, so that the query refuses it by its path', () => {
    const asked = { metrics: 'visitors', date_range: 7, filters: {}, surprise: true };
    expect(translate(asked).query).toMatchObject(asked);
  });

  it.each([
    ['2024-01-01T15:59:59+02:00', '2024-01-01T14:00:00.000Z'],
    ['2024-01-01T15:59:59.999Z', '2024-01-01T16:00:00.000Z'],
    ['2024-01-01T15:59:59', '2024-01-01T15:59:59'],
    ['2024-02-30T15:59:59Z', '2024-02-30T15:59:59Z'],
    ['2024-01-01', '2024-01-01'],
    ['soon', 'soon'],
  ])('ends after the second %s, at %s', (end, excluded) => {
    const from = '2024-01-01T12:00:00+02:00';
    expect(translate({ date_range: [from, end] }).query.date_range).toEqual([from, excluded]);
  });

  it('compares with texts where ids are numbers', () => {
    const filters = [
      [
        'not',
        [
          'or',
          [
            ['is', 'visit:city', [2_950_159, 'x']],
            ['is', 'segment', [7]],
          ],
        ],
      ],
    ];
    expect(translate({ filters }).query.filters).toEqual([
      [
        'not',
        [
          'or',
          [
            ['is', 'visit:city', ['2950159', 'x']],
            ['is', 'segment', ['7']],
          ],
        ],
      ],
    ]);
  });

  it('asks for what is to be included', () => {
    const include = { imports: true, time_labels: true, total_rows: true, trim_relative_date_range: true };
    expect(translate({ include }).query.include).toEqual({
      time_labels: true,
      total_rows: true,
      trim_relative_date_range: true,
    });
  });

  it.each([[{ include: { comparisons: {} } }], [{ include: { imports: 'yes' } }], [{ include: 7 }]])(
    'is not made of %j',
    (asked) => {
      expect(() => translate(asked)).toThrow(/^include/);
    },
  );

  it.each([[null], [[]], ['text'], [7]])('is not made of the body %j', (body) => {
    expect(() => statsV2(body, CONTEXT)).toThrow();
  });
});

describe('the answer', () => {
  const rows: readonly AnsweredRow[] = [{ dimensions: ['Google'], metrics: [7] }];

  it('has rows, an empty meta and the query, whose last second is counted', () => {
    expect(translate().answer(report(rows))).toEqual({
      results: [{ dimensions: ['Google'], metrics: [7] }],
      meta: {},
      query: {
        site_id: 'shop.example',
        metrics: ['visitors'],
        date_range: ['2026-10-24T00:00:00+02:00', '2026-10-25T23:59:59+01:00'],
        filters: [['is', 'visit:os', ['Mac']]],
        dimensions: ['visit:source'],
        order_by: [['visitors', 'desc']],
        include: {},
        pagination: { offset: 0, limit: 10_000 },
      },
    });
  });

  it('has what was to be included', () => {
    const include = { imports: true, time_labels: true, total_rows: true };
    const { meta, query } = translate({ include }).answer(
      report(rows, { time_labels: ['2026-10-24', '2026-10-25'], total_rows: 0 }),
    );
    expect(meta).toEqual({
      imports_included: false,
      imports_skip_reason: 'no_imported_data',
      time_labels: ['2026-10-24', '2026-10-25'],
      total_rows: 0,
    });
    expect(query.include).toEqual(include);
  });

  it('prints amounts of money, and says why there are none', () => {
    const answer = translate().answer(
      report([{ dimensions: [], metrics: [{ value: 1_659.5, currency: 'USD' }, null, 3] }], {
        metric_warnings: { total_revenue: { code: 'several_currencies', warning: 'Several.' } },
        approximate: { visitors: 0.02 },
      }),
    );
    expect(answer.results[0]!.metrics).toEqual([
      { value: 1_659.5, currency: 'USD', short: '$1.7K', long: '$1,659.50' },
      null,
      3,
    ]);
    expect(answer.meta).toEqual({
      metric_warnings: { total_revenue: { code: 'no_single_revenue_currency', warning: 'Several.' } },
      warning: 'These metrics are estimates, with this standard error: visitors (2 %).',
    });
  });

  it('has an amount of zero where a goal with a currency earned nothing', () => {
    const goal = (name: string, currency: string | null): Goal => ({
      id: name,
      name,
      match: { kind: 'event', name, props: {} },
      currency,
    });
    const goals = [goal('Order', 'EUR'), goal('Gift', 'USD'), goal('Signup', null)];
    const ask = (query: Partial<AnsweredReport['query']>, names: readonly (readonly string[])[]) => {
      const nothing = report(names.map((dimensions) => ({ dimensions, metrics: [0, null, null] })));
      const metrics = ['events', 'total_revenue', 'average_revenue'];
      const { results, meta } = statsV2(ASKED, { ...CONTEXT, goals }).answer({
        ...nothing,
        query: { ...nothing.query, metrics, filters: [], dimensions: [], ...query },
      });
      return [
        results.map(({ metrics: [, total] }) => total && (total as { long: string }).long),
        Object.keys(meta),
      ];
    };
    const by = { dimensions: ['event:goal'] };
    expect(ask(by, [['Order'], ['Gift'], ['Signup']])).toEqual([['€0.00', '$0.00', null], []]);
    expect(ask({ filters: [['is', 'event:goal', ['Order', 'Signup']]] }, [[]])).toEqual([['€0.00'], []]);
    expect(ask({ filters: [['contains', 'event:goal', ['ord'], { case_sensitive: false }]] }, [[]])).toEqual([
      ['€0.00'],
      [],
    ]);
    expect(ask({ filters: [['is_not', 'event:goal', ['Gift']]] }, [[]])).toEqual([['€0.00'], []]);
    expect(ask({ filters: [['is', 'event:goal', ['Order', 'Gift']]] }, [[]])).toEqual([[null], []]);
    expect(ask({ filters: [['is', 'event:goal', ['Signup']]] }, [[]])).toEqual([[null], ['metric_warnings']]);
    expect(ask({}, [[]])).toEqual([[null], []]);
  });
});
