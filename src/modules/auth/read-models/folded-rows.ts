// Rows that are the fold of a stream each: those whose streams have news are read, folded on and written, a
// statement for all of a batch.
import { type EntityManager, type FindOptionsWhere, In, type ObjectLiteral } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Fold } from '../aggregate.js';

export interface FoldedTable<Row extends ObjectLiteral, State> {
  readonly entity: new () => Row;
  /** The primary key. */
  readonly id: keyof Row & string;
  readonly fold: Fold<State>;
  /** Undefined: the event is about something else. */
  idOf(event: RecordedEvent): string | undefined;
  stateOf(row: Row): State;
  /** Undefined: there is none, or no more. */
  rowOf(state: State): Row | undefined;
}

export async function foldRows<Row extends ObjectLiteral, State>(
  manager: EntityManager,
  table: FoldedTable<Row, State>,
  events: readonly RecordedEvent[],
): Promise<void> {
  const { entity, id, fold } = table;
  const byId = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    const key = table.idOf(event);
    if (key !== undefined) byId.set(key, [...(byId.get(key) ?? []), event]);
  }
  if (byId.size === 0) return;
  const among = { [id]: In([...byId.keys()]) } as FindOptionsWhere<Row>;
  const before = new Map((await manager.findBy(entity, among)).map((row) => [row[id] as string, row]));
  const written: Row[] = [];
  const gone: string[] = [];
  for (const [key, news] of byId) {
    const row = before.get(key);
    const state = news.reduce((so, event) => fold.evolve(so, event), row ? table.stateOf(row) : fold.initial);
    const after = table.rowOf(state);
    if (after !== undefined) written.push(after);
    else if (row !== undefined) gone.push(key);
  }
  if (written.length > 0) await manager.upsert(entity, written, [id]);
  if (gone.length > 0) await manager.delete(entity, { [id]: In(gone) });
}
