// Picks the event store's driver by configuration. Global: every role follows the store.
import { type BeforeApplicationShutdown, Global, Inject, Module } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventStore } from './event-store.js';
import { PostgresEventStore } from './postgres.event-store.js';

/** @throws ConfigError or EventStoreDbUnusableError, with a message for the operator. */
async function openEventStore(config: Config, pool: Pool, telemetry: Telemetry): Promise<EventStore> {
  if (config.EVENT_STORE === 'postgres') return new PostgresEventStore(pool, telemetry);
  // Loading the client takes most of a second, which those who do without it are spared.
  const { EventStoreDbEventStore } = await import('./eventstoredb.event-store.js');
  return EventStoreDbEventStore.open(config, telemetry);
}

@Global()
@Module({
  providers: [{ provide: EventStore, inject: [CONFIG, Pool, Telemetry], useFactory: openEventStore }],
  exports: [EventStore],
})
export class EventStoreModule implements BeforeApplicationShutdown {
  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  /** Before the pool goes. Requests still being drained can append; nobody follows any more. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.eventStore.close();
  }
}
