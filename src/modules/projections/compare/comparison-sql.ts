// The statement that compares two versions of a projection. Every row of either is read once: rows with
// the same key become pairs, pairs become days of sites, days become metrics, and only what was asked
// for leaves the database. Values come in as parameters, names from declarations only.
import type { Comparison } from './comparison.js';
import type { DifferencePlace } from './difference-cursor.js';

export interface ComparedTables {
  readonly a: string;
  readonly b: string;
}

export interface ComparisonParameters {
  /** The sites whose days are not those of UTC, and their zones, in the same order. */
  readonly sites: readonly string[];
  readonly zones: readonly string[];
  /** Null: every one. */
  readonly only: readonly string[] | null;
  /** `YYYY-MM-DD`, both included; null: no bound. */
  readonly from: string | null;
  readonly to: string | null;
  /** A metric may differ by this, plus this share of what it is in a. */
  readonly toleratedAmount: number;
  readonly toleratedShare: number;
  readonly limit: number;
  /** The last of the page before; null: the first page. */
  readonly after: DifferencePlace | null;
}

/** In the order of the statement's placeholders. */
export const comparisonValues = (given: ComparisonParameters): readonly unknown[] => [
  ...[given.sites, given.zones, given.only, given.from, given.to],
  ...[given.toleratedAmount, given.toleratedShare, given.limit],
  ...[given.after?.size ?? null, given.after?.site ?? null],
  ...[given.after?.date ?? null, given.after?.metric ?? null],
];

const SIDES = ['a', 'b'] as const;
const VISITORS = 'visitors';

/**
 * Gives one row: `rows` in the scope of both versions together, `totals`, how many are `differing` beyond
 * the tolerance, and of those a `page`, with one more than asked for if there is a next one.
 */
export function comparisonSql(comparison: Comparison, tables: ComparedTables): string {
  const names = [
    ...(comparison.countsVisitors ? [VISITORS] : []),
    ...comparison.metrics.map(({ name }) => name),
  ];
  const metrics = `(VALUES ${[
    ...names.map((name) => `('${name}', a_${name}, b_${name}, a_${name})`),
    `('${comparison.changed}', 0, changed, a_row_count)`,
  ].join(', ')}) AS metrics(metric, a, b, base)`;
  return `WITH ${pairs(comparison, tables)}, ${comparison.countsVisitors ? `${visitors()}, ` : ''}${days(comparison)},
    total AS (SELECT ${totals(names)} FROM days),
    differing AS MATERIALIZED (
      SELECT site, day, metric, a, b, b - a AS difference, abs(b - a) AS size
      FROM days, LATERAL ${metrics} WHERE abs(b - a) > $6::numeric + base * $7::numeric)
    SELECT (a_row_count + b_row_count)::float8 AS rows,
      (SELECT json_agg(json_build_object('metric', metric, 'a', a, 'b', b, 'difference', b - a)) FROM ${metrics}) AS totals,
      (SELECT count(*) FROM differing)::int AS differing,
      (SELECT coalesce(json_agg(page), '[]') FROM (
        SELECT site, day AS date, metric, a, b, difference FROM differing
        WHERE $9::numeric IS NULL OR (-size, site, day, metric COLLATE "C") > (-$9, $10::text, $11::date, $12::text)
        ORDER BY size DESC, site, day, metric COLLATE "C" LIMIT $8::int + 1) AS page) AS page
    FROM total`;
}

function pairs(comparison: Comparison, { a, b }: ComparedTables): string {
  const { key, at } = comparison;
  const carried = SIDES.flatMap((side) => [
    `${side}.fingerprint IS NOT NULL AS ${side}_present`,
    ...carriedColumns(comparison).map((column) => `${side}.${column} AS ${side}_${column}`),
  ]);
  return `pairs AS MATERIALIZED (
      SELECT * FROM (
        SELECT site, (${at} AT TIME ZONE coalesce(zone, 'UTC'))::date AS day,
          a.fingerprint IS DISTINCT FROM b.fingerprint AS changed, ${carried.join(', ')}
        FROM (${rows(comparison, a)}) AS a FULL JOIN (${rows(comparison, b)}) AS b USING (${key.join(', ')})
          LEFT JOIN unnest($1::text[], $2::text[]) AS zones(site, zone) USING (site)
      ) AS placed
      WHERE ($4::date IS NULL OR day >= $4) AND ($5::date IS NULL OR day <= $5))`;
}

/**
 * A row travels as its key, what metrics need, and a 64-bit hash of all that is compared, because whole
 * rows would not fit into memory: of changed rows, one in 1.8e19 goes unnoticed.
 */
