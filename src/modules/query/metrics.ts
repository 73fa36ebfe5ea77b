// What a query may ask, and how each metric is made from counters. Both sources, rollup and facts,
// deliver the same counters, so a metric is computed and rounded in one place only.
// docs/reference/metrics.md states the definitions.

export const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'events',
] as const;
export type Metric = (typeof METRICS)[number];

/** Of one group of an answer. */
export interface Counters {
  readonly visitors: number;
  readonly visits: number;
  readonly pageviews: number;
  readonly events: number;
  /** Sessions that `bounces` is a part of: the visits, or for pages the sessions that entered there. */
  readonly bounceSessions: number;
  readonly bounces: number;
  readonly durationSessions: number;
  readonly durationMs: number;
}

const VALUES: Readonly<Record<Metric, (counters: Counters) => number>> = {
  visitors: ({ visitors }) => visitors,
  visits: ({ visits }) => visits,
  pageviews: ({ pageviews }) => pageviews,
  events: ({ events }) => events,
  views_per_visit: ({ pageviews, visits }) =>
    visits === 0 ? 0 : roundTiesToEven((pageviews * 100) / visits) / 100,
  bounce_rate: ({ bounces, bounceSessions }) =>
    bounceSessions === 0 ? 0 : roundTiesToEven((bounces * 100) / bounceSessions),
  visit_duration: ({ durationMs, durationSessions }) =>
    durationSessions === 0 ? 0 : roundTiesToEven(durationMs / (durationSessions * 1000)),
};

/** The same values in SQL, for ordering: PostgreSQL's round(float8) also rounds ties to even. */
const ORDER_SQL: Readonly<Record<Metric, string>> = {
  visitors: 'visitors',
  visits: 'visits',
  pageviews: 'pageviews',
  events: 'events',
  views_per_visit: 'coalesce(round((pageviews * 100)::float8 / nullif(visits, 0)), 0)',
  bounce_rate: 'coalesce(round((bounces * 100)::float8 / nullif(bounce_sessions, 0)), 0)',
  visit_duration: 'coalesce(round(duration_ms::float8 / (nullif(duration_sessions, 0) * 1000)), 0)',
};

export const metricValue = (metric: Metric, counters: Counters): number => VALUES[metric](counters);
export const metricOrderSql = (metric: Metric): string => ORDER_SQL[metric];

/** The metrics that need sessions told apart, not only events. */
export const needsSessions = (metrics: readonly Metric[]): boolean =>
  metrics.some((metric) => metric !== 'visitors' && metric !== 'pageviews' && metric !== 'events');

export const needsEvents = (metrics: readonly Metric[]): boolean =>
  metrics.some((metric) => metric === 'pageviews' || metric === 'events' || metric === 'views_per_visit');

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
