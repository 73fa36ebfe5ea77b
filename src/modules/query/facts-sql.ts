// Any query as one statement over the session facts. Sessions active in the range are picked once;
// only those that a bucket's bound cuts, or whose visitor changed, are taken apart into events.
// With an event's dimension or filter all picked sessions are. Each part contributes counters to
// its groups; visitors are counted over all parts, never summed.
import { SESSION_DURATION_MAX_MS } from '../projections/read-models/sessions.read-model.js';
import {
  eventSql,
  isEventDimension,
  isTimeDimension,
  isVisitDimension,
  type ValueDimension,
  visitSql,
} from './dimensions.js';
import {
  type Comparison,
  comparisonSql,
  comparisonsOf,
  type Filter,
  isEventFilter,
  treeSql,
} from './filters.js';
import { metricOrderSql, needsEvents, needsSessions } from './metrics.js';
import type { ReportQuery } from './report-query.js';
import { SqlParameters, type Statement, timestamp } from './sql-parameters.js';

/** Columns of a contribution. Left out: null, which adds nothing. */
const COUNTERS = {
  visits: 'int',
  pageviews: 'int',
  events: 'int',
  bounce_sessions: 'int',
  bounces: 'int',
  duration_sessions: 'int',
  duration: 'interval',
} as const;
type Counter = keyof typeof COUNTERS;
type Contribution = Partial<Record<Counter | 'visitor' | 'session', string>>;

export interface FactsStatement extends Statement {
  readonly totalRowsStatement: Statement;
}

/** Groups are compared byte by byte: the same order everywhere, and the fastest. */
const bytewise = (expression: string): string => `(${expression}) COLLATE "C"`;

export function factsStatement(query: ReportQuery, table: string): FactsStatement {
  const facts = new FactsSql(query, table);
  const grouped = facts.grouped();
  const counted = {
    text: `${grouped} SELECT count(*) AS total_rows FROM grouped`,
    values: [...facts.parameters.values],
  };
  return { ...facts.page(grouped), totalRowsStatement: counted };
}

class FactsSql {
  readonly parameters = new SqlParameters();
  private readonly timed: boolean;
  /** Some dimension or filter tells events of one session apart. */
  private readonly byEvents: boolean;
  private readonly values: readonly ValueDimension[];
  private readonly eventFilters: readonly Filter[];
  private readonly visitFilters: readonly Filter[];
  private readonly counters: readonly Counter[];
  /** Bounces and durations by the page a session entered at, not by the pages it touched. */
  private readonly entryCounters: readonly Counter[];
  private readonly from: string;
  private readonly to: string;
  private readonly bounds: string;

  constructor(
    private readonly query: ReportQuery,
    private readonly table: string,
  ) {
    const { dimensions, filters, range, buckets } = query;
    this.timed = dimensions.some(isTimeDimension);
    this.values = dimensions.filter((dimension): dimension is ValueDimension => !isTimeDimension(dimension));
    this.eventFilters = filters.filter(isEventFilter);
    this.visitFilters = filters.filter((filter) => !isEventFilter(filter));
    this.byEvents = this.eventFilters.length > 0 || this.values.some(isEventDimension);
    this.counters = this.neededCounters();
    this.entryCounters = this.counters.filter((counter) => this.countsByEntry(counter));
    this.from = this.parameters.add(timestamp(range.from), 'timestamptz');
    this.to = this.parameters.add(timestamp(range.to), 'timestamptz');
    this.bounds = this.timed ? this.parameters.add(buckets.bounds.map(timestamp), 'timestamptz[]') : '';
  }

