// Random requests over whatever vocabulary the product accepts, with values that the data has (and some
// that it has not). Built of fast-check's arbitraries, so that a failing request shrinks to a small one.
import fc from 'fast-check';
import { SETTLED_DIMENSIONS } from '../../src/modules/query/settled/settled-question.js';
import type { WireFilter } from './filters.js';
import type { Facts, OracleRequest } from './oracle.js';
import { whyImpossible } from './refusals.js';
import { hitValues, isOfEvents, isOfTime } from './values.js';

export interface Vocabulary {
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  /** What requests may hold besides. */
  readonly forms: ReadonlySet<'has_done' | 'segment' | 'compare'>;
}

const STRANGE = [
  '',
  '%',
  '_',
  '\\',
  "'",
  '(not set)',
  'Direct / None',
  'nowhere',
  '/blog',
  '/B',
  'oo',
  'É',
  '$1',
];
const PATTERNS = [
  '^/blog',
  'o+',
  '^.{1,5}$',
  '[a-f]/',
  '(Chrome|safari)',
  '\\d{2,}',
  '^$',
  'a|e',
  '/$',
  '[^/]$',
  'ö',
  '\\.',
  '^\\(not',
];
export const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'America/Havana',
  'Pacific/Kiritimati',
];
const DATES = [
  '2025-10-26',
  '2025-11-01',
  '2026-01-01',
  '2026-03-29',
  '2026-04-05',
  '2026-10-04',
  '2026-10-18',
  '2026-10-24',
  '2026-10-25',
  '2026-10-26',
  '2026-10-31',
  '2026-11-01',
  '2026-11-02',
  '2026-11-05',
];
const INSTANTS = [
  '2026-10-24T22:00:00Z',
  '2026-10-25T00:30:00+02:00',
  '2026-10-25T02:30:00.500+01:00',
  '2026-10-25T01:00:00Z',
  '2026-10-25T04:17:33Z',
  '2026-11-01T05:59:59.999Z',
  '2026-11-01T06:00:00Z',
  '2026-11-01T18:45:00+05:45',
  '2026-10-31T18:30:00Z',
];
const KEYWORDS = [
  'day',
  '24h',
  '7d',
  '28d',
  '30d',
  '91d',
  '3d',
  'month',
  '6mo',
  '12mo',
  '1mo',
  'year',
  'all',
];

export function requestArbitrary(
  vocabulary: Vocabulary,
  { visits, goals, segments }: Facts,
): fc.Arbitrary<OracleRequest> {
  const { metrics, dimensions, forms } = vocabulary;
  const times = dimensions.filter(isOfTime);
  const values = dimensions.filter((name) => !isOfTime(name));
  const known = (dimension: string) => valuesOf(dimension, { visits, goals });
  const leaf = fc.constantFrom(...values).chain((name) => leafArbitrary(name, known(name)));
  const ofEvents = values.filter(isOfEvents);
  const done = fc.constantFrom(...ofEvents).chain((name) => leafArbitrary(name, known(name)));
  const leaves = weighted<WireFilter>(
    [8, leaf],
    ...(forms.has('has_done')
      ? [[1, fc.tuple(fc.constantFrom('has_done', 'has_not_done'), treeOf(done))] as const]
      : []),
    ...(forms.has('segment')
      ? [[1, fc.constantFrom(...segments.keys()).map((id): WireFilter => ['is', 'segment', [id]])] as const]
      : []),
  );
  const filter = treeOf(leaves);
  const chosen = fc.record({
    metrics: fc.shuffledSubarray([...metrics], { minLength: 1, maxLength: Math.min(10, metrics.length) }),
    time: fc.option(fc.constantFrom(...times), { freq: 2 }),
    values: weighted<readonly string[]>(
      [3, fc.constant([])],
      [4, fc.constantFrom(...values).map((value) => [value])],
      [2, fc.shuffledSubarray(values, { minLength: 2, maxLength: 3 })],
    ),
    timeFirst: fc.boolean(),
    date_range: rangeArbitrary,
    filters: weighted<readonly WireFilter[]>(
      [3, fc.constant([])],
      [4, filter.map((one) => [one])],
      [2, fc.array(filter, { minLength: 2, maxLength: 3 })],
    ),
    include: fc.record({ bots: fc.boolean(), total_rows: fc.boolean(), time_labels: fc.boolean() }),
    more: forms.has('compare') ? fc.option(comparing, { freq: 2 }) : fc.constant(null),
    pagination: fc.option(
      fc.record({ limit: fc.constantFrom(1, 2, 7, 100), offset: fc.constantFrom(0, 1, 3, 40) }),
      { freq: 2 },
    ),
    order: fc.option(
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc' as const, 'desc' as const)), { maxLength: 3 }),
    ),
    careless: fc.integer({ min: 0, max: 19 }).map((number) => number === 19),
  });
  return chosen.map(({ time, values, timeFirst, include, pagination, order, careless, more, ...rest }) => {
    const dimensions = time === null ? values : timeFirst ? [time, ...values] : [...values, time];
    const base = { ...rest, dimensions, include: includeOf(more, dimensions) };
    const sound = careless && more === null ? rest.metrics : soundMetrics(base, segments);
    return {
      ...base,
      metrics: sound,
      include: {
        ...include,
        time_labels: include.time_labels && time !== null,
        ...includeOf(more, dimensions),
      },
      ...(more !== null && { week_start: more.week_start }),
      ...(pagination !== null && { pagination }),
      ...(order !== null && { order_by: orderOf([...sound, ...dimensions], order) }),
    };
  });
}

