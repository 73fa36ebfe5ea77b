// What is compared of a projection, from its declarations in both versions. Pure. A new counters
// projection needs nothing here; sessions are known by name, because only for them there is more to
// say than how many rows there are and which of them differ.
import type { DeclaredCounters, DeclaredProjection } from '../projection.js';

export interface Metric {
  readonly name: string;
  readonly columns: readonly string[];
  /** Over a day's rows, in one version, whose column is called `of(column)`; `of('present')`: there is a row. */
  readonly sql: (of: (column: string) => string) => string;
}

export interface Comparison {
  /** Rows of both versions with the same key are a pair. */
  readonly key: readonly string[];
  /** Column of the key by which a row belongs to a day. */
  readonly at: string;
  /** Whose days: those of the site's time zone, or of UTC where rows are of UTC hours. */
  readonly days: 'site' | 'utc';
  /** Beside the key: a row in which one of them differs has changed. */
  readonly columns: readonly string[];
  /** In one version only, or not of one type. */
  readonly columnsNotCompared: readonly string[];
  readonly metrics: readonly Metric[];
  /** Whether the distinct visitors of sessions are counted, which no sum over rows can say. */
  readonly countsVisitors: boolean;
  /** Name of the metric that counts rows which differ, or are in one version only. */
  readonly changed: string;
}

const BOT = 'bot';
const VISITOR_COLUMNS = ['visitor', 'event_visitors', 'event_names', BOT] as const;

const count = (name: string, columns: readonly string[], where: Metric['sql']): Metric => ({
  name,
  columns,
  sql: (of) => `count(*) FILTER (WHERE ${where(of)})`,
});

const sum = (name: string, column: string, where: 'bots' | 'humans'): Metric => ({
  name,
  columns: [column, BOT],
  sql: (of) => `sum(${of(column)}) FILTER (WHERE ${where === 'bots' ? '' : 'NOT '}${of(BOT)})`,
});

/** As answers count them: bots apart. */
const SESSION_METRICS: readonly Metric[] = [
  count('visits', [BOT], (of) => `NOT ${of(BOT)}`),
  sum('pageviews', 'pageviews', 'humans'),
  sum('events', 'events', 'humans'),
  count('bounces', [BOT, 'bounced'], (of) => `NOT ${of(BOT)} AND ${of('bounced')}`),
  {
    name: 'visit_duration_s',
    columns: ['started_at', 'ended_at', BOT],
    sql: (of) =>
      `extract(epoch FROM sum(${of('ended_at')} - ${of('started_at')}) FILTER (WHERE NOT ${of(BOT)}))`,
  },
  count('bot_visits', [BOT], (of) => of(BOT)),
  sum('bot_pageviews', 'pageviews', 'bots'),
  sum('bot_events', 'events', 'bots'),
];

/** Null: keyed differently, so that no row of one is the same row in the other. */
export function comparisonOf(a: DeclaredProjection, b: DeclaredProjection): Comparison | null {
  if (a.primaryKey.join() !== b.primaryKey.join()) return null;
  const at = a.primaryKey.find((column) => a.columns[column] === 'timestamptz');
  if (at === undefined) throw new Error(`Projection ${a.name} has no time in its key`);
  const names = [...new Set([...Object.keys(a.columns), ...Object.keys(b.columns)])];
  const alike = new Set(names.filter((column) => a.columns[column] === b.columns[column]));
  const inBoth = (columns: readonly string[]) => columns.every((column) => alike.has(column));
  const isSessions = a.name === 'sessions';
  return {
    key: a.primaryKey,
    at,
    days: a.kind === 'counters' ? 'utc' : 'site',
    columns: [...alike].filter((column) => !a.primaryKey.includes(column)),
    columnsNotCompared: names.filter((column) => !alike.has(column)),
    metrics: metricsOf(a).filter(({ columns }) => inBoth(columns)),
    countsVisitors: isSessions && inBoth(VISITOR_COLUMNS),
    changed: isSessions ? 'sessions_changed' : 'rows_changed',
  };
}

function metricsOf(declared: DeclaredProjection): readonly Metric[] {
  if (declared.name === 'sessions') return SESSION_METRICS;
  if (declared.kind === 'counters') return counterMetrics(declared);
  return [count('rows', [], (of) => of('present'))];
}

function counterMetrics({ sums, columns }: DeclaredCounters): readonly Metric[] {
  if (columns[BOT] !== 'boolean') {
    return sums.map((column) => ({
      name: column,
      columns: [column],
      sql: (of) => `sum(${of(column)})`,
    }));
  }
  return (['humans', 'bots'] as const).flatMap((whose) =>
    sums.map((column) => sum(whose === 'bots' ? `bot_${column}` : column, column, whose)),
  );
}
