// What a projection is: a name, a version, its table, and one pure function from a session to what
// the session says. The plumbing (projector.ts, commit.ts) takes back what the sessions before a
// change had said, adds what those after it say, and commits it with the checkpoint. So late
// events, merged sessions and repeats need no code in a projection.
//
// To correct a projection: change it, raise `version`, rebuild. Each version has its own table.
import type { ColumnType, ColumnValue } from '../../postgres/binary-copy.js';
import type { Session } from './sessionizer.js';

interface Declaration {
  readonly name: string;
  readonly version: number;
  /** One line for people: what the table answers. */
  readonly meaning: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly primaryKey: readonly string[];
  /** A timestamptz column of the key: the table is range-partitioned by month on it. */
  readonly partitionBy?: string;
  readonly indexes?: readonly { readonly column: string; readonly where?: string }[];
}

/** Rows that a session writes itself and that disappear with it. */
export interface RowsProjection extends Declaration {
  readonly kind: 'rows';
  /** Values in the order of `columns`; none, one or several rows. */
  readonly rows: (session: Session, partition: number) => readonly (readonly ColumnValue[])[];
  /** The primary keys of those rows, in the order of `primaryKey`. */
  readonly keys: (session: Session) => readonly (readonly ColumnValue[])[];
}

/** Additive counters, and sketches of visitors, by key. */
export interface CountersProjection extends Declaration {
  readonly kind: 'counters';
  /** Columns that add up. */
  readonly sums: readonly string[];
  /** Column of the visitor sketch; bytea. */
  readonly sketch?: string;
  readonly contributions: (session: Session) => readonly Contribution[];
}

export interface Contribution {
  /** In the order of `primaryKey`, without its last column `partition`, which the plumbing adds. */
  readonly key: readonly (string | number | boolean)[];
  /** In the order of `sums`. */
  readonly sums: readonly number[];
  /** Visitor ids for the sketch, without repeats. */
  readonly visitors: readonly string[];
}

export type Projection = RowsProjection | CountersProjection;

export const rowsProjection = (declaration: Omit<RowsProjection, 'kind'>): RowsProjection => ({
  kind: 'rows',
  ...declaration,
});

export const countersProjection = (declaration: Omit<CountersProjection, 'kind'>): CountersProjection => ({
  kind: 'counters',
  ...declaration,
});

export const tableOf = ({ name, version }: Pick<Projection, 'name' | 'version'>): string =>
  `${name}_v${version}`;
