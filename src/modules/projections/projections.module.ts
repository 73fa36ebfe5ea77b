// ROLE=projector: partitions of the log in, read models out. Started as a Nest microservice over
// TrackingLogStrategy.
import { Module } from '@nestjs/common';
import { ArchiveModule } from '../../archive/archive.module.js';
import { DeletedSitesModule } from '../auth/deletion/deleted-sites.module.js';
import { Clusterer } from './clustering/clusterer.js';
import { ClusteringTelemetry } from './clustering/clustering.telemetry.js';
import { DecisionFollowerModule } from './dead-letters/decision-follower.module.js';
import { Feeder } from './feeder.js';
import { HaltedPartitions } from './halted-partitions.js';
import { Lifecycle } from './lifecycle/lifecycle.js';
import { VersionReaper } from './lifecycle/version-reaper.js';
import { LogEnds } from './log-ends.js';
import { PartitionController } from './partition.controller.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { ReadModelsModule } from './read-models/read-models.module.js';
import { RebuildSteward } from './rebuild/rebuild-steward.js';
import { SharingModule } from './sharing/sharing.module.js';

@Module({
  imports: [ReadModelsModule, SharingModule, ArchiveModule, DecisionFollowerModule, DeletedSitesModule],
  controllers: [PartitionController],
  providers: [
    ProjectionsTelemetry,
    HaltedPartitions,
    Lifecycle,
    RebuildSteward,
    VersionReaper,
    LogEnds,
    ClusteringTelemetry,
    Clusterer,
    Feeder,
  ],
})
export class ProjectionsModule {}