function rows(comparison: Comparison, table: string): string {
  const { key, at, columns } = comparison;
  const carried = carriedColumns(comparison).filter((column) => !key.includes(column));
  const selected = carried.map((column) => (column === EVENT_VISITORS ? eventVisitors : column));
  // Bounds beside the exact ones on the day, wide enough for any time zone: for these there is an index.
  return `SELECT ${[...key, ...selected].join(', ')}, hash_record_extended(ROW(${columns.join(', ')}), 0) AS fingerprint
    FROM ${table}
    WHERE ($3::text[] IS NULL OR site = ANY($3))
      AND ($4::date IS NULL OR ${at} >= ($4::date - 1)::timestamp AT TIME ZONE 'UTC')
      AND ($5::date IS NULL OR ${at} < ($5::date + 2)::timestamp AT TIME ZONE 'UTC')`;
}

/** The ids of a session in which the visitor's id changed; null for all the others. */
const EVENT_VISITORS = 'event_visitors_once';
const eventVisitors = `CASE WHEN event_visitors IS NOT NULL THEN ARRAY(
  SELECT DISTINCT id FROM unnest(event_visitors, event_names) AS events(id, name)
  WHERE name IS DISTINCT FROM 'engagement') END AS ${EVENT_VISITORS}`;

function carriedColumns({ metrics, countsVisitors }: Comparison): readonly string[] {
  const needed = metrics.flatMap(({ columns }) => columns);
  return [...new Set([...needed, ...(countsVisitors ? ['bot', 'visitor', EVENT_VISITORS] : [])])];
}

/** By site and day; with `day` null, by site over all its days, as visitors do not add up. */
function visitors(): string {
  const inA = (of: string, where: string) =>
    `SELECT site, day, ${of} AS visitor, true AS in_a, NOT changed AS in_b FROM pairs WHERE NOT a_bot AND ${where}`;
  const inBOnly = (of: string, where: string) =>
    `SELECT site, day, ${of}, false, true FROM pairs WHERE changed AND NOT b_bot AND ${where}`;
  return `seen AS (
      ${inA('a_visitor', `a_${EVENT_VISITORS} IS NULL`)}
      UNION ALL ${inA(`unnest(a_${EVENT_VISITORS})`, `a_${EVENT_VISITORS} IS NOT NULL`)}
      UNION ALL ${inBOnly('b_visitor', `b_${EVENT_VISITORS} IS NULL`)}
      UNION ALL ${inBOnly(`unnest(b_${EVENT_VISITORS})`, `b_${EVENT_VISITORS} IS NOT NULL`)}),
    visitors AS (
      SELECT site, day, count(*) FILTER (WHERE in_a) AS a_visitors, count(*) FILTER (WHERE in_b) AS b_visitors
      FROM (SELECT site, day, bool_or(in_a) AS in_a, bool_or(in_b) AS in_b FROM seen
        GROUP BY GROUPING SETS ((site, day, visitor), (site, visitor))) AS distinct_visitors
      GROUP BY site, day)`;
}

function days({ metrics, countsVisitors }: Comparison): string {
  const measured = SIDES.flatMap((side) => [
    `count(*) FILTER (WHERE ${side}_present) AS ${side}_row_count`,
    ...metrics.map(({ name, sql }) => `${numeric(sql((column) => `${side}_${column}`))} AS ${side}_${name}`),
  ]);
  const ofVisitors = SIDES.map((side) => `${numeric(`${side}_visitors`)} AS ${side}_visitors`);
  const complete = countsVisitors
    ? `SELECT measured.*, ${ofVisitors.join(', ')} FROM measured LEFT JOIN visitors USING (site, day)`
    : 'SELECT * FROM measured';
  return `measured AS (
      SELECT site, day, count(*) FILTER (WHERE changed) AS changed, ${measured.join(', ')} FROM pairs GROUP BY site, day),
    days AS MATERIALIZED (${complete})`;
}

function totals(names: readonly string[]): string {
  const sums = ['changed', ...SIDES.map((side) => `${side}_row_count`)];
  for (const name of names) {
    if (name !== VISITORS) sums.push(...SIDES.map((side) => `${side}_${name}`));
  }
  const counted = names.includes(VISITORS)
    ? SIDES.map(
        (side) =>
          `(SELECT ${numeric(`sum(${side}_visitors)`)} FROM visitors WHERE day IS NULL) AS ${side}_visitors`,
      )
    : [];
  return [...sums.map((column) => `${numeric(`sum(${column})`)} AS ${column}`), ...counted].join(', ');
}

const numeric = (expression: string): string => `coalesce(${expression}, 0)::numeric`;
