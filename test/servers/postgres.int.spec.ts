// The promises of the test server itself: a database of one's own, and nothing left behind.
import { Client } from 'pg';
import { startMigratedPostgres, startPostgres } from './postgres.js';

const query = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the test server', () => {
  it('gives every caller a database of its own', async () => {
    const [one, other] = await Promise.all([startPostgres(), startPostgres()]);
    try {
      await query(one.url, 'CREATE TABLE t (a int)');
      await expect(query(other.url, 'SELECT * FROM t')).rejects.toThrow('does not exist');
    } finally {
      await one.stop();
      await other.stop();
    }
  });

  it('keeps serving one caller when another stops', async () => {
    const [one, other] = await Promise.all([startPostgres(), startPostgres()]);
    await one.stop();
    await expect(query(other.url, 'SELECT 1 AS a')).resolves.toEqual([{ a: 1 }]);
    await other.stop();
    await expect(query(other.url, 'SELECT 1')).rejects.toThrow();
  });

  it('hands out migrated databases', async () => {
    const { pool, stop } = await startMigratedPostgres();
    try {
      expect((await pool.query('SELECT * FROM checkpoints')).rows).toEqual([]);
      expect((await pool.query('SELECT * FROM dead_letters')).rows).toEqual([]);
    } finally {
      await stop();
    }
  });
});
