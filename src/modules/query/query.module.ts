// Everything behind POST /v1/sites/{site}/query. Of projections it knows only the read models.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuthModule } from '../auth/auth.module.js';
import { Freshness } from './freshness.js';
import { QueryController } from './query.controller.js';
import { QueryTelemetry } from './query.telemetry.js';
import { MemoryReportCache, ReportCache } from './report-cache.js';
import { type ComputedReport, RunReportHandler } from './run-report.query.js';

const CACHE_BYTES_MAX = 64 * 1_048_576;
const CACHE_ENTRIES_MAX = 10_000;

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [QueryController],
  providers: [
    RunReportHandler,
    Freshness,
    QueryTelemetry,
    {
      provide: ReportCache,
      useFactory: () =>
        new MemoryReportCache<ComputedReport>({
          bytesMax: CACHE_BYTES_MAX,
          entriesMax: CACHE_ENTRIES_MAX,
          bytesOf: ({ bytes }) => bytes,
        }),
    },
  ],
})
export class QueryModule {}
