// ROLE=projector: the log's partitions in, read models out. Started as a Nest microservice over
// TrackingLogStrategy.
import { Module } from '@nestjs/common';
import { PartitionController } from './partition.controller.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { ReadModelsModule } from './read-models.module.js';

@Module({
  imports: [ReadModelsModule],
  controllers: [PartitionController],
  providers: [ProjectionsTelemetry],
})
export class ProjectionsModule {}