const SETTLED_RANGES: readonly (string | readonly [string, string])[] = [
  ...['7d', '28d', '3d', 'month', '1mo'],
  ['2026-10-24', '2026-10-24'],
  ['2026-10-25', '2026-10-26'],
  ['2026-10-18', '2026-11-02'],
  ['2026-10-31', '2026-11-05'],
  ['2026-10-01', '2026-11-05'],
];
const SETTLED_METRICS = [
  ...['visitors', 'visits', 'pageviews', 'events', 'views_per_visit', 'bounce_rate', 'visit_duration'],
  ...['percentage', 'engagement_time', 'total_revenue', 'average_revenue'],
];
const SETTLED_TIMES = ['time:day', 'time:week', 'time:month'];

/** Most of which days that are settled can answer: whole days, no filters, one dimension besides time. */
export function settledRequestArbitrary(vocabulary: Vocabulary, facts: Facts): fc.Arbitrary<OracleRequest> {
  const narrow = {
    ...vocabulary,
    metrics: SETTLED_METRICS,
    dimensions: [...SETTLED_TIMES, ...SETTLED_DIMENSIONS],
    forms: new Set([...vocabulary.forms].filter((form) => form === 'compare')),
  };
  return fc
    .record({ request: requestArbitrary(narrow, facts), date_range: fc.constantFrom(...SETTLED_RANGES) })
    .map(({ request: { order_by, ...request }, date_range }) => {
      const value = request.dimensions!.find((name) => !isOfTime(name));
      const dimensions = request.dimensions!.filter((name) => isOfTime(name) || name === value);
      const names = [...request.metrics, ...dimensions];
      return {
        ...request,
        dimensions,
        date_range,
        filters: [],
        include: { ...request.include, bots: false },
        ...(order_by && { order_by: order_by.filter(([name]) => names.includes(name)) }),
      };
    });
}

const comparing = fc.record({
  totals: fc.boolean(),
  fill: fc.boolean(),
  trim: fc.boolean(),
  matched: fc.boolean(),
  compare: fc.option(
    weighted<string | readonly [string, string]>(
      [3, fc.constantFrom('previous_period', 'year_over_year')],
      [1, ascending(DATES, (a, b) => a <= b)],
    ),
    { freq: 5 },
  ),
  week_start: fc.constantFrom(...(['monday', 'sunday', 'saturday', undefined] as const)),
});
type More = typeof comparing extends fc.Arbitrary<infer T> ? T : never;

function includeOf(more: More | null, dimensions: readonly string[]): Readonly<Record<string, unknown>> {
  if (more === null) return {};
  const { totals, fill, trim, matched, compare } = more;
  return {
    ...(totals && { totals }),
    ...(fill && dimensions.length === 1 && isOfTime(dimensions[0]!) && { fill }),
    ...(trim && { trim_relative_date_range: true }),
    ...(compare !== null && { compare }),
    ...(matched && typeof compare === 'string' && { compare_match_day_of_week: true }),
  };
}

