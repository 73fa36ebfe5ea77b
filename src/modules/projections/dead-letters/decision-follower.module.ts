// For the projector role: carries out what operators decide about dead letters.
import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { EventStore } from '../../../event-store/event-store.js';
import { TrackingLog } from '../../../tracking-log/tracking-log.js';
import { DeadLetterTable } from './dead-letter-table.js';
import { DeadLettersTelemetry } from './dead-letters.telemetry.js';
import { DecisionFollower, type DecisionFollowerDeps } from './decision-follower.js';

@Module({
  providers: [
    DeadLetterTable,
    DeadLettersTelemetry,
    {
      provide: DecisionFollower,
      inject: [EventStore, TrackingLog, Pool, DeadLetterTable, DeadLettersTelemetry],
      useFactory: (
        eventStore: DecisionFollowerDeps['eventStore'],
        log: DecisionFollowerDeps['log'],
        pool: DecisionFollowerDeps['pool'],
        table: DeadLetterTable,
        telemetry: DeadLettersTelemetry,
      ) => new DecisionFollower({ eventStore, log, pool, table, telemetry }),
    },
  ],
})
export class DecisionFollowerModule {}
