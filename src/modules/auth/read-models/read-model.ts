// A set of tables that is derived from the event store, for the runner to keep: control-read-models.ts.
import type { EntityManager, EntityTarget, ObjectLiteral } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';

export interface ReadModel {
  readonly entities: readonly EntityTarget<ObjectLiteral>[];
  /**
   * Writes what the events change, in their order. In the transaction that also moves the position, so that each
   * event is applied once. Whatever it does follows from rows and events alone: a rebuild gives the same rows.
   */
  apply(events: readonly RecordedEvent[], manager: EntityManager): Promise<void>;
}
