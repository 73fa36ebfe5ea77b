// Everything behind POST /v1/sites/{site}/query. Of projections it knows only the read models.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { RedisModule } from '../../redis/redis.module.js';
import { RedisStore } from '../../redis/redis-store.js';
import { AuthModule } from '../auth/auth.module.js';
import { ReadModelsModule } from '../projections/read-models/read-models.module.js';
import { Freshness } from './freshness.js';
import { QueryController } from './query.controller.js';
import { QueryTelemetry } from './query.telemetry.js';
import { RedisReportCache } from './redis.report-cache.js';
import { MemoryReportCache, ReportCache } from './report-cache.js';
import { type ComputedReport, RunReportHandler } from './run-report.query.js';

const CACHE_BYTES_MAX = 64 * 1_048_576;
const CACHE_ENTRIES_MAX = 10_000;

@Module({
  imports: [CqrsModule, AuthModule, RedisModule, ReadModelsModule],
  controllers: [QueryController],
  providers: [
    RunReportHandler,
    Freshness,
    QueryTelemetry,
    {
      provide: ReportCache,
      inject: [RedisStore, QueryTelemetry],
      useFactory: (redis: RedisStore, telemetry: QueryTelemetry) => {
        const memory = new MemoryReportCache<ComputedReport>({
          bytesMax: CACHE_BYTES_MAX,
          entriesMax: CACHE_ENTRIES_MAX,
          bytesOf: ({ bytes }) => bytes,
        });
        return redis.configured ? new RedisReportCache({ memory, redis, telemetry }) : memory;
      },
    },
  ],
})
export class QueryModule {}
