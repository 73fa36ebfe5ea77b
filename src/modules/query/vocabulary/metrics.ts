// What a query may measure, each metric declared once: what it is, what it is made from, its value, the
// same value in SQL to order by, and what it makes no sense without. docs/reference/metrics.md is
// generated from these declarations.
import type { Counter, Counters } from './counters.js';
import { divideTiesToEven, exactRatioSql, ratioSql, roundTiesToEven } from './rounding.js';

/** An amount in its own currency: nothing is converted. */
export interface Money {
  readonly value: number;
  /** ISO 4217. */
  readonly currency: string;
}
export type MetricValue = number | Money | null;

/** What some metrics say nothing without. */
export const REQUIREMENTS = {
  page: 'a dimension or filter event:page',
  goal: 'a dimension or filter event:goal',
  dimension: 'a dimension',
} as const;
export type Requirement = keyof typeof REQUIREMENTS;

interface MetricDeclaration {
  /** One sentence, exact. */
  readonly definition: string;
  readonly unit: string;
  /** What a group without any is answered. */
  readonly nothing: '0' | 'null';
  readonly counters: readonly Counter[];
  readonly value: (counters: Counters) => MetricValue;
  /** Over the counters' columns; orders as the values do, and null comes last. */
  readonly orderSql: string;
  readonly requires?: Requirement;
}

const MICROS_PER_THOUSANDTH = 1_000n;

const REVENUE: readonly Counter[] = ['revenueMicros', 'revenueEvents', 'firstCurrency', 'lastCurrency'];
const ONE_CURRENCY = 'first_currency = last_currency';

