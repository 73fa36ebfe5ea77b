// Contributions of single events. With a dimension or filter that tells events apart, all that a query
// counts comes from here; without, only engagement and revenue do, which no session's row sums up.
import type { EventColumn, Place } from '../vocabulary/dimensions.js';
import { columnsOf, GOAL_DIMENSION, isEventDimension, isVisitDimension } from '../vocabulary/dimensions.js';
import type { Goal } from '../vocabulary/goal.js';
import type { Comparison, Filter } from '../request/filters.js';
import { eventValueSql } from './clock-sql.js';
import { type Contribution, OF_A_SESSION, type Parts } from './contribution.js';
import { engagedSql } from './engaged-sql.js';
import { EVENT_AT, EVENT_NAME, EVENT_VISITOR, eventsApart } from './events-apart.js';
import {
  columnsOfFilters,
  eventLeafSql,
  eventOrScrollSql,
  goalsNamed,
  type Leaf,
  sessionLeafSql,
  treeSql,
} from './filter-sql.js';
import { columnsOfGoals, goalSql } from './goal-sql.js';
import { bytewise, type QueryShape } from './query-shape.js';
import { activeSessions, LAST_EVENT_AT } from './session-selection.js';

/** For a query by events: everything. */
export function contributionsOfEvents(shape: QueryShape): Parts {
  const events = new SingleEvents(shape);
  const isByEntry = (name: string) => (shape.byEntry as readonly string[]).includes(name);
  const touching = shape.needed(OF_A_SESSION, (name) => !isByEntry(name));
  const entering = shape.needed(OF_A_SESSION, isByEntry);
  return {
    ctes: events.ctes(),
    selects: [
      events.eachEvent(),
      ...(Object.keys(touching).length > 0 ? [events.oncePerSession('own', touching)] : []),
      ...(Object.keys(entering).length > 0 ? [events.oncePerSession('entry', entering)] : []),
      ...(shape.countsAttention ? [events.attention()] : []),
    ],
  };
}

/** For a query by whole sessions: what their rows do not sum up. */
export function contributionsBesideSessions(shape: QueryShape): Parts {
  if (!shape.countsAttention && !shape.countsRevenue) return { ctes: [], selects: [] };
  const events = new SingleEvents(shape, [
    ...(shape.counters.has('engagementMs') ? ['s.event_engagement_ms IS NOT NULL'] : []),
    ...(shape.counters.has('scrollDepths') ? ['s.event_scroll_depth IS NOT NULL'] : []),
    ...(shape.countsRevenue ? ['s.event_amounts_micros IS NOT NULL'] : []),
  ]);
  return {
    ctes: events.ctes(),
    selects: [
      ...(shape.countsRevenue ? [events.revenue()] : []),
      ...(shape.countsAttention ? [events.attention()] : []),
    ],
  };
}

class SingleEvents {
  /** Predicates over the session row that filters on events contain: columns p0, p1, … of `apart`. */
  private readonly sessionLeaves: string[] = [];
  private readonly matches: string;
  private readonly matchesAsEntered: string;
  private readonly revenueCondition: string | null;

  /** `onlyWith`: conditions on the session row, one of which must hold. */
  constructor(
    private readonly shape: QueryShape,
    private readonly onlyWith: readonly string[] = [],
  ) {
    this.matches = this.treesSql('own');
    this.matchesAsEntered = shape.byEntry.length > 0 ? this.treesSql('entry') : 'false';
    this.revenueCondition = shape.countsRevenue
      ? `e.amount_micros IS NOT NULL AND ${this.countsAsRevenue()}`
      : null;
  }

  /** Every event with its groups; `hits` are those that count and pass. */
  ctes(): readonly string[] {
    const { shape } = this;
    const lastAt = this.lastAt;
    const columns = [
      ...shape.visitColumns(),
      ...this.sessionLeaves.map((sql, index) => `${sql} AS p${index}`),
      's.bounced, s.ended_at - s.started_at AS duration',
      ...(shape.counters.has('engagedVisits')
        ? [`${engagedSql(shape.query.goals, shape.source.parameters)} AS engaged`]
        : []),
      `(${shape.within('s.started_at', lastAt)}) AS inside`,
      ...(shape.timed ? [onlyBucket(shape.bucketOf('s.started_at'), shape.bucketOf(lastAt))] : []),
      eventsApart(this.eventColumns()),
    ];
    const only = this.onlyWith.length > 0 ? ` AND (${this.onlyWith.join(' OR ')})` : '';
    const sessions = `${activeSessions(shape.query, shape.source, lastAt)}${only}`;
    const counted = eventOrScrollSql(shape.scrollGoals, shape.source.parameters);
    const passes =
      shape.byEntry.length > 0 ? `(${this.matches}) OR (${this.matchesAsEntered})` : this.matches;
    return [
      `apart AS NOT MATERIALIZED (SELECT ${columns.join(', ')} ${sessions})`,
      `placed AS NOT MATERIALIZED (SELECT e.*, ${this.bucket} AS bucket FROM apart e)`,
      `hits AS NOT MATERIALIZED (SELECT ${this.hitColumns().join(', ')} FROM placed e ${this.goalsReached()}
        WHERE ${counted} AND ${this.inRange} AND (${passes}))`,
    ];
  }

