// The roles that statements run as, beside the user who logs in and owns the tables. Neither of them owns
// anything, and row-level security holds for both (row-security.ts): the application's, in which every
// connection of the pool begins, sees all tenants; the tenant's, which a transaction takes on (tenant.ts),
// only the one it named. Roles belong to the server, so that they carry the database's name, hashed: two
// installations on one server must not lend each other theirs.
import { Client, type ClientBase, DatabaseError, type PoolConfig } from 'pg';

type Kind = 'app' | 'tenant';

/** SQL: what the role is called in this database. */
export const roleSql = (kind: Kind): string => `('tidemark_${kind}_' || left(md5(current_database()), 8))`;

/** What makes, changes or drops tables does so as their owner, whoever logs in. */
export const AS_OWNER = 'SET LOCAL ROLE NONE';

const INSUFFICIENT_PRIVILEGE = '42501';

interface Names {
  readonly app: string;
  readonly tenant: string;
}

/** Makes them where they are missing. @throws Error that says what an administrator has to run */
export async function ensureRoles(client: ClientBase): Promise<void> {
  const names = await namesOf(client);
  const missing = await missingOf(client, names);
  if (missing.length === 0) return;
  try {
    for (const sql of missing) await client.query(sql);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new Error(
      'its user may not make the roles that keep tenants apart. Let an administrator of the server run this ' +
        `once, and start again: ${missing.join('; ')};`,
      { cause: error },
    );
  }
}

/** The application may work with every table that the owner has made or will make. */
export async function grantToApplication(client: ClientBase): Promise<void> {
  const { app } = await namesOf(client);
  const { rows } = await client.query<{ sql: string }>(`
    WITH schemas AS (
      SELECT nspname AS name FROM pg_namespace
      WHERE nspname = current_schema() OR nspname IN ('event_store', 'salts', 'people', 'control')
    )
    SELECT format('GRANT USAGE ON SCHEMA %I TO ${app}', name) AS sql FROM schemas
      WHERE NOT has_schema_privilege('${app}', name, 'USAGE')
    UNION ALL
    SELECT format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${app};
        ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT USAGE ON SEQUENCES TO ${app};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO ${app};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA %1$I TO ${app}', name)
      FROM schemas WHERE NOT EXISTS (
        SELECT FROM pg_default_acl, aclexplode(defaclacl) AS acl
        WHERE defaclnamespace = name::regnamespace AND defaclrole = current_user::regrole
          AND acl.grantee = '${app}'::regrole)
    UNION ALL
    SELECT format('GRANT TEMPORARY ON DATABASE %I TO ${app}', current_database())
      WHERE NOT has_database_privilege('${app}', current_database(), 'TEMPORARY')`);
  for (const { sql } of rows) await client.query(sql);
}

/** How a pool connects whose connections begin as the application. */
export async function asApplication(url: string): Promise<PoolConfig> {
  const setting = `-c role=${(await namesAt(url)).app}`;
  const given = URL.canParse(url) ? new URL(url).searchParams.get('options') : null;
  if (given === null) return { connectionString: url, options: setting };
  // What the URL says would win.
  const changed = new URL(url);
  changed.searchParams.set('options', `${given} ${setting}`);
  return { connectionString: changed.href };
}

async function namesAt(url: string): Promise<Names> {
  const client = new Client({ connectionString: url, application_name: 'tidemark-roles' });
  await client.connect();
  try {
    return await namesOf(client);
  } finally {
    await client.end();
  }
}

async function namesOf(client: ClientBase): Promise<Names> {
  const { rows } = await client.query<Names>(
    `SELECT ${roleSql('app')} AS app, ${roleSql('tenant')} AS tenant`,
  );
  return rows[0]!;
}

async function missingOf(client: ClientBase, { app, tenant }: Names): Promise<readonly string[]> {
  const { rows } = await client.query<{ sql: string }>(
    `SELECT format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', name) AS sql FROM unnest($1::text[]) AS name
      WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    UNION ALL
    SELECT format('GRANT %I TO %I', name, current_user) FROM unnest($1::text[]) AS name
      WHERE NOT EXISTS (SELECT FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = roleid
        WHERE rolname = name AND member = current_user::regrole)`,
    [[app, tenant]],
  );
  return rows.map(({ sql }) => sql);
}
