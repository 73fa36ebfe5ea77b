// Makes the tables that projections declare: one per version, range-partitioned by month where the
// declaration says so. Everything is "if not exists" under one lock, so any number of processes
// may boot at once.
import type { Pool, PoolClient } from 'pg';
import { sqlType } from '../../postgres/binary-copy.js';
import { type Projection, tableOf } from './projection.js';

const LOCK = "pg_advisory_xact_lock(hashtext('tidemark read-model tables'))";
/** All earlier sessions share one partition: imports reach far back, and thinly. */
const FIRST_MONTH = Date.UTC(2010, 0, 1);

export async function createReadModelTables(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await locked(pool, async (client) => {
    for (const projection of projections) await client.query(tableSql(projection));
  });
}

/** Remembers which months exist, so that a commit asks PostgreSQL only for new ones. */
export class MonthPartitions {
  readonly #known = new Set<number>();

  constructor(
    private readonly pool: Pool,
    private readonly table: string,
  ) {}

  /** @param times epoch ms of the rows about to be written */
  async ensure(times: Iterable<number>): Promise<void> {
    const missing = new Set<number>();
    let month = Number.NaN;
    let nextMonth = Number.NaN;
    for (const time of times) {
      if (time >= month && time < nextMonth) continue;
      month = monthOf(time);
      nextMonth = monthAfter(month);
      if (!this.#known.has(month)) missing.add(month);
    }
    if (missing.size === 0) return;
    await locked(this.pool, async (client) => {
      for (const wanted of missing) await client.query(partitionSql(this.table, wanted));
    });
    for (const made of missing) this.#known.add(made);
  }
}

function monthOf(time: number): number {
  if (time < FIRST_MONTH) return Number.NEGATIVE_INFINITY;
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

function monthAfter(month: number): number {
  if (!Number.isFinite(month)) return FIRST_MONTH;
  const date = new Date(month);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

function partitionName(table: string, month: number): string {
  return Number.isFinite(month)
    ? `${table}_${isoDay(month).slice(0, 7).replace('-', '_')}`
    : `${table}_earlier`;
}

function partitionSql(table: string, month: number): string {
  const from = Number.isFinite(month) ? `'${isoDay(month)} 00:00:00+00'` : 'MINVALUE';
  const range = `(${from}) TO ('${isoDay(monthAfter(month))} 00:00:00+00')`;
  // Room on the page: rows of running sessions are rewritten at every flush.
  return `CREATE TABLE IF NOT EXISTS ${partitionName(table, month)} PARTITION OF ${table}
    FOR VALUES FROM ${range} WITH (fillfactor = 85)`;
}

const isoDay = (time: number): string => new Date(time).toISOString().slice(0, 10);

function tableSql(projection: Projection): string {
  const table = tableOf(projection);
  const columns = Object.entries(projection.columns).map(
    ([name, type]) => `${name} ${sqlType(type)}${sqlType(type) === 'text' ? ' COLLATE "C"' : ''}`,
  );
  const indexes = (projection.indexes ?? []).map(
    ({ column, where }) =>
      `CREATE INDEX IF NOT EXISTS ${table}_${column} ON ${table} (${column})${where ? ` WHERE ${where}` : ''};`,
  );
  return `
    CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')}, PRIMARY KEY (${projection.primaryKey.join(', ')}))
      ${projection.partitionBy ? `PARTITION BY RANGE (${projection.partitionBy})` : 'WITH (fillfactor = 70)'};
    ${indexes.join('\n')}
    COMMENT ON TABLE ${table} IS '${projection.meaning.replaceAll("'", "''")}';`;
}

async function locked(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN; SELECT ${LOCK}`);
    await work(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
