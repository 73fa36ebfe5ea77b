// Migrations against a real database: nodes that boot at once, a second boot, who may
// work with the tables, the list's order.
import { Client, Pool } from 'pg';
import { startPostgres, type TestPostgres } from '../../test/servers/postgres.js';
import { asApplication } from './database-roles.js';
import { migrate } from './migrate.js';
import { MIGRATIONS } from './migrations/list.js';

let database: TestPostgres;
beforeEach(async () => (database = await startPostgres()));
afterEach(() => database.stop());

describe('migrate', () => {
  it('runs every migration once, though three nodes boot at the same moment', async () => {
    const applied = await Promise.all([1, 2, 3].map(() => migrate(database.url)));
    expect(applied.flat()).toEqual(MIGRATIONS.map(({ name }) => name));
    expect(await migrate(database.url)).toEqual([]);
  });

  it('gives the projector its checkpoint, one row for each projection, version and partition', async () => {
    await migrate(database.url);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const insert = "INSERT INTO checkpoints (projection, version, partition) VALUES ('sessions', 1, 0)";
    await client.query(insert);
    await expect(client.query(insert)).rejects.toThrow('duplicate key');
    await client.end();
  });

  it('lets the application work with every table that it makes, in whichever schema', async () => {
    await migrate(database.url);
    const pool = new Pool({ ...(await asApplication(database.url)), max: 1 });
    const { rows } = await pool.query<{ name: string; schema: string; may: boolean }>(
      `SELECT relname AS name, nspname AS schema,
          has_schema_privilege(relnamespace, 'USAGE') AND (SELECT bool_and(has_table_privilege(pg_class.oid, privilege))
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege) AS may
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema)'`,
    );
    await pool.end();
    expect(new Set(rows.map(({ schema }) => schema)).size).toBeGreaterThan(4);
    expect(rows.filter(({ may }) => !may)).toEqual([]);
  });

  it('lists migrations in the order of their numbers, each number once', () => {
    const numbers = MIGRATIONS.map(({ name }) => Number(/\d{13}$/.exec(name)?.[0]));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });
});