/** Engagement alone makes no row, nor does it fill one: docs/reference/metrics.md. */
function isUnsettled(metric: string, { include = {} }: OracleRequest): boolean {
  return ['engagement_time', 'scroll_depth', 'time_on_page'].includes(metric) && include.fill === true;
}

/** Without those that the rest of the request makes impossible. */
function soundMetrics(request: OracleRequest, segments: Facts['segments']): readonly string[] {
  const possible = request.metrics.filter(
    (name) =>
      whyImpossible({ ...request, metrics: [name] }, segments) === null && !isUnsettled(name, request),
  );
  return possible.length === 0 ? ['visits'] : possible;
}

function orderOf(
  names: readonly string[],
  order: readonly (readonly [number, 'asc' | 'desc'])[],
): readonly (readonly [string, 'asc' | 'desc'])[] {
  const chosen = new Map(order.map(([number, direction]) => [names[number % names.length]!, direction]));
  return [...chosen];
}

const rangeArbitrary: fc.Arbitrary<string | readonly [string, string]> = fc.oneof(
  fc.constantFrom(...KEYWORDS),
  ascending(DATES, (a, b) => a <= b),
  ascending(INSTANTS, (a, b) => Date.parse(a) < Date.parse(b)),
);

function ascending(
  texts: readonly string[],
  inOrder: (a: string, b: string) => boolean,
): fc.Arbitrary<readonly [string, string]> {
  const pairs = texts.flatMap((a) => texts.filter((b) => inOrder(a, b)).map((b) => [a, b] as const));
  return fc.constantFrom(...pairs);
}

function treeOf(leaf: fc.Arbitrary<WireFilter>): fc.Arbitrary<WireFilter> {
  const { tree } = fc.letrec<{ tree: WireFilter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      { weight: 6, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc.tuple(
          fc.constantFrom('and', 'or'),
          fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        ),
      },
      { weight: 1, arbitrary: fc.tuple(fc.constant('not'), tie('tree')) },
    ),
  }));
  return tree;
}

function leafArbitrary(dimension: string, known: readonly string[]): fc.Arbitrary<WireFilter> {
  if (dimension === 'event:goal') {
    const named = fc.tuple(
      fc.constantFrom('is', 'is_not'),
      fc.subarray([...known], { minLength: 1, maxLength: 2 }),
    );
    const part = fc.constantFrom(...known, 'Visit', 'up', 'Scroll', 'nothing').map((text) => [text]);
    return fc
      .oneof(named, fc.tuple(fc.constant('contains'), part))
      .map(([operator, values]): WireFilter => [operator, dimension, values]);
  }
  const value = weighted(
    [5, fc.constantFrom(...known)],
    [1, fc.constantFrom(...STRANGE)],
    [1, fc.constantFrom(...known).map((text) => text.toUpperCase())],
  );
  const part = fc.tuple(value, fc.nat(6), fc.integer({ min: 1, max: 6 })).map(([text, from, length]) =>
    Array.from(text)
      .slice(from, from + length)
      .join(''),
  );
  const options = weighted<readonly unknown[]>(
    [3, fc.constant([])],
    [1, fc.constantFrom(true, false).map((sensitive) => [{ case_sensitive: sensitive }])],
  );
  const compared = fc.oneof(
    fc.tuple(fc.constantFrom('is', 'is_not'), fc.array(value, { minLength: 1, maxLength: 3 })),
    fc.tuple(fc.constantFrom('contains', 'contains_not'), fc.array(part, { minLength: 1, maxLength: 2 })),
    fc.tuple(
      fc.constantFrom('matches', 'matches_not'),
      fc.array(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 2 }),
    ),
  );
  return fc
    .tuple(compared, options)
    .map(([[operator, values], options]): WireFilter => [operator, dimension, values, ...options]);
}

/** What the data says of a dimension, so that filters find something. */
function valuesOf(dimension: string, { visits, goals }: Pick<Facts, 'visits' | 'goals'>): readonly string[] {
  if (dimension === 'event:goal') return goals.map(({ name }) => name);
  const found = new Set<string>();
  for (const visit of visits.slice(0, 400)) {
    for (const hit of visit.hits) {
      for (const value of hitValues(visit, hit, { dimension, asEntry: false, goals })) found.add(value);
    }
  }
  return [...found].slice(0, 40);
}

function weighted<T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}
