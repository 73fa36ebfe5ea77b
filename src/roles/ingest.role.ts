// ROLE=ingest: receives events and appends them to the tracking log. Wiring only.
import { Module } from '@nestjs/common';
import { EventStoreModule } from '../event-store/event-store.module.js';
import { AuthModule } from '../modules/auth/auth.module.js';
import { IngestionModule } from '../modules/ingestion/ingestion.module.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { TrackingLogModule } from '../tracking-log/tracking-log.module.js';

@Module({ imports: [PostgresModule, EventStoreModule, TrackingLogModule, AuthModule, IngestionModule] })
export class IngestRole {}
