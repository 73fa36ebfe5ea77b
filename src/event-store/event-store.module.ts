// Picks the event store's driver. Global: every role follows the store.
import { type BeforeApplicationShutdown, Global, Inject, Module } from '@nestjs/common';
import { Pool } from 'pg';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventStore } from './event-store.js';
import { PostgresEventStore } from './postgres.event-store.js';

@Global()
@Module({
  providers: [
    {
      provide: EventStore,
      inject: [Pool, Telemetry],
      useFactory: (pool: Pool, telemetry: Telemetry) => new PostgresEventStore(pool, telemetry),
    },
  ],
  exports: [EventStore],
})
export class EventStoreModule implements BeforeApplicationShutdown {
  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  /** Before the pool goes. Requests still being drained can append; nobody follows any more. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.eventStore.close();
  }
}
