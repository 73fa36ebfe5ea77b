// What one run of batches changes in the read models, as bytes and numbers ready to be committed:
// the rows to delete and to copy, and the sum of what the changed sessions say of the counters.
import { BinaryCopy, type ColumnValue } from '../../postgres/binary-copy.js';
import type { CountersProjection, Projection, RowsProjection } from './projection.js';
import { CHANGED_PERIOD_MS, changedPeriodOf } from './read-models/changed-periods.js';
import type { Change, Session } from './sessionizer.js';

const DAY_MS = 24 * 3_600_000;

export interface RowsFlush {
  readonly kind: 'rows';
  readonly projection: RowsProjection;
  /** Primary keys of rows that are in the table and go, changed rows included. */
  readonly deleted: (readonly ColumnValue[])[];
  readonly copied: BinaryCopy;
  /** The days, as epoch ms, of the column the table is partitioned by. */
  readonly days: Set<number>;
}

export interface CounterDelta {
  readonly key: readonly (string | number | boolean)[];
  readonly sums: number[];
  readonly sessionsByVisitor: Map<string, number>;
}

export interface CountersFlush {
  readonly kind: 'counters';
  readonly projection: CountersProjection;
  readonly deltas: Map<string, CounterDelta>;
}

export class Flush {
  readonly tables: readonly (RowsFlush | CountersFlush)[];
  /** Of each site when the periods began, as epoch ms, that changed sessions touch or touched. */
  readonly changedPeriods = new Map<string, Set<number>>();
  repeats = 0;
  conflicts = 0;

  constructor(
    projections: readonly Projection[],
    readonly partition: number,
  ) {
    this.tables = projections.map((projection) =>
      projection.kind === 'rows'
        ? {
            kind: 'rows',
            projection,
            deleted: [],
            copied: new BinaryCopy(Object.values(projection.columns), orderOf(projection)),
            days: new Set(),
          }
        : { kind: 'counters', projection, deltas: new Map() },
    );
  }

  add(change: Change): void {
    this.repeats += change.repeats;
    this.conflicts += change.conflicts;
    for (const session of change.before) this.#addChangedPeriods(session);
    for (const session of change.after) this.#addChangedPeriods(session);
    for (const table of this.tables) {
      if (table.kind === 'rows') this.#addRows(table, change);
      else {
        for (const session of change.before) addCounts(table, session, -1);
        for (const session of change.after) addCounts(table, session, 1);
      }
    }
  }

  /** Committed: the memory that its rows took is free for the next. */
  release(): void {
    for (const table of this.tables) if (table.kind === 'rows') table.copied.release();
  }

  /** Up to its last engagement, which may be later than its end. */
  #addChangedPeriods({ site, events, startedAt }: Session): void {
    const last = events.at(-1);
    if (last === undefined) return;
    let periods = this.changedPeriods.get(site);
    if (periods === undefined) this.changedPeriods.set(site, (periods = new Set()));
    for (let at = changedPeriodOf(startedAt); at <= last.at; at += CHANGED_PERIOD_MS) periods.add(at);
  }

  #addRows({ projection, deleted, copied, days }: RowsFlush, { before, after }: Change): void {
    for (const session of before) deleted.push(...projection.keys(session));
    const timeColumn =
      projection.partitionBy && Object.keys(projection.columns).indexOf(projection.partitionBy);
    for (const session of after) {
      for (const row of projection.rows(session, this.partition)) {
        copied.add(row);
        if (typeof timeColumn === 'number') days.add(dayOf(row[timeColumn] as number));
      }
    }
  }
}

/** A large table is read by its key, and what was committed together should lie together in it: see clustering/. */
function orderOf({ columns, partitionBy, primaryKey }: RowsProjection): readonly number[] {
  if (partitionBy === undefined) return [];
  const names = Object.keys(columns);
  return primaryKey.map((column) => names.indexOf(column));
}

/** Of all times each day once: partitions are months. */
const dayOf = (time: number): number => Math.floor(time / DAY_MS) * DAY_MS;

function addCounts({ projection, deltas }: CountersFlush, session: Session, sign: 1 | -1): void {
  for (const { key, sums, visitors } of projection.contributions(session)) {
    const name = key.join('\n');
    let delta = deltas.get(name);
    if (delta === undefined) {
      delta = { key, sums: new Array<number>(sums.length).fill(0), sessionsByVisitor: new Map() };
      deltas.set(name, delta);
    }
    for (let index = 0; index < sums.length; index++) delta.sums[index]! += sign * sums[index]!;
    for (const visitor of visitors) {
      const sessions = (delta.sessionsByVisitor.get(visitor) ?? 0) + sign;
      if (sessions === 0) delta.sessionsByVisitor.delete(visitor);
      else delta.sessionsByVisitor.set(visitor, sessions);
    }
  }
}
