// ROLE=projector: reads the tracking log and keeps the read models. Wiring only.
import { type INestApplication, Module } from '@nestjs/common';
import { ProjectionsModule } from '../modules/projections/projections.module.js';
import { TrackingLogStrategy } from '../modules/projections/tracking-log.strategy.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { TrackingLog } from '../tracking-log/tracking-log.js';
import { TrackingLogModule } from '../tracking-log/tracking-log.module.js';

@Module({ imports: [PostgresModule, TrackingLogModule, ProjectionsModule] })
export class ProjectorRole {}

/** The log's partitions are a transport beside HTTP: closed after it, before what both stand on. */
export async function startProjecting(app: INestApplication): Promise<void> {
  app.connectMicroservice({ strategy: new TrackingLogStrategy(app.get(TrackingLog).partitions) });
  await app.startAllMicroservices();
}
