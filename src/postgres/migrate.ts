// Brings a database to the shape this release needs: tables, roles, and who may see which rows. Several nodes
// may boot at once: an advisory lock lets one of them migrate while the others wait, then find nothing to do.
// Roles and policies are made true at every boot, as a restored dump brings the tables without the roles.
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { ensureRoles, grantToApplication } from './database-roles.js';
import { MIGRATIONS } from './migrations/list.js';
import { secureTables } from './row-security.js';

const MIGRATION_LOCK = 7_433_002;

/** The names of the migrations that were run; none when the database was up to date. */
export async function migrate(url: string): Promise<readonly string[]> {
  const lock = new Client({ connectionString: url, application_name: 'tidemark-migrate', keepAlive: true });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await ensureRoles(lock);
    const applied = await runPending(url);
    await grantToApplication(lock);
    await secureTables(lock);
    return applied;
  } finally {
    await lock.end(); // the lock goes with its connection
  }
}

async function runPending(url: string): Promise<readonly string[]> {
  const source = new DataSource({
    type: 'postgres',
    url,
    applicationName: 'tidemark-migrate',
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    installExtensions: false,
    poolSize: 1,
  });
  await source.initialize();
  try {
    const applied = await source.runMigrations({ transaction: 'each' });
    return applied.map(({ name }) => name);
  } finally {
    await source.destroy();
  }
}
