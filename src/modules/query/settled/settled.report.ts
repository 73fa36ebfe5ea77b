// Answers from settled days: tens of rows for each that is shown, whatever the site's size. Days that are not
// settled, such as today, are computed from the facts in the same snapshot and added. What it answers is what
// the facts would; where it cannot be, it says so and lets them. Only of sites so large that the facts would
// be sampled it puts rare values together, and estimates the visitors of several days.
import type { ClientBase } from 'pg';
import type { FactsQuery } from '../facts/facts-query.js';
import { type FactsRow, groupOf } from '../facts/facts.report.js';
import { SqlParameters, timestamp } from '../facts/sql-parameters.js';
import { coversAll, hiddenOf, reachesInto } from '../incomplete.js';
import type { Group, Groups } from '../report.js';
import type { Range } from '../request/date-range.js';
import { orderOfGroups } from '../sources/order-of-groups.js';
import { isEventDimension } from '../vocabulary/dimensions.js';
import { COUNTER_COLUMNS } from '../vocabulary/counters.js';
import { countersOf } from '../vocabulary/metrics.js';
import { continuedOf, figuresOf, OF_EVENTS, OF_SESSIONS } from './day-figures.js';
import { type MergedGroup, MergedGroups } from './merged-groups.js';
import { type SettledQuestion, settledQuestion } from './settled-question.js';
import { settledFromSql, type SettledTables } from './settled-tables.js';
import { countLargestUnions, countUnions, type KeptVisitors, type UnionsOutcome } from './visitor-unions.js';

export interface SettledSource {
  readonly client: ClientBase;
  readonly tables: SettledTables;
  readonly facts: string;
  readonly sessionsMax: number;
  /** Bots included. */
  readonly sessionsIn: (range: Range) => Promise<number>;
  /** Whether the facts would be sampled. */
  readonly sampled: () => Promise<boolean>;
}

export interface SettledAnswer {
  readonly groups: Groups;
  readonly visitorsEstimated: boolean;
  /** A row stands for values that were rare on their day. */
  readonly otherRow: boolean;
}

/** Beyond, the facts need not be asked day by day. */
const OPEN_DAYS_MAX = 8;

/** Null: the facts or the rollup must say it. */
export async function groupsFromSettledDays(
  source: SettledSource,
  query: FactsQuery,
): Promise<SettledAnswer | null> {
  const question = settledQuestion(query);
  if (question === null) return null;
  const days = await readDays(source, query, question);
  if (days === null) return null;
  const { merged, otherRow } = await readCounts(source, { query, question, days });
  if (otherRow && !(await source.sampled())) return null;
  await addOpenDays(source, { query, question, days }, merged);
  if (query.dimensions.length === 0) merged.at(0, '');
  const wanted = wantedGroups(merged.all, query, question);
  const visitors = await withVisitors(source, { query, question, days }, wanted);
  if (visitors === null) return null;
  const order = orderOfGroups(query);
  const groups = visitors.groups.map((group) => asGroup(group, question));
  groups.sort(order);
  const { limit, offset } = query.pagination;
  return {
    groups: { groups: groups.slice(offset, offset + limit), totalRows: wanted.length },
    visitorsEstimated: visitors.outcome === 'estimated',
    otherRow,
  };
}

interface Days {
  /** Places among the question's days; those of which all visits are hidden are in neither. */
  readonly settled: readonly number[];
  readonly open: readonly number[];
}