  eachEvent(): string {
    const { shape } = this;
    const event: Contribution = {
      visitor: 'visitor',
      session: 'session',
      started_at: 'started_at',
      pageviews: `(name = 'pageview')::int`,
      events: shape.scrollGoals.length > 0 ? `(name <> 'engagement')::int` : '1',
      ...(shape.countsRevenue && REVENUE),
    };
    return `SELECT ${shape.contribute(event, shape.keys('own'))} FROM hits WHERE matches`;
  }

  /** What a session adds to each group it has an event in, however many. */
  oncePerSession(place: Place, contribution: Contribution): string {
    const { shape } = this;
    const keys = shape.keys(place);
    const columns = [
      ...keys,
      'bool_or(bounced) AS bounced, min(duration) AS duration',
      ...(shape.counters.has('engagedVisits') ? ['bool_or(engaged) AS engaged'] : []),
    ];
    const condition = place === 'own' ? 'matches' : 'matches_as_entered';
    return `SELECT ${shape.contribute(contribution, keys)}
      FROM (SELECT ${columns.join(', ')} FROM hits
            WHERE ${condition} GROUP BY ${['session', ...keys].join(', ')}) AS once`;
  }

  revenue(): string {
    const { shape } = this;
    return `SELECT ${shape.contribute(REVENUE, shape.keys('own'))} FROM hits WHERE matches AND amount_micros IS NOT NULL`;
  }

  /** How long and how deep each session read, in each group: told by engagement events and by whatever else says so. */
  attention(): string {
    const { shape } = this;
    const keys = shape.keys('own');
    const contribution: Contribution = {
      engagement_ms: 'engagement_ms',
      engagement_sessions: '(engagement_ms IS NOT NULL)::int',
      scroll_depths: 'scroll_depth',
      scrolled_sessions: '(scroll_depth IS NOT NULL)::int',
    };
    const columns = [...this.groupColumns('own'), 'e.bucket, e.session, e.engagement_ms, e.scroll_depth'];
    return `SELECT ${shape.contribute(contribution, keys)}
      FROM (SELECT ${[...keys, 'sum(engagement_ms) AS engagement_ms, max(scroll_depth) AS scroll_depth'].join(', ')}
            FROM (SELECT ${columns.join(', ')} FROM placed e ${this.goalsReached()}
                  WHERE ${this.inRange} AND (${this.matches})
                    AND (e.engagement_ms IS NOT NULL OR e.scroll_depth IS NOT NULL)) AS read
            GROUP BY ${['session', ...keys].join(', ')}) AS once`;
  }

  private get bucket(): string {
    return this.shape.timed ? `coalesce(e.only_bucket, ${this.shape.bucketOf(EVENT_AT)})` : '1';
  }

  private get inRange(): string {
    return `(e.inside OR ${this.shape.within(EVENT_AT)})`;
  }

  /** Engagement is told after the session's last other event, too. */
  private get lastAt(): string {
    const { countsAttention, scrollGoals } = this.shape;
    return countsAttention || scrollGoals.length > 0 ? LAST_EVENT_AT : 's.ended_at';
  }

  private hitColumns(): readonly string[] {
    const { shape } = this;
    const amount = this.revenueCondition === null ? '' : `CASE WHEN ${this.revenueCondition} THEN`;
    return [
      ...this.groupColumns('own'),
      ...(shape.byEntry.length > 0 ? this.groupColumns('entry') : []),
      'e.bucket, e.session, e.bounced, e.duration, e.started_at',
      ...(shape.counters.has('engagedVisits') ? ['e.engaged'] : []),
      ...(shape.countsVisitors ? [`${EVENT_VISITOR} AS visitor`] : []),
      `${EVENT_NAME} AS name`,
      ...(amount === ''
        ? []
        : [`${amount} e.amount_micros END AS amount_micros, ${amount} e.currency END AS currency`]),
      `${this.matches} AS matches`,
      `${this.matchesAsEntered} AS matches_as_entered`,
    ];
  }

