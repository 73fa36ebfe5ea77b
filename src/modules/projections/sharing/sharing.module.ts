// Picks how the partitions are shared by the tracking log's driver: Kafka has consumer groups.
import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { kafkaClient } from '../../../tracking-log/kafka.connection.js';
import { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { trackingLogDriver } from '../../../tracking-log/tracking-log.module.js';
import { KafkaGroupSharing } from './kafka-group.sharing.js';
import { PartitionSharing } from './partition-sharing.js';
import { PostgresLeases } from './postgres-leases.sharing.js';
import { SharingTelemetry } from './sharing.telemetry.js';

@Module({
  providers: [
    SharingTelemetry,
    {
      provide: PartitionSharing,
      inject: [CONFIG, Pool, TrackingLog, Telemetry, SharingTelemetry],
      useFactory: (
        config: Config,
        pool: Pool,
        log: TrackingLog,
        { log: logger }: Telemetry,
        telemetry: SharingTelemetry,
      ): PartitionSharing =>
        trackingLogDriver(config) === 'kafka'
          ? new KafkaGroupSharing({
              client: (overrides) => kafkaClient(config, logger, overrides),
              topic: config.KAFKA_TOPIC,
              telemetry,
            })
          : new PostgresLeases({ pool, partitions: log.partitions, telemetry }),
    },
  ],
  exports: [PartitionSharing],
})
export class SharingModule {}