  grouped(): string {
    const contributions = this.byEvents ? this.contributionsOfEvents() : this.contributionsOfSessions();
    const keys = this.keys();
    const having = this.entryCounters.length > 0 && keys.length > 0 ? 'HAVING count(session) > 0' : '';
    const groupBy = `GROUP BY ${keys.length === 0 ? '()' : keys.join(', ')}`;
    if (this.countsByVisitor()) {
      return `${contributions}, ${this.perVisitor(keys)},
        grouped AS (SELECT ${[...keys, ...this.totals('count(visitor)')].join(', ')} FROM per_visitor ${groupBy})`;
    }
    const visitors = this.countsVisitors() ? 'count(DISTINCT visitor)' : '0';
    return `${contributions},
      grouped AS (SELECT ${[...keys, ...this.totals(visitors)].join(', ')} FROM contributions ${groupBy} ${having})`;
  }

  /** Distinct visitors by hashing instead of sorting, where nothing else has to be distinct. */
  private countsByVisitor(): boolean {
    const distinctSessions = this.byEvents && needsSessions(this.query.metrics);
    return this.countsVisitors() && !distinctSessions && this.entryCounters.length === 0;
  }

  private perVisitor(keys: readonly string[]): string {
    const sums = this.counters.map((counter) => `sum(${counter}) AS ${counter}`);
    const columns = [...keys, 'visitor', ...sums];
    return `per_visitor AS (SELECT ${columns.join(', ')} FROM contributions GROUP BY ${[...keys, 'visitor'].join(', ')})`;
  }

  page(grouped: string): Statement {
    const { orderBy, pagination, include, dimensions } = this.query;
    const ordered = new Set(orderBy.map(([name]) => name));
    const order = [
      ...orderBy.map(([name, direction]) => `${this.orderSql(name)} ${direction}`),
      ...dimensions
        .filter((dimension) => !ordered.has(dimension))
        .map((dimension) => this.orderSql(dimension)),
    ];
    const limit = this.parameters.add(pagination.limit, 'bigint');
    const offset = this.parameters.add(pagination.offset, 'bigint');
    const total = include.totalRows ? 'count(*) OVER ()' : 'NULL';
    const text = `${grouped} SELECT *, ${total} AS total_rows FROM grouped
      ${order.length > 0 ? `ORDER BY ${order.join(', ')}` : ''} LIMIT ${limit} OFFSET ${offset}`;
    return { text, values: this.parameters.values };
  }

  private orderSql(name: string): string {
    const dimension = this.values.findIndex((value) => value === name);
    if (dimension >= 0) return `d${dimension}`;
    const metric = this.query.metrics.find((one) => one === name);
    return metric === undefined ? 'bucket' : metricOrderSql(metric);
  }

  private neededCounters(): readonly Counter[] {
    const { metrics } = this.query;
    const needed: Counter[] = this.byEvents ? [] : ['visits'];
    if (needsEvents(metrics)) needed.push('pageviews', 'events');
    if (metrics.includes('bounce_rate')) needed.push('bounce_sessions', 'bounces');
    if (metrics.includes('visit_duration')) needed.push('duration_sessions', 'duration');
    return needed;
  }

  private countsVisitors(): boolean {
    return this.query.metrics.includes('visitors');
  }

  private countsByEntry(counter: Counter): boolean {
    const grouped = this.values.includes('event:page');
    if (counter.startsWith('duration')) return grouped;
    if (!counter.startsWith('bounce')) return false;
    return (
      grouped || this.eventFilters.flatMap(comparisonsOf).some(({ dimension }) => dimension === 'event:page')
    );
  }

  /** Of a group: value dimensions as d0, d1, …, then the bucket. */
  private keys(): readonly string[] {
    return [...this.values.map((_, index) => `d${index}`), ...(this.timed ? ['bucket'] : [])];
  }