/** A day counts as settled while it is the same day of the zone, and nothing of it may have changed. */
async function readDays(
  { client, tables, sessionsIn, sessionsMax }: SettledSource,
  { site, incomplete }: FactsQuery,
  { days, dimension, single }: SettledQuestion,
): Promise<Days | null> {
  const hidden = hiddenOf(incomplete);
  const { rows: valid } = await client.query<{ place: string; long_sessions: boolean }>(
    `SELECT place, d.long_sessions
      FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS asked(day, until, place)
      JOIN ${tables.days} d ON d.site = $1 AND d.day = asked.day AND d.until = asked.until
      WHERE d.changes = ${settledFromSql(tables, { site: '$1', from: 'asked.day', to: 'asked.until' })}`,
    [site, days.map(({ from }) => timestamp(from)), days.map(({ to }) => timestamp(to))],
  );
  const isHiddenInPart = (place: number) => hidden.some((one) => reachesInto(one, days[place]!));
  const isHidden = (place: number) => hidden.some((one) => coversAll(one, days[place]!));
  // A settled day holds all that there is.
  const rows = valid.filter(({ place }) => !isHiddenInPart(Number(place) - 1));
  const tellsEvents = dimension !== null && isEventDimension(dimension);
  if (tellsEvents && !single && rows.some((row) => row.long_sessions)) return null;
  const settled = new Set(rows.map(({ place }) => Number(place) - 1));
  const open = [...days.keys()].filter((place) => !settled.has(place) && !isHidden(place));
  if (rows.length === 0 || open.length > OPEN_DAYS_MAX) return null;
  let sessions = 0;
  for (const place of open) sessions += await sessionsIn(days[place]!);
  return sessions > sessionsMax ? null : { settled: [...settled].sort((a, b) => a - b), open };
}

interface Asked {
  readonly query: FactsQuery;
  readonly question: SettledQuestion;
  readonly days: Days;
}

type CountsRow = FactsRow & { readonly value: string; readonly most: string; readonly folded: boolean };

async function readCounts(
  { client, tables }: SettledSource,
  { query, question, days }: Asked,
): Promise<{ readonly merged: MergedGroups; readonly otherRow: boolean }> {
  const parameters = new SqlParameters();
  const starts = (places: readonly number[]) =>
    parameters.add(
      places.map((place) => timestamp(question.days[place]!.from)),
      'timestamptz[]',
    );
  const bounds = parameters.add(query.buckets.bounds.map(timestamp), 'timestamptz[]');
  const once = OF_SESSIONS.map((counter) => COUNTER_COLUMNS[counter]).map(
    (name) =>
      `sum(${name} - CASE WHEN day = (${bounds})[bucket] THEN 0 ELSE continued_${name} END)::bigint AS ${name}`,
  );
  const added = [...OF_EVENTS, 'visitors' as const]
    .map((counter) => COUNTER_COLUMNS[counter])
    .map((name) => `sum(${name})::bigint AS ${name}`);
  const { rows } = await client.query<CountsRow>(
    `SELECT bucket, value, ${[...once, ...added].join(', ')}, max(visitors) AS most, bool_or(folded) AS folded,
        sum(revenue_micros) AS revenue_micros, min(first_currency) AS first_currency, max(last_currency) AS last_currency
      FROM (SELECT *, width_bucket(day, ${bounds}) AS bucket FROM ${tables.counts}
            WHERE site = ${parameters.add(query.site, 'text')} AND dimension = ${parameters.add(question.dimension ?? '', 'text')}
              AND day = ANY(${starts(days.settled)})) AS counts
      GROUP BY bucket, value`,
    parameters.values,
  );
  const merged = new MergedGroups();
  for (const row of rows) {
    const { bucket, counters } = groupOf({ ...query, dimensions: [] }, row);
    const group = merged.at(bucket, row.value);
    group.counters = counters;
    merged.addVisitors(group, { sum: counters.visitors, most: Number(row.most) });
  }
  return { merged, otherRow: rows.some(({ folded }) => folded) };
}

/** Days one after the other with one statement, and one or two more for each that follows another in its bucket. */
async function addOpenDays(
  { client, facts: table }: SettledSource,
  { query: { site, zone, incomplete }, question, days: { open } }: Asked,
  merged: MergedGroups,
): Promise<void> {
  const { days, buckets, dimension } = question;
  for (const run of runsOf(open)) {
    const asked = { site, zone, dimension, keptValues: null, table, incomplete };
    const figures = await figuresOf(client, { ...asked, days: run.map((place) => days[place]!) });
    for (const [index, place] of run.entries()) {
      const bucket = buckets[place]!;
      const follows = buckets[place - 1] === bucket;
      const continued = follows ? await continuedOf(client, { ...asked, day: days[place]! }) : undefined;
      for (const one of figures.filter(({ day }) => day === index)) {
        merged.addDay(bucket, one, continued?.get(one.value));
      }
    }
  }
}

