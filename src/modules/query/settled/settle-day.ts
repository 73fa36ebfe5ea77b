// Settles one day of one site: everything from one snapshot, together with what says later whether the
// facts of the day are still the same. Two that settle a day at once do not wait for each other.
import { type ClientBase, DatabaseError, type Pool, type PoolClient } from 'pg';
import { SESSION_DURATION_MAX_MS } from '../../projections/read-models/sessions.read-model.js';
import { countOfIds, idsAsBytes, summaryOfIds } from '../../projections/read-models/visitor-ids.js';
import { EXACT_VISITORS_MAX } from '../../projections/read-models/visitor-sketch.js';
import { OTHER } from '../facts/facts-query.js';
import { LAST_EVENT_AT } from '../facts/session-selection.js';
import { timestamp } from '../facts/sql-parameters.js';
import type { Range } from '../request/date-range.js';
import { COUNTER_COLUMNS } from '../vocabulary/counters.js';
import {
  continuedOf,
  type DayFigures,
  type FiguresAsked,
  figuresOf,
  hasLongSessions,
  NO_SESSIONS,
  OF_EVENTS,
  OF_SESSIONS,
  type OfSessions,
} from './day-figures.js';
import { SETTLED_DIMENSIONS, type SettledDimension } from './settled-question.js';
import { settledFromSql, type SettledTables } from './settled-tables.js';

/** `taken`: another one is at it. */
export type SettleOutcome = 'settled' | 'taken';

export interface DayToSettle {
  readonly site: string;
  readonly zone: string;
  readonly day: Range;
  readonly facts: string;
  readonly tables: SettledTables;
  /** Of each dimension; the rest are put together. */
  readonly valuesMax: number;
  /** Of each statement. */
  readonly timeoutMs: number;
}

/** A day's visitors are kept one by one up to here: half a megabyte without a dimension, an eighth of that for a value. */
const IDS_KEPT_MAX = { whole: 65_536, value: 8_192 } as const;
const COPY = 'settling';
const OVERTAKEN: ReadonlySet<string> = new Set(['40001', '23505']);

