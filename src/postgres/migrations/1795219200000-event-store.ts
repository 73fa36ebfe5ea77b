// The event store's one table. `position` orders all streams and has no gaps; `revision` orders
// one stream. Both are allotted by the driver under an advisory lock, never by a sequence, because
// sequences commit out of order; the two unique keys would refuse a writer that forgot the lock.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EventStore1795219200000 implements MigrationInterface {
  readonly name = 'EventStore1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE SCHEMA event_store;
      CREATE TABLE event_store.events (
        position bigint PRIMARY KEY CHECK (position > 0),
        stream text NOT NULL,
        revision integer NOT NULL CHECK (revision >= 0),
        type text NOT NULL,
        data jsonb NOT NULL,
        metadata jsonb,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (stream, revision)
      );
    `);
  }

  down(): Promise<void> {
    throw new Error('The event store is ground truth: no migration drops it.');
  }
}