  private groupColumns(place: Place): readonly string[] {
    const { values, filterContext } = this.shape;
    return values.map((dimension, index) => {
      if (dimension === GOAL_DIMENSION) return `${bytewise('reached.goal')} AS ${place}${index}`;
      if (!isEventDimension(dimension)) return `e.d${index} AS ${place}${index}`;
      return `${this.shape.groupName(eventValueSql(dimension, place, filterContext))} AS ${place}${index}`;
    });
  }

  /** An event counts for each goal it reaches: one row for each, and none without. */
  private goalsReached(): string {
    const { query, source, groupsByGoal } = this.shape;
    if (!groupsByGoal) return '';
    const { parameters } = source;
    const reached = query.goals.map(
      (goal) => `CASE WHEN ${goalSql(goal, parameters)} THEN ${parameters.add(goal.name, 'text')} END`,
    );
    const currencies = query.goals.map(({ currency }) =>
      currency === null ? 'NULL' : parameters.add(currency, 'text'),
    );
    return `JOIN LATERAL unnest(ARRAY[${reached.join(', ')}]::text[], ARRAY[${currencies.join(', ')}]::text[])
      AS reached(goal, currency) ON reached.goal IS NOT NULL`;
  }

  /** Of a goal's revenue only amounts in the goal's currency are part. */
  private countsAsRevenue(): string {
    const { query, source, groupsByGoal, eventFilters } = this.shape;
    if (groupsByGoal) return 'e.currency = reached.currency';
    const comparisons = eventFilters.flatMap((filter) => wantedGoals(filter, true));
    if (comparisons.length === 0) return 'e.currency IS NOT NULL';
    const paid = comparisons
      .flatMap((comparison) => goalsNamed(comparison, query.goals))
      .flatMap((goal) => (goal.currency === null ? [] : [paidForGoal(goal, goal.currency)]));
    return paid.length === 0 ? 'false' : `(${paid.join(' OR ')})`;

    function paidForGoal(goal: Goal, currency: string): string {
      return `(e.currency = ${source.parameters.add(currency, 'text')} AND ${goalSql(goal, source.parameters)})`;
    }
  }

  private treesSql(place: Place): string {
    const { eventFilters, filterContext } = this.shape;
    const leafSql = (leaf: Leaf): string => {
      if (leaf.kind === 'comparison' && !isVisitDimension(leaf.dimension)) {
        return eventLeafSql(leaf, place, filterContext);
      }
      this.sessionLeaves.push(sessionLeafSql(leaf, filterContext));
      return `e.p${this.sessionLeaves.length - 1}`;
    };
    return eventFilters.map((filter) => `(${treeSql(filter, leafSql)})`).join(' AND ') || 'true';
  }

  private eventColumns(): readonly EventColumn[] {
    const { values, eventFilters, query, scrollGoals, countsVisitors, countsAttention, countsRevenue } =
      this.shape;
    const grouped = values.flatMap((dimension): readonly EventColumn[] => {
      if (dimension === GOAL_DIMENSION) return columnsOfGoals(query.goals);
      return isEventDimension(dimension) ? columnsOf(dimension) : [];
    });
    return [
      ...grouped,
      ...columnsOfFilters(eventFilters, query.goals),
      ...columnsOfGoals(scrollGoals),
      ...(countsVisitors ? (['event_visitor'] as const) : []),
      ...(countsAttention ? (['engagement_ms', 'scroll_depth'] as const) : []),
      ...(countsRevenue ? (['amount_micros', 'currency'] as const) : []),
    ];
  }
}

const onlyBucket = (first: string, last: string): string =>
  `CASE WHEN ${first} = ${last} THEN ${first} END AS only_bucket`;

/** Comparisons of goals that an event reaches if it passes: not those of goals that it must not reach. */
function wantedGoals(filter: Filter, isWanted: boolean): readonly Comparison[] {
  if (filter.kind === 'not') return wantedGoals(filter.filter, !isWanted);
  if ('filters' in filter) return filter.filters.flatMap((one) => wantedGoals(one, isWanted));
  if (filter.kind !== 'comparison' || filter.dimension !== GOAL_DIMENSION) return [];
  return (filter.operator !== 'is_not') === isWanted ? [filter] : [];
}

const REVENUE: Contribution = {
  revenue_micros: 'amount_micros',
  revenue_events: '(amount_micros IS NOT NULL)::int',
  first_currency: 'currency',
  last_currency: 'currency',
};