/** @throws Error of PostgreSQL, as when a statement takes too long, or after the signal */
export async function settleDay(
  pool: Pool,
  asked: DayToSettle,
  signal?: AbortSignal,
): Promise<SettleOutcome> {
  const client = await pool.connect();
  let broken: Error | undefined;
  /** Ends the connection under the statement. */
  const abandon = () => client.release(true);
  signal?.addEventListener('abort', abandon, { once: true });
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ;
      SET LOCAL statement_timeout = ${Math.floor(asked.timeoutMs)};
      SET LOCAL jit = off;
      SET LOCAL synchronous_commit = off`);
    const outcome = await settle(client, asked);
    await client.query(outcome === 'settled' ? 'COMMIT' : 'ROLLBACK');
    return outcome;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
    if (error instanceof DatabaseError && OVERTAKEN.has(error.code ?? '')) return 'taken';
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
    if (!signal?.aborted) client.release(broken);
  }
}

async function settle(client: PoolClient, asked: DayToSettle): Promise<SettleOutcome> {
  const { site, day, facts, tables } = asked;
  const { rows } = await client.query<{ free: boolean; changes: string }>(
    `SELECT pg_try_advisory_xact_lock(hashtext('${tables.days}'), hashtext(concat_ws(' ', $2::timestamptz, $1::text))) AS free,
      ${settledFromSql(tables, { site: '$1', from: '$2::timestamptz', to: '$3::timestamptz' })} AS changes`,
    [site, timestamp(day.from), timestamp(day.to)],
  );
  if (!rows[0]!.free) return 'taken';
  const long = await hasLongSessions(client, { ...asked, table: facts });
  await copySessions(client, asked);
  await forgetDays(client, tables, { site, days: [day.from] });
  await client.query(
    `INSERT INTO ${tables.days} (site, day, until, changes, long_sessions) VALUES ($1, $2, $3, $4, $5)`,
    [site, timestamp(day.from), timestamp(day.to), rows[0]!.changes, long],
  );
  const whole = await settleDimension(client, asked, null);
  if (whole > 0) for (const dimension of SETTLED_DIMENSIONS) await settleDimension(client, asked, dimension);
  return 'settled';
}

/** What was settled of the days before. */
export async function forgetDays(
  client: Pick<ClientBase, 'query'>,
  tables: SettledTables,
  { site, days }: { readonly site: string; readonly days: readonly number[] },
): Promise<void> {
  const of = [site, days.map(timestamp)];
  await client.query(`DELETE FROM ${tables.days} WHERE site = $1 AND day = ANY($2::timestamptz[])`, of);
  await client.query(`DELETE FROM ${tables.visitors} WHERE site = $1 AND day = ANY($2::timestamptz[])`, of);
  await client.query(
    `DELETE FROM ${tables.counts} WHERE site = $1 AND day = ANY($2::timestamptz[]) AND dimension = ANY($3)`,
    [...of, ['', ...SETTLED_DIMENSIONS]],
  );
}

/** So that each dimension reads the day's sessions, and not those of three days. */
async function copySessions(client: PoolClient, { site, day, facts }: DayToSettle): Promise<void> {
  await client.query(`CREATE TEMPORARY TABLE ${COPY} (LIKE ${facts}) ON COMMIT DROP`);
  await client.query(
    `INSERT INTO ${COPY} SELECT s.* FROM ${facts} s WHERE s.site = $1 AND s.started_at < $2 AND s.started_at >= $3
      AND greatest(s.ended_at, ${LAST_EVENT_AT}) >= $4 AND NOT s.bot`,
    [site, ...[day.to, day.from - SESSION_DURATION_MAX_MS, day.from].map(timestamp)],
  );
  await client.query(`ANALYZE ${COPY}`);
}

/** How many rows it made. */
async function settleDimension(
  client: PoolClient,
  { site, zone, day, valuesMax, tables }: DayToSettle,
  dimension: SettledDimension | null,
): Promise<number> {
  const asked: FiguresAsked = { site, zone, days: [day], dimension, keptValues: null, table: COPY };
  const largest = await figuresOf(client, asked, valuesMax + 1);
  const folded = largest.length > valuesMax;
  const keptValues = folded ? largest.slice(0, valuesMax).map(({ value }) => value) : null;
  const figures = folded ? await figuresOf(client, { ...asked, keptValues }) : largest;
  const continued = await continuedOf(client, { ...asked, day, keptValues });
  const place = { site, dimension: dimension ?? '', day, folded };
  await insertCounts(client, tables.counts, { place, figures, continued });
  await insertVisitors(client, tables.visitors, { place, figures });
  return figures.length;
}

interface Settled {
  readonly place: {
    readonly site: string;
    readonly dimension: string;
    readonly day: Range;
    readonly folded: boolean;
  };
  readonly figures: readonly DayFigures[];
}

const SUMMED = ['visitors', ...OF_SESSIONS, ...OF_EVENTS] as const;

async function insertCounts(
  client: PoolClient,
  table: string,
  { place, figures, continued }: Settled & { readonly continued: ReadonlyMap<string, OfSessions> },
): Promise<void> {
  const { site, dimension, day, folded } = place;
  const columns: [name: string, type: string, values: readonly unknown[]][] = [
    ['value', 'text', figures.map(({ value }) => value)],
    ...SUMMED.map((counter): [string, string, readonly unknown[]] => [
      COUNTER_COLUMNS[counter],
      'bigint',
      figures.map(({ counters }) => counters[counter]),
    ]),
    ...OF_SESSIONS.map((counter): [string, string, readonly unknown[]] => [
      `continued_${COUNTER_COLUMNS[counter]}`,
      'bigint',
      figures.map(({ value }) => (continued.get(value) ?? NO_SESSIONS)[counter]),
    ]),
    ['revenue_micros', 'numeric', figures.map(({ counters }) => counters.revenueMicros.toString())],
    ['first_currency', 'text', figures.map(({ counters }) => counters.firstCurrency)],
    ['last_currency', 'text', figures.map(({ counters }) => counters.lastCurrency)],
  ];
  const names = columns.map(([name]) => name).join(', ');
  const arrays = columns.map(([, type], index) => `$${index + 5}::${type}[]`).join(', ');
  await client.query(
    `INSERT INTO ${table} (site, dimension, day, folded, ${names})
      SELECT $1, $2, $3, $4::boolean AND value = '${OTHER}', ${names} FROM unnest(${arrays}) AS figures(${names})`,
    [site, dimension, timestamp(day.from), folded, ...columns.map(([, , values]) => values)],
  );
}

async function insertVisitors(
  client: PoolClient,
  table: string,
  { place: { site, dimension, day }, figures }: Settled,
): Promise<void> {
  const came = figures.filter(({ ids }) => ids.length > 0);
  await client.query(
    `INSERT INTO ${table} (site, dimension, day, value_hash, value, summary, ids)
      SELECT $1, $2, $3, hashtextextended(value, 0), value, summary, ids
      FROM unnest($4::text[], $5::bytea[], $6::bytea[]) AS came(value, summary, ids)`,
    [
      site,
      dimension,
      timestamp(day.from),
      came.map(({ value }) => value),
      came.map(({ ids }) => summaryOfIds(ids, EXACT_VISITORS_MAX)),
      came.map(({ ids }) => idsToKeep(ids, dimension === '' ? IDS_KEPT_MAX.whole : IDS_KEPT_MAX.value)),
    ],
  );
}

/** Null where the summary says it already, or they are too many. */
function idsToKeep(ids: Buffer, keptMax: number): Buffer | null {
  const count = countOfIds(ids);
  return count > EXACT_VISITORS_MAX && count <= keptMax ? idsAsBytes(ids) : null;
}
