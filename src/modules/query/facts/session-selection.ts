// Which sessions a question is about: site, range, bots, filters, what is hidden → FROM … WHERE. Every report over the
// facts begins here, so that all of them mean the same by "the visits of".
import { SESSION_DURATION_MAX_MS } from '../../projections/read-models/sessions.read-model.js';
import type { Excess } from '../../auth/quotas/excess.js';
import { hiddenOf } from '../incomplete.js';
import type { Range } from '../request/date-range.js';
import { type Filter, isEventFilter } from '../request/filters.js';
import type { Goal } from '../vocabulary/goal.js';
import { sampleSql } from './facts-query.js';
import { type FilterContext, scrollGoalsNamed, sessionLeafSql, someEventSql, treeSql } from './filter-sql.js';
import { type SqlParameters, timestamp } from './sql-parameters.js';

/** Every ReportQuery is one. */
export interface SessionsAsked {
  readonly site: string;
  readonly range: Range;
  readonly zone: string;
  readonly filters: readonly Filter[];
  /** Those that the filters can name. */
  readonly goals: readonly Goal[];
  readonly include: { readonly bots: boolean };
  readonly sampledSteps?: number;
  readonly underWayAt?: number;
  /** Times that it lacks something of; what is hidden of them is left out here. */
  readonly incomplete?: readonly Excess[];
}

export interface FactsSource {
  /** Of the version of the facts that answers, such as `sessions_v1`. */
  readonly table: string;
  readonly parameters: SqlParameters;
}

/**
 * `FROM sessions_v1 s WHERE …`: the sessions active in the range that pass all filters; of filters
 * on events, those with at least one matching event in the range. What a query counts as `visits`.
 */
export function matchingSessions(asked: SessionsAsked, source: FactsSource): string {
  const eventFilters = asked.filters.filter(isEventFilter);
  if (eventFilters.length === 0) return activeSessions(asked, source);
  const scrolls = scrollGoalsNamed(eventFilters, asked.goals).length > 0;
  const active = activeSessions(asked, source, scrolls ? LAST_EVENT_AT : undefined);
  return `${active} AND ${someEventSql(eventFilters, filterContext(asked, source))}`;
}

/**
 * The same for who takes sessions apart and asks each event itself: filters on events only spare some
 * sessions that cannot match, and decide nothing. `lastAt`: by which instant a session is over.
 */
export function activeSessions(
  asked: SessionsAsked,
  source: FactsSource,
  lastAt: string = 's.ended_at',
): string {
  const { site, range, include, filters } = asked;
  const { table, parameters } = source;
  const context = filterContext(asked, source);
  const instant = (epochMs: number) => parameters.add(timestamp(epochMs), 'timestamptz');
  const conditions = [
    `s.site = ${parameters.add(site, 'text')}`,
    `s.started_at < ${instant(range.to)}`,
    `s.started_at >= ${instant(range.from - SESSION_DURATION_MAX_MS)}`,
    `${lastAt} >= ${instant(range.from)}`,
    ...(include.bots ? [] : ['NOT s.bot']),
    ...sampleSql(asked, parameters),
    ...(asked.underWayAt === undefined
      ? []
      : [`s.started_at < ${instant(asked.underWayAt)}`, `s.ended_at >= ${instant(asked.underWayAt)}`]),
    ...hiddenOf(asked.incomplete).map(
      ({ from, to }) => `NOT (s.started_at >= ${instant(from)} AND s.started_at < ${instant(to)})`,
    ),
    ...filters
      .filter((filter) => !isEventFilter(filter))
      .map((filter) => `(${treeSql(filter, (leaf) => sessionLeafSql(leaf, context))})`),
    ...filters.flatMap((filter) => pagePreselection(filter, parameters)),
  ];
  return `FROM ${table} s WHERE ${conditions.join(' AND ')}`;
}

/** The session's last event, engagement included: attention is paid after the last pageview, too. */
export const LAST_EVENT_AT = `(s.started_at + s.event_offsets[cardinality(s.event_offsets)] * interval '1 millisecond')`;

export const filterContext = (
  { goals, range, zone }: SessionsAsked,
  { parameters }: FactsSource,
): FilterContext => ({ goals, range, zone, parameters });

/** Spares sessions without the wanted pages from being taken apart; decides nothing. */
function pagePreselection(filter: Filter, parameters: SqlParameters): readonly string[] {
  if (filter.kind !== 'comparison' || filter.dimension !== 'event:page') return [];
  const plain = filter.operator === 'is' && filter.caseSensitive && !filter.values.includes('(not set)');
  return plain ? [`s.event_pages && ${parameters.add(filter.values, 'text[]')}`] : [];
}