  private totals(visitors: string): readonly string[] {
    const sum = (counter: Counter) =>
      this.counters.includes(counter)
        ? `coalesce(sum(${counter}), 0)::bigint AS ${counter}`
        : `0 AS ${counter}`;
    return [
      `${visitors} AS visitors`,
      // A session's id is a hash of its first event: no two of a site share one.
      this.byEvents
        ? `${needsSessions(this.query.metrics) ? 'count(DISTINCT session)' : 'count(*)'} AS visits`
        : sum('visits'),
      ...(['pageviews', 'events', 'bounce_sessions', 'bounces', 'duration_sessions'] as const).map(sum),
      this.counters.includes('duration')
        ? 'coalesce(extract(epoch FROM sum(duration)) * 1000, 0)::bigint AS duration_ms'
        : '0 AS duration_ms',
    ];
  }

  /** SELECT list of one part; `keys` are expressions in the order of `keys()`. */
  private contribute(contribution: Contribution, keys: readonly string[] = this.keys()): string {
    const named = this.keys().map((name, index) => `${keys[index]} AS ${name}`);
    const visitor = this.countsVisitors() ? [`${contribution.visitor ?? 'NULL'}::bigint AS visitor`] : [];
    const session = this.byEvents ? [`${contribution.session ?? 'NULL'}::bigint AS session`] : [];
    const counters = this.counters.map(
      (counter) => `${contribution[counter] ?? 'NULL'}::${COUNTERS[counter]} AS ${counter}`,
    );
    return [...named, ...visitor, ...session, ...counters].join(', ');
  }

  private sessionCounters(): Contribution {
    return {
      visits: '1',
      bounce_sessions: '1',
      bounces: 'bounced::int',
      duration_sessions: '1',
      duration: 'duration',
    };
  }

  /** The sessions that are active in the range and pass the filters on sessions. */
  private activeSessions(): string {
    const { site, range, include } = this.query;
    const earliest = this.parameters.add(timestamp(range.from - SESSION_DURATION_MAX_MS), 'timestamptz');
    const conditions = [
      `s.site = ${this.parameters.add(site, 'text')}`,
      `s.started_at < ${this.to}`,
      `s.started_at >= ${earliest}`,
      `s.ended_at >= ${this.from}`,
      ...(include.bots ? [] : ['NOT s.bot']),
      ...this.visitFilters.map((filter) => `(${treeSql(filter, (one) => this.visitPredicate(one))})`),
      ...this.eventFilters.flatMap((filter) => this.pagePreselection(filter)),
    ];
    return `FROM ${this.table} s WHERE ${conditions.join(' AND ')}`;
  }

  private visitPredicate(comparison: Comparison): string {
    if (!isVisitDimension(comparison.dimension))
      throw new Error(`${comparison.dimension} is no visit's dimension`);
    return comparisonSql(comparison, visitSql(comparison.dimension), this.parameters);
  }

  /** Spares sessions without the wanted pages from being taken apart; decides nothing. */
  private pagePreselection(filter: Filter): readonly string[] {
    if (filter.kind !== 'comparison' || filter.dimension !== 'event:page') return [];
    const plain = filter.operator === 'is' && filter.caseSensitive && !filter.values.includes('(not set)');
    return plain ? [`s.event_pages && ${this.parameters.add(filter.values, 'text[]')}`] : [];
  }

  /** 0: before the range; 1 to n: the bucket; n + 1: after the range. */
  private bucketOf(instant: string): string {
    if (this.timed) return `width_bucket(${instant}, ${this.bounds})`;
    return `CASE WHEN ${instant} < ${this.from} THEN 0 WHEN ${instant} >= ${this.to} THEN 2 ELSE 1 END`;
  }

