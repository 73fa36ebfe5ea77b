// What metrics are made from: sums and counts of one group of an answer. Both sources, rollup and
// facts, deliver the same counters, so that a metric is computed and rounded in one place only.

/** Counter → its column where PostgreSQL computes it. */
export const COUNTER_COLUMNS = {
  visitors: 'visitors',
  newVisitors: 'new_visitors',
  visits: 'visits',
  engagedVisits: 'engaged_visits',
  pageviews: 'pageviews',
  events: 'events',
  bounceSessions: 'bounce_sessions',
  bounces: 'bounces',
  durationSessions: 'duration_sessions',
  durationMs: 'duration_ms',
  engagementMs: 'engagement_ms',
  engagementSessions: 'engagement_sessions',
  scrollDepths: 'scroll_depths',
  scrolledSessions: 'scrolled_sessions',
  revenueMicros: 'revenue_micros',
  revenueEvents: 'revenue_events',
  firstCurrency: 'first_currency',
  lastCurrency: 'last_currency',
  allVisitors: 'all_visitors',
  convertibleVisitors: 'convertible_visitors',
  convertibleInGroup: 'convertible_in_group',
} as const;
export type Counter = keyof typeof COUNTER_COLUMNS;

export interface Counters {
  readonly visitors: number;
  /** Of the visitors those in a session that is their first. */
  readonly newVisitors: number;
  readonly visits: number;
  readonly engagedVisits: number;
  readonly pageviews: number;
  readonly events: number;
  /** Sessions that `bounces` is a part of: the visits, or for pages the sessions that entered there. */
  readonly bounceSessions: number;
  readonly bounces: number;
  readonly durationSessions: number;
  readonly durationMs: number;
  readonly engagementMs: number;
  /** Sessions with engagement in this group. */
  readonly engagementSessions: number;
  /** Sum over `scrolledSessions` of how far each scrolled, in percent. */
  readonly scrollDepths: number;
  readonly scrolledSessions: number;
  /** Millionths; exact. */
  readonly revenueMicros: bigint;
  readonly revenueEvents: number;
  /** Of the revenue, first and last by name: equal if there is one. */
  readonly firstCurrency: string | null;
  readonly lastCurrency: string | null;
  /** Visitors of the whole query, its dimensions left out. */
  readonly allVisitors: number;
  /** The same, its filters on goals and properties left out, too. */
  readonly convertibleVisitors: number;
  /** Visitors of this group, but for goals and properties. */
  readonly convertibleInGroup: number;
}

export const NO_COUNTERS: Counters = {
  visitors: 0,
  newVisitors: 0,
  visits: 0,
  engagedVisits: 0,
  pageviews: 0,
  events: 0,
  bounceSessions: 0,
  bounces: 0,
  durationSessions: 0,
  durationMs: 0,
  engagementMs: 0,
  engagementSessions: 0,
  scrollDepths: 0,
  scrolledSessions: 0,
  revenueMicros: 0n,
  revenueEvents: 0,
  firstCurrency: null,
  lastCurrency: null,
  allVisitors: 0,
  convertibleVisitors: 0,
  convertibleInGroup: 0,
};
