// What parts of a statement add to the groups of an answer: every part selects the same columns, those
// that it does not know are null and add nothing, and the groups sum them up.
import { type Counter, COUNTER_COLUMNS } from '../vocabulary/counters.js';

interface ContributionColumn {
  readonly type: 'int' | 'bigint' | 'interval' | 'text';
  readonly counter: Counter;
  readonly aggregate: 'sum' | 'min' | 'max';
  /** From the aggregate to the counter. */
  readonly total: (aggregate: string) => string;
}

const counted = (counter: Counter, type: 'int' | 'bigint' = 'int'): ContributionColumn => ({
  type,
  counter,
  aggregate: 'sum',
  total: (sum) => `coalesce(${sum}, 0)::bigint`,
});

export const CONTRIBUTIONS = {
  visits: counted('visits'),
  engaged_visits: counted('engagedVisits'),
  pageviews: counted('pageviews'),
  events: counted('events'),
  bounce_sessions: counted('bounceSessions'),
  bounces: counted('bounces'),
  duration_sessions: counted('durationSessions'),
  duration: {
    type: 'interval',
    counter: 'durationMs',
    aggregate: 'sum',
    total: (sum) => `coalesce(extract(epoch FROM ${sum}) * 1000, 0)::bigint`,
  },
  engagement_ms: counted('engagementMs', 'bigint'),
  engagement_sessions: counted('engagementSessions'),
  scroll_depths: counted('scrollDepths'),
  scrolled_sessions: counted('scrolledSessions'),
  revenue_micros: {
    type: 'bigint',
    counter: 'revenueMicros',
    aggregate: 'sum',
    total: (sum) => `coalesce(${sum}, 0)::numeric`,
  },
  revenue_events: counted('revenueEvents'),
  first_currency: { type: 'text', counter: 'firstCurrency', aggregate: 'min', total: (first) => first },
  last_currency: { type: 'text', counter: 'lastCurrency', aggregate: 'max', total: (last) => last },
} as const satisfies Readonly<Record<string, ContributionColumn>>;
export type Contributed = keyof typeof CONTRIBUTIONS;

/** Column → expression. Besides counters: who came, in which session, and when that began. */
export type Contribution = Partial<Record<Contributed | 'visitor' | 'session' | 'started_at', string>>;

/** Parts of one statement: what they are selected from, and their SELECTs. */
export interface Parts {
  readonly ctes: readonly string[];
  readonly selects: readonly string[];
}

/** Which columns are needed for which counters, in order. */
export const contributedFor = (counters: ReadonlySet<Counter>): readonly Contributed[] =>
  (Object.keys(CONTRIBUTIONS) as Contributed[]).filter((name) => counters.has(CONTRIBUTIONS[name].counter));

export const aggregated = (name: Contributed): string => `${CONTRIBUTIONS[name].aggregate}(${name})`;

export function totalSql(name: Contributed): string {
  const { counter, total } = CONTRIBUTIONS[name];
  return `${total(aggregated(name))} AS ${COUNTER_COLUMNS[counter]}`;
}

/** What one session adds to a group, whichever of its events are in it. */
export const OF_A_SESSION: Contribution = {
  visits: '1',
  engaged_visits: 'engaged::int',
  bounce_sessions: '1',
  bounces: 'bounced::int',
  duration_sessions: '1',
  duration: 'duration',
};
