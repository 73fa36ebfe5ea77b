// Makes the tables that projections declare: one per version, range-partitioned by month where the
// declaration says so. Everything is "if not exists" under a lock, so any number of processes
// may boot at once. Tables that are filled in bulk get their keys and indexes when all is in.
import type { Pool, PoolClient } from 'pg';
import { sqlType } from '../../postgres/binary-copy.js';
import { AS_OWNER } from '../../postgres/database-roles.js';
import { entranceOf, entranceSql, rowSecuritySql } from '../../postgres/row-security.js';
import { type Projection, tableOf } from './projection.js';
import { changedPeriodsSql, changedPeriodsTable } from './read-models/changed-periods.js';

const TABLES_LOCK = 'tidemark read-model tables';
/** Another one: while indexes are made, months are added to other versions. */
const INDEXES_LOCK = 'tidemark read-model indexes';
/** All earlier sessions share one partition: imports reach far back, and thinly. */
const FIRST_MONTH = Date.UTC(2010, 0, 1);

export async function createReadModelTables(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await locked(pool, TABLES_LOCK, async (client) => {
    for (const projection of projections) {
      await client.query(tableSql(projection, keySql(projection)));
      for (const sql of indexesSql(projection)) await client.query(sql);
    }
    await createChangedPeriods(client, projections[0]!.version);
  });
}

/** Rows go in without keys and indexes; counters are added to by key from the start. */
export async function createBulkTables(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await locked(pool, TABLES_LOCK, async (client) => {
    for (const projection of projections) {
      await client.query(tableSql(projection, projection.kind === 'rows' ? '' : keySql(projection)));
    }
    await createChangedPeriods(client, projections[0]!.version);
  });
}

/** What bulk tables lack. Takes minutes where there is much; done once, whoever asks. */
export async function indexBulkTables(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await locked(pool, INDEXES_LOCK, async (client) => {
    await client.query(`SET LOCAL maintenance_work_mem TO '128MB'`);
    for (const projection of projections) {
      const { rows } = await client.query(
        `SELECT FROM pg_constraint WHERE contype = 'p' AND conrelid = $1::regclass`,
        [tableOf(projection)],
      );
      if (rows.length > 0) continue;
      await client.query(`ALTER TABLE ${tableOf(projection)} ADD ${keySql(projection)}`);
      for (const sql of indexesSql(projection)) await client.query(sql);
      await client.query(`ANALYZE ${tableOf(projection)}`);
    }
  });
}

export async function dropReadModelTables(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await locked(pool, TABLES_LOCK, async (client) => {
    for (const table of projections.map(tableOf)) {
      await client.query(`DROP TABLE IF EXISTS ${entranceOf(table)}; DROP TABLE IF EXISTS ${table}`);
    }
    await client.query(`DROP TABLE IF EXISTS ${changedPeriodsTable(projections[0]!.version)}`);
  });
}

async function createChangedPeriods(client: PoolClient, version: number): Promise<void> {
  await client.query(changedPeriodsSql(version));
  await client.query(rowSecuritySql(changedPeriodsTable(version)));
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
    await locked(this.pool, TABLES_LOCK, async (client) => {
      for (const wanted of missing) {
        await client.query(partitionSql(this.table, wanted));
        await client.query(rowSecuritySql(partitionName(this.table, wanted)));
      }
    });
    for (const made of missing) this.#known.add(made);
  }
}

/** A time in every month that the table has a partition for: its beginning, but of all that is early its end. */
export async function monthsOf(client: Pick<PoolClient, 'query'>, table: string): Promise<readonly number[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::regclass`,
    [table],
  );
  return rows.map(({ name }) => {
    const [, year, month] = /_(\d{4})_(\d\d)$/.exec(name) ?? [];
    return year === undefined ? FIRST_MONTH - 1 : Date.UTC(Number(year), Number(month) - 1, 1);
  });
}

/** The partition that rows of that time lie in. */
export const monthTableOf = (table: string, time: number): string => partitionName(table, monthOf(time));

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

const keySql = ({ primaryKey }: Projection): string => `PRIMARY KEY (${primaryKey.join(', ')})`;

function indexesSql(projection: Projection): readonly string[] {
  const table = tableOf(projection);
  return (projection.indexes ?? []).map(
    ({ columns, where }) =>
      `CREATE INDEX IF NOT EXISTS ${table}_${columns.join('_')} ON ${table} (${columns.join(', ')})${where ? ` WHERE ${where}` : ''}`,
  );
}

/** @param key the primary key, or nothing */
function tableSql(projection: Projection, key: string): string {
  const table = tableOf(projection);
  const columns = Object.entries(projection.columns).map(
    ([name, type]) => `${name} ${sqlType(type)}${sqlType(type) === 'text' ? ' COLLATE "C"' : ''}`,
  );
  return `
    CREATE TABLE IF NOT EXISTS ${table} (${[...columns, ...(key ? [key] : [])].join(', ')})
      ${projection.partitionBy ? `PARTITION BY RANGE (${projection.partitionBy})` : 'WITH (fillfactor = 70)'};
    COMMENT ON TABLE ${table} IS '${projection.meaning.replaceAll("'", "''")}';
    ${rowSecuritySql(table)};
    ${projection.kind === 'rows' ? entranceSql(table, columns) : ''}`;
}

async function locked(pool: Pool, lock: string, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(
      `BEGIN; ${AS_OWNER}; SET LOCAL statement_timeout TO 0; SELECT pg_advisory_xact_lock(hashtext('${lock}'))`,
    );
    await work(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