function runsOf(places: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run?.at(-1) === place - 1) run.push(place);
    else runs.push([place]);
  }
  return runs;
}

/** Without a visit there is no row; without dimensions there is always one. */
function wantedGroups(
  groups: readonly MergedGroup[],
  { onlyGroups, dimensions }: FactsQuery,
  { dimension }: SettledQuestion,
): readonly MergedGroup[] {
  if (dimensions.length === 0) return groups;
  const visited = groups.filter(({ counters }) => counters.visits > 0);
  if (onlyGroups === undefined) return visited;
  const timed = dimensions.length > (dimension === null ? 0 : 1);
  const keyOf = ({ bucket, value }: MergedGroup) =>
    JSON.stringify([...(dimension === null ? [] : [value]), ...(timed ? [bucket + 1] : [])]);
  const chosen = new Set(onlyGroups.map((key) => JSON.stringify(key)));
  return visited.filter((group) => chosen.has(keyOf(group)));
}

interface Counted {
  readonly groups: readonly MergedGroup[];
  readonly outcome: UnionsOutcome;
}

async function withVisitors(
  source: SettledSource,
  asked: Asked,
  groups: readonly MergedGroup[],
): Promise<Counted | null> {
  const { query, question } = asked;
  const counters = countersOf(query.metrics);
  const counted = counters.has('visitors')
    ? await countVisitors(source, asked, groups)
    : { groups, outcome: 'exact' as const };
  if (counted.outcome === 'inexact') return null;
  if (!counters.has('allVisitors')) return counted;
  const { range } = query;
  const everybody = await groupsFromSettledDays(source, {
    ...query,
    metrics: ['visitors'],
    dimensions: [],
    orderBy: [],
    onlyGroups: undefined,
    buckets: { bounds: [range.from, range.to], labels: [] },
    pagination: { limit: 1, offset: 0 },
  });
  if (everybody === null) return null;
  const allVisitors = everybody.groups.groups[0]?.counters.visitors ?? 0;
  for (const group of counted.groups) group.counters = { ...group.counters, allVisitors };
  const estimated = counted.outcome === 'estimated' || everybody.visitorsEstimated;
  return { groups: counted.groups, outcome: estimated && question.days.length > 1 ? 'estimated' : 'exact' };
}

async function countVisitors(
  source: SettledSource,
  { query, question, days }: Asked,
  groups: readonly MergedGroup[],
): Promise<Counted> {
  if (question.single) {
    for (const group of groups) {
      group.counters = { ...group.counters, visitors: group.sumOfVisitors };
    }
    return { groups, outcome: 'exact' };
  }
  const kept: KeptVisitors = {
    site: query.site,
    table: source.tables.visitors,
    dimension: question.dimension ?? '',
    days: days.settled.map((place) => ({
      from: question.days[place]!.from,
      bucket: question.buckets[place]!,
    })),
    mayEstimate: await source.sampled(),
  };
  const [[name, direction] = []] = query.orderBy;
  const { limit, offset } = query.pagination;
  if (name === 'visitors' && direction === 'desc' && offset + limit < groups.length) {
    const { outcome, largest } = await countLargestUnions(source.client, kept, {
      groups,
      count: offset + limit,
    });
    return { groups: largest, outcome };
  }
  const ofVisitors = query.orderBy.some(([one]) => one === 'visitors' || one === 'percentage');
  const shown = ofVisitors ? groups : pageOf(groups, query, question);
  return { groups: shown, outcome: await countUnions(source.client, kept, shown) };
}

/** In order, up to the end of the page. */
function pageOf(
  groups: readonly MergedGroup[],
  query: FactsQuery,
  question: SettledQuestion,
): readonly MergedGroup[] {
  const { limit, offset } = query.pagination;
  const order = orderOfGroups(query);
  const ordered = groups.map((group) => ({ group, as: asGroup(group, question) }));
  ordered.sort((a, b) => order(a.as, b.as));
  return ordered.slice(0, offset + limit).map(({ group }) => group);
}

const asGroup = ({ bucket, value, counters }: MergedGroup, { dimension }: SettledQuestion): Group => ({
  bucket,
  values: dimension === null ? [] : [value],
  counters,
});
