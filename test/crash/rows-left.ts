// How many rows there are of somebody, in any table of any schema, by the table's name.
import type { Pool } from 'pg';

/** Of a column, the rows that have the value there; without one, those that say it anywhere. */
export interface Sought {
  readonly column?: 'site' | 'merchant';
  readonly value: string;
}

/** As text, and as bytes, which are shown as hexadecimal digits. */
const ANYWHERE = `t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::text::bytea, 'hex') || '%'`;

export async function rowsLeft(pool: Pool, { column, value }: Sought): Promise<Record<string, number>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT nspname || '.' || relname AS name
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')
        -- There a site is a bookmark in all sites' rows; here, what was deleted.
        AND relname NOT IN ('clustered_days', 'deletions')
        -- What the event store says, which is never rewritten.
        AND (nspname, relname) <> ('control', 'audit')
        AND ($1::text IS NULL OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = $1))`,
    [column],
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const condition = column === undefined ? ANYWHERE : `t.${column} = $1`;
    const { rows } = await pool.query<{ count: string }>(
      `SELECT count(*) FROM ${name} AS t WHERE ${condition}`,
      [value],
    );
    if (rows[0]!.count !== '0') counts[name] = Number(rows[0]!.count);
  }
  return counts;
}
