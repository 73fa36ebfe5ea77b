// Replaces rows: those that a change took away are deleted by primary key, those that it brought
// are copied in. A row that changed is both.
import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { entranceOf } from '../../postgres/row-security.js';
import type { RowsFlush } from './flush.js';
import { keyParameters, keysSql } from './key-columns.js';
import { type RowsProjection, tableOf } from './projection.js';

export async function writeRows(
  client: PoolClient,
  { projection, deleted, copied }: RowsFlush,
): Promise<void> {
  if (deleted.length > 0) {
    const parameters = keyParameters(projection, projection.primaryKey, deleted);
    await client.query(deleteSql(projection), [...parameters, ...timeBounds(projection, parameters)]);
  }
  if (copied.rows === 0) return;
  const columns = Object.keys(projection.columns).join(', ');
  const stream = client.query(
    copyFrom(`COPY ${entranceOf(tableOf(projection))} (${columns}) FROM STDIN (FORMAT binary)`),
  );
  for (const chunk of copied.finish()) stream.write(chunk);
  stream.end();
  await finished(stream);
}

function deleteSql(projection: RowsProjection): string {
  const { primaryKey, partitionBy } = projection;
  const matches = primaryKey.map((column) => `stored.${column} = gone.${column}`);
  // Bounds that the planner sees spare it all other months' partitions.
  const next = primaryKey.length + 1;
  const bounds = partitionBy ? [`stored.${partitionBy} BETWEEN $${next} AND $${next + 1}`] : [];
  return `DELETE FROM ${tableOf(projection)} AS stored
    USING (${keysSql(projection, primaryKey, 1)}) AS gone
    WHERE ${[...matches, ...bounds].join(' AND ')}`;
}

function timeBounds({ partitionBy, primaryKey }: RowsProjection, parameters: readonly string[][]): string[] {
  if (partitionBy === undefined) return [];
  const times = parameters[primaryKey.indexOf(partitionBy)]!;
  return [times.reduce((a, b) => (a < b ? a : b)), times.reduce((a, b) => (a > b ? a : b))];
}
