// ROLE=projector: reads the tracking log and keeps the read models. Wiring only.
import { type INestApplication, Module } from '@nestjs/common';
import { EventStoreModule } from '../event-store/event-store.module.js';
import { ProjectionsModule } from '../modules/projections/projections.module.js';
import { PartitionSharing } from '../modules/projections/sharing/partition-sharing.js';
import { TrackingLogStrategy } from '../modules/projections/tracking-log.strategy.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { TrackingLogModule } from '../tracking-log/tracking-log.module.js';

@Module({ imports: [PostgresModule, EventStoreModule, TrackingLogModule, ProjectionsModule] })
export class ProjectorRole {}

/** The log's partitions are a transport beside HTTP: closed after it, before what both stand on. */
export async function startProjecting(app: INestApplication): Promise<void> {
  app.connectMicroservice({
    strategy: new TrackingLogStrategy(app.get(PartitionSharing, { strict: false })),
  });
  await app.startAllMicroservices();
}
