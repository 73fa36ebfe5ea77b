// Where settled days are kept, beside the version of the read models that they were computed from: by their
// names they go when that version goes. `settled_days` says which days are there and what they were computed
// from, `settled_counts` has a row for each value of a dimension on a day (without a dimension: one),
// `settled_visitors` who came, apart, so that counts are read without them.
import type { ClientBase, Pool } from 'pg';
import { AS_OWNER } from '../../../postgres/database-roles.js';
import { rowSecuritySql } from '../../../postgres/row-security.js';
import { changedPeriodsTable, changesSql } from '../../projections/read-models/changed-periods.js';
import { digestOf } from '../digest.js';
import { SETTLED_DIMENSIONS } from './settled-question.js';

export interface SettledTables {
  readonly days: string;
  readonly counts: string;
  readonly visitors: string;
  /** Says what days were computed from. */
  readonly changedPeriods: string;
}

export const settledTablesOf = (version: number): SettledTables => ({
  days: `settled_days_v${version}`,
  counts: `settled_counts_v${version}`,
  visitors: `settled_visitors_v${version}`,
  changedPeriods: changedPeriodsTable(version),
});

/** Raise it whenever a day of the same facts would be settled to something else: all are settled anew. */
const FORM = 1;
const FORM_AND_DIMENSIONS = digestOf([FORM, ...SETTLED_DIMENSIONS].join(' ')).slice(0, 12);

/** What a day was settled from, and to: a day counts while this is what stands with it. Expressions, as `changesSql` takes them. */
export const settledFromSql = (
  { changedPeriods }: SettledTables,
  of: { readonly site: string; readonly from: string; readonly to: string },
): string => `'${FORM_AND_DIMENSIONS} ' || ${changesSql(changedPeriods, of)}`;

const LOCK = 'tidemark settled days';

/** False for a version that was built before it was written down what changes. */
export async function createSettledTables(pool: Pool, version: number): Promise<boolean> {
  const tables = settledTablesOf(version);
  const client = await pool.connect();
  try {
    if (!(await thereIs(client, tables.changedPeriods))) return false;
    if (await thereIs(client, tables.visitors)) return true;
    await client.query(
      `BEGIN; ${AS_OWNER}; SELECT pg_advisory_xact_lock(hashtext('${LOCK}')); ${tablesSql(tables)};
        ${[tables.days, tables.counts, tables.visitors].map(rowSecuritySql).join('; ')}; COMMIT`,
    );
    return true;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function thereIs(client: ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    table,
  ]);
  return rows[0]!.there;
}

/** Remembers which versions have them, so that an answer asks once. */
export class KnownSettledTables {
  readonly #known = new Map<number, SettledTables>();

  /** Null while nothing was ever settled. */
  async of(client: ClientBase, version: number): Promise<SettledTables | null> {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    const tables = settledTablesOf(version);
    if (!(await thereIs(client, tables.visitors))) return null;
    this.#known.set(version, tables);
    return tables;
  }
}

/** Values may be longer than an index takes, so that they are found by their hash. */
const tablesSql = ({ days, counts, visitors }: SettledTables): string => `
  CREATE TABLE IF NOT EXISTS ${days} (
    site text COLLATE "C" NOT NULL, day timestamptz NOT NULL, until timestamptz NOT NULL,
    changes text NOT NULL, long_sessions boolean NOT NULL, settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site, day)
  );
  CREATE TABLE IF NOT EXISTS ${counts} (
    site text COLLATE "C" NOT NULL, dimension text COLLATE "C" NOT NULL, day timestamptz NOT NULL,
    value text COLLATE "C" NOT NULL, folded boolean NOT NULL, visitors bigint NOT NULL,
    visits bigint NOT NULL, bounce_sessions bigint NOT NULL, bounces bigint NOT NULL,
    duration_sessions bigint NOT NULL, duration_ms bigint NOT NULL,
    continued_visits bigint NOT NULL, continued_bounce_sessions bigint NOT NULL, continued_bounces bigint NOT NULL,
    continued_duration_sessions bigint NOT NULL, continued_duration_ms bigint NOT NULL,
    pageviews bigint NOT NULL, events bigint NOT NULL, engagement_ms bigint NOT NULL,
    revenue_micros numeric NOT NULL, revenue_events bigint NOT NULL,
    first_currency text COLLATE "C", last_currency text COLLATE "C"
  );
  CREATE INDEX IF NOT EXISTS ${counts}_day ON ${counts} (site, dimension, day);
  CREATE TABLE IF NOT EXISTS ${visitors} (
    site text COLLATE "C" NOT NULL, dimension text COLLATE "C" NOT NULL, value_hash bigint NOT NULL,
    day timestamptz NOT NULL, value text COLLATE "C" NOT NULL, summary bytea NOT NULL, ids bytea
  );
  CREATE INDEX IF NOT EXISTS ${visitors}_value ON ${visitors} (site, dimension, value_hash, day);
  CREATE INDEX IF NOT EXISTS ${visitors}_day ON ${visitors} (site, day)`;