  private contributionsOfSessions(): string {
    const visitors = this.countsVisitors();
    const takenApart = visitors || needsEvents(this.query.metrics);
    const first = this.bucketOf('s.started_at');
    const last = this.bucketOf('s.ended_at');
    const cut = visitors ? `(${first} <> ${last} OR s.event_visitors IS NOT NULL)` : `${first} <> ${last}`;
    const buckets = `generate_series(greatest(first_bucket, 1), least(last_bucket, ${this.lastBucket()})) AS bucket`;
    const dimensions = this.values.map((_, index) => `d${index}`);
    const arrays = ['event_offsets', 'event_names', 'event_visitors'];
    const whole = { ...this.sessionCounters(), visitor: 'visitor', pageviews: 'pageviews', events: 'events' };
    const parts = [
      `SELECT ${this.contribute(whole, [...dimensions, 'first_bucket'])} FROM picked WHERE NOT cut`,
      `SELECT ${this.contribute(this.sessionCounters(), [...dimensions, 'bucket'])} FROM picked, ${buckets} WHERE cut`,
      ...(takenApart ? [this.eventsOfCutSessions(dimensions)] : []),
    ];
    const columns = [
      ...this.values.map((dimension, index) => `${this.valueSql(dimension)} AS d${index}`),
      's.visitor, s.bounced, s.pageviews, s.events, s.started_at, s.ended_at - s.started_at AS duration',
      `${first} AS first_bucket, ${last} AS last_bucket, ${cut} AS cut`,
      ...(takenApart ? arrays.map((array) => `CASE WHEN ${cut} THEN s.${array} END AS ${array}`) : []),
    ];
    return `WITH picked AS MATERIALIZED (SELECT ${columns.join(', ')} ${this.activeSessions()}),
      contributions AS (${parts.join(' UNION ALL ')})`;
  }

  private eventsOfCutSessions(dimensions: readonly string[]): string {
    const contribution = { visitor: 'visitor', pageviews: `(name = 'pageview')::int`, events: '1' };
    const bucket = this.bucketOf(`started_at + moment * interval '1 millisecond'`);
    const apart = `SELECT ${[...dimensions, 'started_at', 'visitor AS session_visitor'].join(', ')},
      unnest(event_offsets) AS moment, unnest(event_names) AS name, unnest(event_visitors) AS event_visitor
      FROM picked WHERE cut`;
    const events = `SELECT ${[...dimensions, `${bucket} AS bucket`].join(', ')},
      coalesce(name, 'pageview') AS name, coalesce(event_visitor, session_visitor) AS visitor FROM (${apart}) AS apart`;
    return `SELECT ${this.contribute(contribution)} FROM (${events}) AS events
      WHERE name <> 'engagement' AND bucket BETWEEN 1 AND ${this.lastBucket()}`;
  }

  private contributionsOfEvents(): string {
    const all = this.sessionCounters();
    const byEntry = (counter: string) => this.entryCounters.includes(counter as Counter);
    const only = (wanted: (counter: string) => boolean): Contribution =>
      Object.fromEntries(
        Object.entries(all).filter(
          ([counter]) => this.counters.includes(counter as Counter) && wanted(counter),
        ),
      );
    const touching = only((counter) => !byEntry(counter));
    const entering = only(byEntry);
    const event = {
      visitor: 'visitor',
      session: 'session',
      pageviews: `(name = 'pageview')::int`,
      events: '1',
    };
    const parts = [
      `SELECT ${this.contribute(event, this.placedKeys('own'))} FROM hits WHERE matches`,
      ...(Object.keys(touching).length > 0 ? [this.oncePerSession('own', touching)] : []),
      ...(Object.keys(entering).length > 0 ? [this.oncePerSession('entry', entering)] : []),
    ];
    return `WITH ${this.hits()}, contributions AS (${parts.join(' UNION ALL ')})`;
  }

  private placedKeys(place: 'own' | 'entry'): readonly string[] {
    return [...this.values.map((_, index) => `${place}${index}`), ...(this.timed ? ['bucket'] : [])];
  }

  /** What a session adds to each group it has an event in, however many. */
  private oncePerSession(place: 'own' | 'entry', contribution: Contribution): string {
    const keys = this.placedKeys(place);
    const condition = place === 'own' ? 'matches' : 'matches_as_entered';
    return `SELECT ${this.contribute(contribution, keys)}
      FROM (SELECT ${[...keys, 'bool_or(bounced) AS bounced', 'min(duration) AS duration'].join(', ')}
            FROM hits WHERE ${condition} GROUP BY ${['session', ...keys].join(', ')}) AS once`;
  }

