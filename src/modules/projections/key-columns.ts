// Keys on their way into SQL: every column travels as an array of text and is cast there, so that
// one statement serves any projection's primary key and any number of rows.
import type { ColumnType, ColumnValue } from '../../postgres/binary-copy.js';
import type { Projection } from './projection.js';

const CASTS: Partial<Record<ColumnType, (text: string) => string>> = {
  text: (text) => text,
  timestamptz: (text) => `${text}::timestamptz`,
  boolean: (text) => `${text}::boolean`,
  smallint: (text) => `${text}::smallint`,
  integer: (text) => `${text}::integer`,
  bigint: (text) => `${text}::bigint`,
  hash64: (text) => `('x' || ${text})::bit(64)::bigint`,
};

/** `SELECT col, … , row_number AS place FROM unnest($n, …)` over the given columns of the projection. */
export function keysSql(projection: Projection, columns: readonly string[], firstParameter: number): string {
  const names = columns.map((_, index) => `key${index}`);
  const casts = columns.map((column, index) => `${castOf(projection, column)(names[index]!)} AS ${column}`);
  const arrays = columns.map((_, index) => `$${firstParameter + index}::text[]`);
  return `SELECT ${casts.join(', ')}, place FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS keys(${names.join(', ')}, place)`;
}

/** The parameters for `keysSql`: one array of text per column. */
export function keyParameters(
  projection: Projection,
  columns: readonly string[],
  keys: readonly (readonly ColumnValue[])[],
): string[][] {
  return columns.map((column, index) => {
    const isTime = projection.columns[column] === 'timestamptz';
    return keys.map((key) => (isTime ? new Date(key[index] as number).toISOString() : String(key[index])));
  });
}

function castOf(projection: Projection, column: string): (text: string) => string {
  const cast = CASTS[projection.columns[column]!];
  if (cast === undefined) throw new Error(`Column ${column} of ${projection.name} cannot be part of a key`);
  return cast;
}
