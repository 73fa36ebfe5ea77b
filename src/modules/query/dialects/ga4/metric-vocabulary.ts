// GA4's metrics and what they mean here: the table that translates both ways, types the answers' columns
// and is what getMetadata shows. A metric is a native metric, or arithmetic over metrics.
import { BOTH, describe, type Described, namesKnownTo, type ReportKind, type Text } from './described.js';
import { type Expression, parseExpression } from './metric-expression.js';

/**
 * What the values of two rows may become that GA4 shows as one: `events` add up, `visits` only where
 * one visit cannot be in both, `distinct` never.
 */
export type Additivity = 'events' | 'visits' | 'distinct';

export interface NativeMetric {
  readonly native: string;
  readonly additivity: Additivity;
  /** Counts only events that reach one of the site's goals. */
  readonly ofGoals: boolean;
}

export type MetricType = 'TYPE_INTEGER' | 'TYPE_FLOAT' | 'TYPE_SECONDS' | 'TYPE_CURRENCY';

type MetricMeaning =
  | ({ readonly kind: 'native' } & NativeMetric)
  | { readonly kind: 'expression'; readonly text: string; readonly expression: Expression };

export type MetricEntry = Described & {
  readonly type: MetricType;
  readonly deprecatedNames: readonly string[];
} & MetricMeaning;

interface MetricText {
  readonly text: Text;
  readonly category: 'User' | 'Session' | 'Event' | 'Page' | 'Revenue';
  readonly type?: MetricType;
  readonly reports?: readonly ReportKind[];
  readonly deprecatedNames?: readonly string[];
}

const metric = ({ text, category, type = 'TYPE_INTEGER', reports, deprecatedNames = [] }: MetricText) => ({
  ...describe(text, category, reports),
  type,
  deprecatedNames,
});

const counted = (native: string, additivity: Additivity, text: MetricText): MetricEntry => ({
  ...metric(text),
  kind: 'native',
  native,
  additivity,
  ofGoals: false,
});

const ofGoals = (native: string, additivity: Additivity, text: MetricText): MetricEntry => ({
  ...metric(text),
  kind: 'native',
  native,
  additivity,
  ofGoals: true,
});

function reckoned(expression: string, text: MetricText): MetricEntry {
  const parsed = parseExpression(expression);
  if (parsed.outcome === 'refused') throw new Error(`${expression} ${parsed.reason}`);
  return {
    ...metric({ type: 'TYPE_FLOAT', ...text }),
    kind: 'expression',
    text: expression,
    expression: parsed.expression,
  };
}

const METRICS: Readonly<Record<string, MetricEntry>> = {
  activeUsers: counted('visitors', 'distinct', {
    text: ['Active users', 'Distinct visitors.'],
    category: 'User',
    reports: BOTH,
  }),
  totalUsers: counted('visitors', 'distinct', {
    text: ['Total users', 'Distinct visitors.'],
    category: 'User',
  }),
  newUsers: counted('new_visitors', 'visits', {
    text: ['New users', 'Visitors without an earlier session; cookieless visitors are always new.'],
    category: 'User',
  }),
  sessions: counted('visits', 'visits', {
    text: ['Sessions', 'Sessions active in the date range.'],
    category: 'Session',
  }),
  engagedSessions: counted('engaged_visits', 'visits', {
    text: ['Engaged sessions', 'Sessions over 10 seconds, with two pageviews or with a key event.'],
    category: 'Session',
  }),
  engagementRate: reckoned('engagedSessions / sessions', {
    text: ['Engagement rate', 'The part of the sessions that were engaged.'],
    category: 'Session',
  }),
  bounceRate: reckoned('(sessions - engagedSessions) / sessions', {
    text: ['Bounce rate', 'The part of the sessions that were not engaged.'],
    category: 'Session',
  }),
  averageSessionDuration: reckoned('averageSessionMilliseconds / 1000', {
    text: ['Average session duration', 'Seconds from first to last event.'],
    category: 'Session',
    type: 'TYPE_SECONDS',
  }),
  averageSessionMilliseconds: counted('visit_duration_ms', 'distinct', {
    text: ['', 'For the duration only.'],
    category: 'Session',
    reports: [],
  }),
  sessionsPerUser: reckoned('sessions / activeUsers', {
    text: ['Sessions per user', 'Sessions by active users.'],
    category: 'Session',
  }),
  screenPageViews: counted('pageviews', 'events', {
    text: ['Views', 'Pageviews.'],
    category: 'Page',
    reports: BOTH,
  }),
  screenPageViewsPerSession: reckoned('screenPageViews / sessions', {
    text: ['Views per session', 'Pageviews by sessions.'],
    category: 'Page',
  }),
  screenPageViewsPerUser: reckoned('screenPageViews / activeUsers', {
    text: ['Views per user', 'Pageviews by active users.'],
    category: 'Page',
  }),
  userEngagementDuration: counted('engagement_time', 'events', {
    text: ['User engagement', 'Seconds during which pages were in front.'],
    category: 'User',
    type: 'TYPE_SECONDS',
  }),
  eventCount: counted('events', 'events', {
    text: ['Event count', 'Events, without those that only tell of engagement.'],
    category: 'Event',
    reports: BOTH,
  }),
  eventCountPerUser: reckoned('eventCount / activeUsers', {
    text: ['Event count per user', 'Events by active users.'],
    category: 'Event',
  }),
  eventsPerSession: reckoned('eventCount / sessions', {
    text: ['Events per session', 'Events by sessions.'],
    category: 'Event',
  }),
  keyEvents: ofGoals('events', 'events', {
    text: ['Key events', "Events that reach one of the site's goals."],
    category: 'Event',
    reports: BOTH,
    deprecatedNames: ['conversions'],
  }),
  sessionKeyEventRate: reckoned('sessionsWithKeyEvent / sessions', {
    text: ['Session key event rate', 'The part of the sessions that had a key event.'],
    category: 'Session',
  }),
  userKeyEventRate: reckoned('usersWithKeyEvent / activeUsers', {
    text: ['User key event rate', 'The part of the active users who had a key event.'],
    category: 'User',
  }),
  sessionsWithKeyEvent: ofGoals('visits', 'visits', {
    text: ['', 'For the rate only.'],
    category: 'Session',
    reports: [],
  }),
  usersWithKeyEvent: ofGoals('visitors', 'distinct', {
    text: ['', 'For the rate only.'],
    category: 'User',
    reports: [],
  }),
  totalRevenue: counted('total_revenue', 'events', {
    text: ['Total revenue', "Amounts of events, in the site's currency."],
    category: 'Revenue',
    type: 'TYPE_CURRENCY',
  }),
  averageRevenuePerUser: reckoned('totalRevenue / activeUsers', {
    text: ['ARPU', 'Revenue by active users.'],
    category: 'Revenue',
    type: 'TYPE_CURRENCY',
  }),
};

const CURRENT_NAMES = new Map(
  Object.entries(METRICS).flatMap(([name, { deprecatedNames }]) =>
    deprecatedNames.map((deprecated): [string, string] => [deprecated, name]),
  ),
);

/** Those too that only definitions name. */
export function metricMeaning(name: string): MetricEntry | undefined {
  const current = CURRENT_NAMES.get(name) ?? name;
  return Object.hasOwn(METRICS, current) ? METRICS[current] : undefined;
}

export function metricOf(name: string, report: ReportKind): MetricEntry | undefined {
  const entry = metricMeaning(name);
  return entry?.reports.includes(report) ? entry : undefined;
}

export const metricNames = (report: ReportKind): readonly string[] => namesKnownTo(METRICS, report);