const DECLARATIONS = {
  visitors: {
    definition:
      'Distinct visitor ids of the events in the range; cookieless ids last one day, so two days are two visitors; counted, never summed.',
    unit: 'visitors',
    nothing: '0',
    counters: ['visitors'],
    value: ({ visitors }) => visitors,
    orderSql: 'visitors',
  },
  visits: {
    definition: 'Sessions active in the range.',
    unit: 'sessions',
    nothing: '0',
    counters: ['visits'],
    value: ({ visits }) => visits,
    orderSql: 'visits',
  },
  pageviews: {
    definition: 'Events named `pageview`, at their own time.',
    unit: 'events',
    nothing: '0',
    counters: ['pageviews'],
    value: ({ pageviews }) => pageviews,
    orderSql: 'pageviews',
  },
  views_per_visit: {
    definition: 'Pageviews ÷ visits.',
    unit: '2 decimals',
    nothing: '0',
    counters: ['pageviews', 'visits'],
    value: ({ pageviews, visits }) => hundredths(pageviews * 100, visits) ?? 0,
    orderSql: `coalesce(${ratioSql('pageviews * 100', 'visits')}, 0)`,
  },
  bounce_rate: {
    definition: 'Bounces ÷ visits.',
    unit: 'whole percent',
    nothing: '0',
    counters: ['bounces', 'bounceSessions'],
    value: ({ bounces, bounceSessions }) => whole(bounces * 100, bounceSessions) ?? 0,
    orderSql: `coalesce(${ratioSql('bounces * 100', 'bounce_sessions')}, 0)`,
  },
  visit_duration: {
    definition:
      'Σ whole durations ÷ visits; a session that a range cuts counts with its whole duration, a single event with 0.',
    unit: 'whole seconds',
    nothing: '0',
    counters: ['durationMs', 'durationSessions'],
    value: ({ durationMs, durationSessions }) => whole(durationMs, durationSessions * 1_000) ?? 0,
    orderSql: `coalesce(${ratioSql('duration_ms', 'duration_sessions * 1000')}, 0)`,
  },
  events: {
    definition: 'All events but `engagement`, at their own time.',
    unit: 'events',
    nothing: '0',
    counters: ['events'],
    value: ({ events }) => events,
    orderSql: 'events',
  },
  percentage: {
    definition: "The row's visitors ÷ the visitors of the whole query, its dimensions (time too) left out.",
    unit: 'percent, 2 decimals',
    nothing: 'null',
    counters: ['visitors', 'allVisitors'],
    value: ({ visitors, allVisitors }) => hundredths(visitors * 10_000, allVisitors),
    orderSql: ratioSql('visitors * 10000', 'all_visitors'),
    requires: 'dimension',
  },
  conversion_rate: {
    definition:
      "The row's visitors ÷ the visitors of the whole query, its dimensions (time too) and its filters on goals and properties left out.",
    unit: 'percent, 2 decimals',
    nothing: '0',
    counters: ['visitors', 'convertibleVisitors'],
    value: ({ visitors, convertibleVisitors }) => hundredths(visitors * 10_000, convertibleVisitors) ?? 0,
    orderSql: `coalesce(${ratioSql('visitors * 10000', 'convertible_visitors')}, 0)`,
    requires: 'goal',
  },
  group_conversion_rate: {
    definition:
      "The row's visitors ÷ the visitors of the same row without goals and properties, be they dimensions or filters.",
    unit: 'percent, 2 decimals',
    nothing: '0',
    counters: ['visitors', 'convertibleInGroup'],
    value: ({ visitors, convertibleInGroup }) => hundredths(visitors * 10_000, convertibleInGroup) ?? 0,
    orderSql: `coalesce(${ratioSql('visitors * 10000', 'convertible_in_group')}, 0)`,
    requires: 'goal',
  },
  scroll_depth: {
    definition:
      'How deep each session scrolled at the deepest, averaged over the sessions that scrolled there.',
    unit: 'whole percent',
    nothing: 'null',
    counters: ['scrollDepths', 'scrolledSessions'],
    value: ({ scrollDepths, scrolledSessions }) => whole(scrollDepths, scrolledSessions),
    orderSql: ratioSql('scroll_depths', 'scrolled_sessions'),
    requires: 'page',
  },
  time_on_page: {
    definition: 'Σ engagement ÷ the sessions with engagement there.',
    unit: 'whole seconds',
    nothing: 'null',
    counters: ['engagementMs', 'engagementSessions'],
    value: ({ engagementMs, engagementSessions }) => whole(engagementMs, engagementSessions * 1_000),
    orderSql: ratioSql('engagement_ms', 'engagement_sessions * 1000'),
    requires: 'page',
  },
  total_revenue: {
    definition: 'Σ amounts of the events, in the one currency they have.',
    unit: 'currency, 3 decimals',
    nothing: 'null',
    counters: REVENUE,
    value: (counters) => money(counters, MICROS_PER_THOUSANDTH),
    orderSql: `CASE WHEN ${ONE_CURRENCY} THEN ${exactRatioSql('revenue_micros', '1000')} END`,
  },
  average_revenue: {
    definition: 'Σ amounts of the events ÷ the events with an amount, in the one currency they have.',
    unit: 'currency, 3 decimals',
    nothing: 'null',
    counters: REVENUE,
    value: (counters) => money(counters, MICROS_PER_THOUSANDTH * BigInt(counters.revenueEvents)),
    orderSql: `CASE WHEN ${ONE_CURRENCY} THEN ${exactRatioSql('revenue_micros', 'revenue_events * 1000')} END`,
  },
  visit_duration_ms: {
    definition: 'As `visit_duration`, rounded to milliseconds only.',
    unit: 'whole milliseconds',
    nothing: '0',
    counters: ['durationMs', 'durationSessions'],
    value: ({ durationMs, durationSessions }) => whole(durationMs, durationSessions) ?? 0,
    orderSql: `coalesce(${ratioSql('duration_ms', 'duration_sessions')}, 0)`,
  },
  engaged_visits: {
    definition:
      'Visits whose session lasted more than 10 seconds, or has two pageviews, or an interactive custom event that reaches a goal.',
    unit: 'sessions',
    nothing: '0',
    counters: ['engagedVisits'],
    value: ({ engagedVisits }) => engagedVisits,
    orderSql: 'engaged_visits',
  },
  new_visitors: {
    definition:
      'Of the visitors those counted in their first session, which is the one before which the facts know none of theirs.',
    unit: 'visitors',
    nothing: '0',
    counters: ['newVisitors'],
    value: ({ newVisitors }) => newVisitors,
    orderSql: 'new_visitors',
  },
  engagement_time: {
    definition: 'Σ engagement.',
    unit: 'whole seconds',
    nothing: '0',
    counters: ['engagementMs'],
    value: ({ engagementMs }) => roundTiesToEven(engagementMs / 1_000),
    orderSql: ratioSql('engagement_ms', '1000'),
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;

export type Metric = keyof typeof DECLARATIONS;
export const METRICS = Object.keys(DECLARATIONS) as [Metric, ...Metric[]];
export const isMetric = (name: string): name is Metric => Object.hasOwn(DECLARATIONS, name);
export const declarationOf = (metric: Metric): MetricDeclaration => DECLARATIONS[metric];

export const metricValue = (metric: Metric, counters: Counters): MetricValue =>
  declarationOf(metric).value(counters);
export const countersOf = (metrics: readonly Metric[]): ReadonlySet<Counter> =>
  new Set(metrics.flatMap((metric) => declarationOf(metric).counters));

interface MetricWarning {
  readonly code: string;
  readonly warning: string;
}

export type MetricWarnings = Readonly<Partial<Record<Metric, MetricWarning>>>;

/** Why a metric could not be told of some group, though there is something to tell. */
export function warningsOf(
  metrics: readonly Metric[],
  groups: readonly { readonly counters: Counters }[],
): MetricWarnings {
  const mixed = groups.some(({ counters }) => counters.firstCurrency !== counters.lastCurrency);
  const concerned = metrics.filter((metric) => declarationOf(metric).counters === REVENUE);
  return Object.fromEntries(mixed ? concerned.map((metric) => [metric, SEVERAL_CURRENCIES]) : []);
}

const SEVERAL_CURRENCIES: MetricWarning = {
  code: 'several_currencies',
  warning:
    'Where amounts are in several currencies their sum is null: nothing is converted. Filter by a goal with a currency, or group by more.',
};

const whole = (dividend: number, divisor: number): number | null =>
  divisor === 0 ? null : roundTiesToEven(dividend / divisor);

/** Of the quotient's hundredths. */
function hundredths(dividend: number, divisor: number): number | null {
  const rounded = whole(dividend, divisor);
  return rounded === null ? null : rounded / 100;
}

function money({ revenueMicros, firstCurrency, lastCurrency }: Counters, divisor: bigint): Money | null {
  if (firstCurrency === null || firstCurrency !== lastCurrency) return null;
  return { value: Number(divideTiesToEven(revenueMicros, divisor)) / 1_000, currency: firstCurrency };
}
