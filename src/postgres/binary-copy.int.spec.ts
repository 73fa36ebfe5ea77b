import { finished } from 'node:stream/promises';
import type { Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type MigratedPostgres, startMigratedPostgres } from '../../test/servers/postgres.js';
import { BinaryCopy, type ColumnType, type ColumnValue, sqlType } from './binary-copy.js';

let postgres: MigratedPostgres;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());

async function copyInto(pool: Pool, copy: BinaryCopy): Promise<void> {
  const client = await pool.connect();
  const stream = client.query(copyFrom('COPY copied FROM STDIN (FORMAT binary)'));
  for (const chunk of copy.finish()) stream.write(chunk);
  stream.end();
  await finished(stream);
  client.release();
}

async function copied(
  types: readonly ColumnType[],
  rows: readonly (readonly ColumnValue[])[],
  orderedBy: readonly number[] = [],
) {
  const columns = types.map((type, index) => `c${index} ${sqlType(type)}`).join(', ');
  await postgres.pool.query(`DROP TABLE IF EXISTS copied; CREATE TABLE copied (${columns})`);
  const copy = new BinaryCopy(types, orderedBy);
  for (const row of rows) copy.add(row);
  await copyInto(postgres.pool, copy);
  copy.release();
  const { rows: stored } = await postgres.pool.query<Record<string, unknown>>(
    'SELECT * FROM copied ORDER BY ctid',
  );
  return stored.map((row) => types.map((_, index) => row[`c${index}`]));
}

it('copies a value of every type, and nulls', async () => {
  const types: ColumnType[] = [
    'text',
    'smallint',
    'integer',
    'bigint',
    'hash64',
    'timestamptz',
    'boolean',
    'bytea',
    'jsonb',
    'text[]',
    'smallint[]',
    'integer[]',
    'bigint[]',
    'hash64[]',
    'boolean[]',
  ];
  const at = Date.UTC(2026, 10, 21, 9, 59, 58, 123);
  const rows = await copied(types, [
    [
      'größer 😀',
      -3,
      -70_000,
      2 ** 52,
      'ffffffffffffffff',
      at,
      true,
      Buffer.of(0, 255),
      '{"a":[1]}',
      ['a', null, 'ß'.repeat(100)],
      [1, null],
      [-1],
      [-1, 2 ** 40],
      ['0000000000000010'],
      [],
    ],
    types.map(() => null),
  ]);
  expect(rows).toEqual([
    [
      'größer 😀',
      -3,
      -70_000,
      String(2 ** 52),
      '-1',
      new Date(at),
      true,
      Buffer.of(0, 255),
      { a: [1] },
      ['a', null, 'ß'.repeat(100)],
      [1, null],
      [-1],
      ['-1', String(2 ** 40)],
      ['16'],
      [],
    ],
    types.map(() => null),
  ]);
});

it('carries rows of any size across its chunks, again and again in the same ones', async () => {
  for (const round of [1, 2]) {
    const rows = Array.from({ length: 900 }, (_, row) => [
      row,
      Array.from({ length: (row * 7) % 101 }, (__, at) => `${round}/${row}/${'é'.repeat(at % 53)}`),
      // Some larger than a chunk, some more than twice.
      'x'.repeat(row % 300 === 299 ? row * 1_000 : row % 89),
    ]);
    const stored = await copied(['integer', 'text[]', 'text'], rows);
    expect(stored.toSorted((a, b) => (a[0] as number) - (b[0] as number))).toEqual(rows);
  }
});

it('sends rows in the order of columns, wherever they lie', async () => {
  const rows = Array.from({ length: 2_000 }, (_, row) => [
    row,
    `site ${(row * 7) % 13}`,
    Date.UTC(2026, 10, 20) + ((row * 7_919) % 2_003),
    // Some larger than a chunk.
    'x'.repeat(row % 700 === 699 ? 300_000 + row : row % 401),
  ]);
  const stored = await copied(['integer', 'text', 'timestamptz', 'text'], rows, [1, 2]);
  const key = (row: readonly unknown[]) => `${String(row[1])} ${Number(row[2])}`;
  const [before, after] = [rows.map(key), stored.map(key)];
  expect(after).toEqual(before.toSorted());
  expect(after).not.toEqual(before);
  const byNumber = stored.toSorted((a, b) => (a[0] as number) - (b[0] as number));
  expect(
    byNumber.map((row) => row.map((value) => (value instanceof Date ? value.getTime() : value))),
  ).toEqual(rows);
});
