// Row-level security of the tables that hold rows of tenants: a statement whose predicate forgot the tenant
// sees no rows of another. Whoever makes such a table runs `rowSecuritySql` for it; at boot it is run for
// those that have been there before.
import type { ClientBase } from 'pg';
import { roleSql } from './database-roles.js';

/** Set for a transaction by tenant.ts. Absent or empty, it is nobody's. */
const OF_SITE = `site = current_setting('tidemark.site', true)`;
const OF_MERCHANT = `merchant = current_setting('tidemark.merchant', true)`;

interface Rule {
  readonly tables: RegExp;
  readonly tenantMay: string;
  /** Of all its sites, for what is limited by merchant. */
  readonly merchantMaySee?: true;
}

/** What a tenant's own transaction may do; nothing in all other tables with a column `site` or `merchant`. */
const RULES: readonly Rule[] = [
  {
    tables: /^(sessions|traffic|changed_periods|settled_days|settled_counts|settled_visitors)_v\d+$/,
    tenantMay: 'SELECT',
  },
  { tables: /^jobs$/, tenantMay: 'SELECT, INSERT, UPDATE, DELETE', merchantMaySee: true },
  { tables: /^job_results_\d{10}$/, tenantMay: 'SELECT, DELETE' },
];

/**
 * PostgreSQL refuses COPY FROM into a table with row-level security. Rows are copied into another table, of which
 * the real one is the only partition: one can be written into, and read by nobody.
 */
export const entranceOf = (table: string): string => table.replace(/(_v\d+)$/, '_in$1');
const IS_ENTRANCE = /_in_v\d+$/;

/** Costs a look into the catalogue where it has been done. */
export function rowSecuritySql(table: string): string {
  const rule = RULES.find(({ tables }) => tables.test(table));
  const toTenant =
    rule === undefined
      ? ''
      : `
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), tenant);
    EXECUTE format('GRANT ${rule.tenantMay} ON ${table} TO %I', tenant);
    EXECUTE format($policy$CREATE POLICY own_site ON ${table} TO %I USING (${OF_SITE}) WITH CHECK (${OF_SITE})$policy$, tenant);`;
  const toMerchant = rule?.merchantMaySee
    ? `EXECUTE format($policy$CREATE POLICY own_merchant ON ${table} FOR SELECT TO %I USING (${OF_MERCHANT})$policy$, tenant);`
    : '';
  return `DO $do$ DECLARE app text := ${roleSql('app')}; tenant text := ${roleSql('tenant')}; BEGIN
    IF EXISTS (SELECT FROM pg_policy WHERE polrelid = '${table}'::regclass) THEN RETURN; END IF;
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY all_tenants ON ${table} TO %I USING (true) WITH CHECK (true)', app);${toTenant}
    ${toMerchant}
  END $do$`;
}

/** @param columns of the table, which is there */
export const entranceSql = (table: string, columns: readonly string[]): string =>
  `DO $do$ DECLARE app text := ${roleSql('app')}; BEGIN
    IF to_regclass('${entranceOf(table)}') IS NOT NULL THEN RETURN; END IF;
    CREATE TABLE ${entranceOf(table)} (${columns.join(', ')}) PARTITION BY LIST (site);
    COMMENT ON TABLE ${entranceOf(table)} IS 'The way in to ${table}.';
    ALTER TABLE ${entranceOf(table)} ATTACH PARTITION ${table} DEFAULT;
    EXECUTE format('REVOKE ALL ON ${entranceOf(table)} FROM %I', app);
    EXECUTE format('GRANT INSERT ON ${entranceOf(table)} TO %I', app);
  END $do$`;

/** Of tables that were made by a release that knew nothing of this. */
export async function secureTables(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
        AND EXISTS (SELECT FROM pg_attribute
          WHERE attrelid = pg_class.oid AND attname IN ('site', 'merchant') AND NOT attisdropped)
        AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)
      ORDER BY relname`,
  );
  for (const { name } of rows) if (!IS_ENTRANCE.test(name)) await client.query(rowSecuritySql(name));
}
