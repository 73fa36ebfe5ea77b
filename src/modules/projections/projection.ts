// What a projection is: a name, its table, and one pure function from a session to what the
// session says. The plumbing (projector.ts, commit.ts) takes back what the sessions before a
// change had said, adds what those after it say, and commits it with the checkpoint. So late
// events, merged sessions and repeats need no code in a projection.
//
// A file of the catalog declares a projection; every version of it that was built has a table of its
// own (see definition.ts).
import type { ColumnType, ColumnValue } from '../../postgres/binary-copy.js';
import type { Session } from './sessionizer.js';

interface Declaration {
  readonly name: string;
  /** One line for people: what the table answers. */
  readonly meaning: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly primaryKey: readonly string[];
  /** A timestamptz column of the key: the table is range-partitioned by month on it. */
  readonly partitionBy?: string;
  readonly indexes?: readonly { readonly columns: readonly string[]; readonly where?: string }[];
}

/** Rows that a session writes itself and that disappear with it. */
export interface DeclaredRows extends Declaration {
  readonly kind: 'rows';
  /** Values in the order of `columns`; none, one or several rows. */
  readonly rows: (session: Session, partition: number) => readonly (readonly ColumnValue[])[];
  /** The primary keys of those rows, in the order of `primaryKey`. */
  readonly keys: (session: Session) => readonly (readonly ColumnValue[])[];
}

/** Additive counters, and sketches of visitors, by key. */
export interface DeclaredCounters extends Declaration {
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

export type DeclaredProjection = DeclaredRows | DeclaredCounters;

interface Versioned {
  /** Counts the times the read models were built, from 1; names the table. */
  readonly version: number;
}
export type RowsProjection = DeclaredRows & Versioned;
export type CountersProjection = DeclaredCounters & Versioned;
export type Projection = RowsProjection | CountersProjection;

export const rowsProjection = (declaration: Omit<DeclaredRows, 'kind'>): DeclaredRows => ({
  kind: 'rows',
  ...declaration,
});

export const countersProjection = (declaration: Omit<DeclaredCounters, 'kind'>): DeclaredCounters => ({
  kind: 'counters',
  ...declaration,
});

export const tableOf = ({ name, version }: Pick<Projection, 'name' | 'version'>): string =>
  `${name}_v${version}`;
