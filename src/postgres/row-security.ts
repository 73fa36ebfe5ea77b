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
  /** Whose the rows are. */
  readonly own: 'site' | 'merchant';
  /** Of all its sites, for what is limited by merchant. */
  readonly merchantMaySee?: true;
}

/** What a tenant's own transaction may do; nothing in all other tables with a column `site` or `merchant`. */
const RULES: readonly Rule[] = [
  {
    tables: /^(sessions|traffic|changed_periods|settled_days|settled_counts|settled_visitors)_v\d+$/,
    tenantMay: 'SELECT',
    own: 'site',
  },
  { tables: /^jobs$/, tenantMay: 'SELECT, INSERT, UPDATE, DELETE', own: 'site', merchantMaySee: true },
  { tables: /^job_results_\d{10}$/, tenantMay: 'SELECT, DELETE', own: 'site' },
  { tables: /^control\.(members|invitations|audit)$/, tenantMay: 'SELECT', own: 'merchant' },
];

/**
 * PostgreSQL refuses COPY FROM into a table with row-level security. Rows are copied into another table, of which
 * the real one is the only partition: one can be written into, and read by nobody.
 */
export const entranceOf = (table: string): string => table.replace(/(_v\d+)$/, '_in$1');
const IS_ENTRANCE = /_in_v\d+$/;

const ruleOf = (table: string): Rule | undefined => RULES.find(({ tables }) => tables.test(table));

/** Costs a look into the catalogue where it has been done. */
export function rowSecuritySql(table: string): string {
  const rule = ruleOf(table);
  const policies = [
    policySql(table, { name: 'all_tenants', to: 'app', rows: 'true' }),
    rule?.own === 'site' && policySql(table, { name: 'own_site', to: 'tenant', rows: OF_SITE }),
    (rule?.own === 'merchant' || rule?.merchantMaySee) &&
      policySql(table, { name: 'own_merchant', to: 'tenant', rows: OF_MERCHANT, may: 'SELECT' }),
  ];
  const grants = rule && [
    `EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', ${schemaSql(table)}, tenant);`,
    `EXECUTE format('GRANT ${rule.tenantMay} ON ${table} TO %I', tenant);`,
  ];
  return `DO $do$ DECLARE app text := ${roleSql('app')}; tenant text := ${roleSql('tenant')}; BEGIN
    IF EXISTS (SELECT FROM pg_policy WHERE polrelid = '${table}'::regclass)
      ${rule ? `AND has_table_privilege(tenant, '${table}', 'SELECT')` : ''} THEN RETURN; END IF;
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
    ${[...policies, ...(grants ?? [])].filter(Boolean).join('\n    ')}
  END $do$`;
}

/** SQL: of the table, as it is named. */
function schemaSql(table: string): string {
  const [schema, name] = table.split('.');
  return name === undefined ? 'current_schema()' : `'${schema}'`;
}

interface Policy {
  readonly name: string;
  readonly to: 'app' | 'tenant';
  /** SQL: which rows there are, and may be. */
  readonly rows: string;
  readonly may?: 'SELECT';
}

const policySql = (table: string, { name, to, rows, may }: Policy): string =>
  `DROP POLICY IF EXISTS ${name} ON ${table};
    EXECUTE format($sql$CREATE POLICY ${name} ON ${table} ${may ? `FOR ${may}` : ''} TO %I USING (${rows})$sql$, ${to});`;

/** @param columns of the table, which is there */
export const entranceSql = (table: string, columns: readonly string[]): string =>
  `DO $do$ BEGIN
    IF to_regclass('${entranceOf(table)}') IS NOT NULL THEN RETURN; END IF;
    CREATE TABLE ${entranceOf(table)} (${columns.join(', ')}) PARTITION BY LIST (site);
    COMMENT ON TABLE ${entranceOf(table)} IS 'The way in to ${table}.';
    ALTER TABLE ${entranceOf(table)} ATTACH PARTITION ${table} DEFAULT;
  END $do$;
  ${entranceGrantsSql(entranceOf(table))}`;

const entranceGrantsSql = (entrance: string): string =>
  `DO $do$ DECLARE app text := ${roleSql('app')}; BEGIN
    IF NOT has_table_privilege(app, '${entrance}', 'SELECT') AND has_table_privilege(app, '${entrance}', 'INSERT') THEN RETURN; END IF;
    EXECUTE format('REVOKE ALL ON ${entrance} FROM %I', app);
    EXECUTE format('GRANT INSERT ON ${entrance} TO %I', app);
  END $do$`;

/** Of tables that a release made that knew nothing of this, or that come from a dump, which has no roles. */
export async function secureTables(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT CASE WHEN nspname = current_schema() THEN relname ELSE nspname || '.' || relname END AS name
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE (nspname = current_schema() OR nspname IN ('people', 'control')) AND relkind IN ('r', 'p')
        AND EXISTS (SELECT FROM pg_attribute
          WHERE attrelid = pg_class.oid AND attname IN ('site', 'merchant') AND NOT attisdropped)
      ORDER BY name`,
  );
  for (const { name } of rows) {
    await client.query(IS_ENTRANCE.test(name) ? entranceGrantsSql(name) : rowSecuritySql(name));
  }
}
