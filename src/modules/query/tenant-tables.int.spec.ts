// Every table with rows of tenants is under row-level security, whoever makes it and when; the roles that
// statements run as own nothing and go around nothing; and what a transaction took on ends with it. The
// database belongs to an ordinary user, as one of a managed server does.
import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { CATALOG } from '../../../test/catalog.js';
import { startPostgres, type TestPostgres } from '../../../test/servers/postgres.js';
import { asApplication } from '../../postgres/database-roles.js';
import { migrate } from '../../postgres/migrate.js';
import { inReadSnapshot } from '../../postgres/read-snapshot.js';
import { inTenantTransaction } from '../../postgres/tenant.js';
import {
  createBulkTables,
  createReadModelTables,
  dropReadModelTables,
  indexBulkTables,
  MonthPartitions,
} from '../projections/read-model-tables.js';
import { ResultStore } from './jobs/result-store.js';
import { createSettledTables } from './settled/settled-tables.js';

const NOVEMBER = Date.UTC(2026, 10, 5);
const NEXT = CATALOG.map((projection) => ({ ...projection, version: 2 }));
const STATEMENT_FAILED = { timeoutMs: 50, tenant: { site: 'ours' } };

let server: TestPostgres;
let owner: string;
let url: string;
let pool: Pool;

beforeAll(async () => {
  server = await startPostgres();
  owner = `owner_${randomBytes(4).toString('hex')}`;
  url = await ownedBy(owner, 'CREATEROLE');
  await migrate(url);
  pool = new Pool({ ...(await asApplication(url)), max: 1 });
  await createReadModelTables(pool, CATALOG);
  await createBulkTables(pool, NEXT);
  for (const version of [1, 2]) await new MonthPartitions(pool, `sessions_v${version}`).ensure([0, NOVEMBER]);
  await indexBulkTables(pool, NEXT);
  await createSettledTables(pool, 1);
  await new ResultStore(pool).prepare({ site: 'ours', id: 'j1', createdAt: new Date() });
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await server?.stop();
  await asAdministrator(`DROP ROLE IF EXISTS ${owner}, no_${owner}`).catch(() => undefined);
});

/** On the server, which outlives its test databases. */
async function asAdministrator(sql: string, database = 'postgres'): Promise<void> {
  const at = new URL(server.url);
  at.pathname = `/${database}`;
  const client = new Client({ connectionString: at.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The test's database, for a new user that logs in and owns it. */
async function ownedBy(user: string, attribute: string): Promise<string> {
  const database = new URL(server.url).pathname.slice(1);
  await asAdministrator(`CREATE ROLE ${user} LOGIN PASSWORD 'secret' ${attribute} NOSUPERUSER`);
  await asAdministrator(`ALTER DATABASE ${database} OWNER TO ${user}`);
  return urlFor(user);
}

function urlFor(user: string): string {
  const changed = new URL(server.url);
  changed.username = user;
  changed.password = 'secret';
  return changed.href;
}

async function namesWhere(condition: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class AS c
      WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^pg_|^information_schema$'
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('site', 'merchant'))
        AND ${condition} ORDER BY relname`,
  );
  return rows.map(({ name }) => name);
}

const READABLE = `(has_table_privilege('tidemark_app_' || left(md5(current_database()), 8), c.oid, 'SELECT')
  OR has_table_privilege('tidemark_tenant_' || left(md5(current_database()), 8), c.oid, 'SELECT'))`;

it('every table with a site or a merchant is under row-level security, or can only be written into', async () => {
  const all = await namesWhere('true');
  expect(all).toEqual(
    expect.arrayContaining([
      'jobs',
      'dead_letters',
      'members',
      'sign_ins',
      'sessions_v1',
      'sessions_v2_earlier',
    ]),
  );
  expect(all.filter((name) => /^job_results_|^settled_/.test(name))).toHaveLength(4);
  expect(await namesWhere(`NOT (relrowsecurity AND relforcerowsecurity) AND ${READABLE}`)).toEqual([]);
  const entrances = await namesWhere('NOT (relrowsecurity AND relforcerowsecurity)');
  expect(entrances).toEqual(['sessions_in_v1', 'sessions_in_v2', 'waiting_in_v1', 'waiting_in_v2']);
});

it('statements run as roles that own nothing and go around nothing', async () => {
  const { rows } = await pool.query(
    `SELECT rolname, rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole AS mighty,
        EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) AS owns,
        pg_has_role(rolname, $1, 'MEMBER') AS owner
      FROM pg_roles WHERE rolname LIKE 'tidemark\\_%\\_' || left(md5(current_database()), 8) ORDER BY rolname`,
    [owner],
  );
  expect(rows.map(({ mighty, owns, owner: isOwner }) => [mighty, owns, isOwner])).toEqual([
    [false, false, false],
    [false, false, false],
  ]);
  expect((await pool.query('SELECT current_user AS name')).rows[0].name).toBe(rows[0].rolname);
  const asTenant = await inTenantTransaction(pool, { site: 'x' }, (client) =>
    client.query('SELECT current_user AS name'),
  );
  expect(asTenant.rows[0].name).toBe(rows[1].rolname);
});

it('a tenant sees and changes its own rows, and none without a site', async () => {
  await pool.query(
    `INSERT INTO jobs (site, id, merchant, kind, request)
      SELECT site, site || number, 'm-' || site, 'k', '{}' FROM unnest($1::text[]) AS site, generate_series(1, 2) AS number`,
    [['ours', 'theirs']],
  );
  const seenBy = (tenant: { site: string; merchant?: string }) =>
    inTenantTransaction(pool, tenant, async (client) => {
      const { rows } = await client.query<{ id: string }>('SELECT id FROM jobs ORDER BY id');
      const { rowCount } = await client.query(`UPDATE jobs SET kind = 'changed'`);
      return [rows.map(({ id }) => id), rowCount];
    });
  expect(await seenBy({ site: 'ours' })).toEqual([['ours1', 'ours2'], 2]);
  expect(await seenBy({ site: 'ours', merchant: 'm-theirs' })).toEqual([
    ['ours1', 'ours2', 'theirs1', 'theirs2'],
    2,
  ]);
  expect(await seenBy({ site: '' })).toEqual([[], 0]);
  expect(await seenBy({ site: `x' OR true --` })).toEqual([[], 0]);
  const insert = `INSERT INTO jobs (site, id, merchant, kind, request) VALUES ('theirs', 'x', 'm', 'k', '{}')`;
  await expect(inTenantTransaction(pool, { site: 'ours' }, (client) => client.query(insert))).rejects.toThrow(
    'row-level security',
  );
});