  /** Events, other than engagement, inside the range, each with its groups and whether it passes. */
  private hits(): string {
    const visitLeaves: string[] = [];
    const visitPredicate = (comparison: Comparison) => {
      visitLeaves.push(`${this.visitPredicate(comparison)} AS p${visitLeaves.length}`);
      return `e.p${visitLeaves.length - 1}`;
    };
    const tree = (place: 'own' | 'entry') =>
      this.eventFilters
        .map((filter) => `(${treeSql(filter, (one) => this.hitPredicate(one, { place, visitPredicate }))})`)
        .join(' AND ') || 'true';
    const byEntry = this.entryCounters.length > 0;
    const matches = tree('own');
    const matchesAsEntered = byEntry ? tree('entry') : 'false';
    const groups = this.values.flatMap((dimension, index) => {
      const sql = (place: 'own' | 'entry') =>
        isEventDimension(dimension) ? bytewise(eventSql(dimension, place)) : `e.d${index}`;
      return [`${sql('own')} AS own${index}`, ...(byEntry ? [`${sql('entry')} AS entry${index}`] : [])];
    });
    const columns = [
      ...groups,
      'e.bucket, e.session, e.bounced, e.duration, coalesce(e.event_visitor, e.visitor) AS visitor',
      `coalesce(e.name, 'pageview') AS name`,
      `${matches} AS matches`,
      `${matchesAsEntered} AS matches_as_entered`,
    ];
    return `${this.eventsApart(visitLeaves)},
      hits AS NOT MATERIALIZED (SELECT ${columns.join(', ')} FROM placed e
        WHERE e.name IS DISTINCT FROM 'engagement' AND e.bucket BETWEEN 1 AND ${this.lastBucket()}
          AND (${byEntry ? `(${matches}) OR (${matchesAsEntered})` : matches}))`;
  }

  private hitPredicate(
    comparison: Comparison,
    context: { readonly place: 'own' | 'entry'; readonly visitPredicate: (comparison: Comparison) => string },
  ): string {
    if (isVisitDimension(comparison.dimension)) return context.visitPredicate(comparison);
    return comparisonSql(comparison, eventSql(comparison.dimension, context.place), this.parameters);
  }

  private eventsApart(visitLeaves: readonly string[]): string {
    const first = this.bucketOf('s.started_at');
    const last = this.bucketOf('s.ended_at');
    const dimensions = this.values.flatMap((dimension, index) =>
      isVisitDimension(dimension) ? [`${this.valueSql(dimension)} AS d${index}`] : [],
    );
    const columns = [
      ...dimensions,
      ...visitLeaves,
      's.started_at, s.session, s.visitor, s.bounced, s.ended_at - s.started_at AS duration',
      's.entry_page, s.entry_hostname',
      `CASE WHEN ${first} = ${last} THEN ${first} END AS only_bucket`,
      'unnest(s.event_offsets) AS moment, unnest(s.event_names) AS name, unnest(s.event_pages) AS page',
      'unnest(s.event_hostnames) AS hostname, unnest(s.event_visitors) AS event_visitor',
    ];
    const bucket = this.bucketOf(`a.started_at + a.moment * interval '1 millisecond'`);
    return `apart AS (SELECT ${columns.join(', ')} ${this.activeSessions()}),
      placed AS (SELECT a.*, coalesce(a.only_bucket, ${bucket}) AS bucket FROM apart a)`;
  }

  private valueSql(dimension: ValueDimension): string {
    if (!isVisitDimension(dimension)) throw new Error(`${dimension} is no visit's dimension`);
    return bytewise(visitSql(dimension));
  }

  private lastBucket(): number {
    return this.query.buckets.bounds.length - 1;
  }
}