it.each([
  ['an error', 'SELECT 1 / 0'],
  ['a time limit', 'SELECT pg_sleep(5)'],
  ['an error that PostgreSQL had no part in', ''],
])('a connection is nobody’s again after %s', async (_, statement) => {
  const work = inReadSnapshot(pool, STATEMENT_FAILED, async (client) => {
    if (statement === '') throw new Error('of the caller');
    await client.query(statement);
  });
  await expect(work).rejects.toThrow();
  const { rows } = await pool.query(
    `SELECT current_user LIKE 'tidemark\\_app\\_%' AS app, current_setting('tidemark.site', true) AS site`,
  );
  expect(rows).toEqual([{ app: true, site: '' }]);
});

it('tables that are there already are secured at the next boot', async () => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE TABLE sessions_v7 (site text); CREATE TABLE invoices (merchant text);
      INSERT INTO sessions_v7 VALUES ('ours'), ('theirs')`);
    expect(await migrate(url)).toEqual([]);
    expect(await namesWhere(`relrowsecurity AND relname IN ('sessions_v7', 'invoices')`)).toHaveLength(2);
    const { rows } = await inTenantTransaction(pool, { site: 'ours' }, (tenant) =>
      tenant.query('SELECT site FROM sessions_v7'),
    );
    expect(rows).toEqual([{ site: 'ours' }]);
    await client.query('DROP TABLE sessions_v7, invoices');
  } finally {
    await client.end();
  }
});

it('what a dump brings without roles and rights is secured at the next boot', async () => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ app: string; tenant: string }>(
      `SELECT 'tidemark_app_' || hash AS app, 'tidemark_tenant_' || hash AS tenant
        FROM left(md5(current_database()), 8) AS hash`,
    );
    const { app, tenant } = rows[0]!;
    await client.query(`DROP OWNED BY ${app}, ${tenant}; DROP ROLE ${app}, ${tenant}`);
    await migrate(url);
    expect(await namesWhere(`NOT (relrowsecurity AND relforcerowsecurity) AND ${READABLE}`)).toEqual([]);
    // The connections of before are of a role that is gone.
    await pool.end();
    pool = new Pool({ ...(await asApplication(url)), max: 1 });
    for (const table of ['sessions_v1', 'jobs']) {
      const seen = await inTenantTransaction(pool, { site: 'ours' }, (of) =>
        of.query(`SELECT count(*) FROM ${table} WHERE site <> 'ours'`),
      );
      expect(seen.rows).toEqual([{ count: '0' }]);
    }
    await pool.query(`INSERT INTO sessions_in_v1 SELECT * FROM sessions_v1`);
    await expect(pool.query('SELECT FROM sessions_in_v1')).rejects.toThrow('permission denied');
  } finally {
    await client.end();
  }
});

it('versions go with all that belongs to them', async () => {
  await dropReadModelTables(pool, NEXT);
  expect(await namesWhere(`relname LIKE '%\\_v2%'`)).toEqual([]);
});

it('says what an administrator has to run where its user may not make roles', async () => {
  const another = await startPostgres();
  try {
    const database = new URL(another.url).pathname.slice(1);
    await asAdministrator(`CREATE ROLE no_${owner} LOGIN PASSWORD 'secret' NOCREATEROLE NOSUPERUSER`);
    await asAdministrator(`ALTER DATABASE ${database} OWNER TO no_${owner}`);
    const own = new URL(urlFor(`no_${owner}`));
    own.pathname = `/${database}`;
    const refusal = await migrate(own.href).catch((error: Error) => error.message);
    expect(refusal).toContain('Let an administrator of the server run this once');
    const sql = /start again: (.+)$/.exec(String(refusal))![1]!;
    expect(sql.split('; ')).toHaveLength(4);
    await asAdministrator(sql, database);
    expect((await migrate(own.href)).length).toBeGreaterThan(5);
  } finally {
    await another.stop();
  }
});
