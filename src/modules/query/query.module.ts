// Everything behind POST /v1/sites/{site}/query and the vendors' reporting APIs. Of projections it knows only the read models.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { RedisModule } from '../../redis/redis.module.js';
import { RedisStore } from '../../redis/redis-store.js';
import { AuthModule } from '../auth/auth.module.js';
import { ReadModelsModule } from '../projections/read-models/read-models.module.js';
import { Ga4Controller } from './dialects/ga4/ga4.controller.js';
import { PlausibleReports } from './dialects/plausible/plausible-reports.js';
import { PlausibleStatsV1Controller } from './dialects/plausible/stats-v1.controller.js';
import { PlausibleStatsV2Controller } from './dialects/plausible/stats-v2.controller.js';
import { ExportsController } from './exports/exports.controller.js';
import { Freshness } from './freshness.js';
import { JobsController } from './jobs/jobs.controller.js';
import { JOB_PROVIDERS } from './jobs.providers.js';
import { QueryController } from './query.controller.js';
import { SiteChanges } from './site-changes.js';
import { SiteQuestions } from './site-questions.js';
import { QueryTelemetry } from './query.telemetry.js';
import { RedisReportCache } from './cache/redis.report-cache.js';
import { MemoryReportCache, ReportCache } from './cache/report-cache.js';
import type { ReportText } from './report-text.js';
import { KnownReports } from './repeated/known-reports.js';
import { RepeatedQuestions } from './repeated/repeated-questions.js';
import { RunReportHandler } from './run-report.query.js';
import { RealtimeController } from './realtime/realtime.controller.js';
import { REALTIME_PROVIDERS } from './realtime/realtime.providers.js';
import { REPORTS } from './reporting/report-list.js';
import { reportController } from './reporting/report.controller.js';
import { ReportPlanning } from './reporting/report-planning.js';
import { RunDefinedReportHandler } from './reporting/run-defined-report.query.js';
import { Settler } from './settled/settler.js';
import { SettlingTelemetry } from './settled/settling.telemetry.js';
import { SavedModule } from './saved/saved.module.js';

const CACHE_BYTES_MAX = 64 * 1_048_576;
const CACHE_ENTRIES_MAX = 10_000;

@Module({
  imports: [CqrsModule, AuthModule, RedisModule, ReadModelsModule, SavedModule],
  controllers: [
    QueryController,
    RealtimeController,
    ExportsController,
    JobsController,
    Ga4Controller,
    PlausibleStatsV1Controller,
    PlausibleStatsV2Controller,
    ...REPORTS.map(reportController),
  ],
  providers: [
    RunReportHandler,
    RunDefinedReportHandler,
    ReportPlanning,
    Freshness,
    SiteChanges,
    SiteQuestions,
    KnownReports,
    RepeatedQuestions,
    PlausibleReports,
    QueryTelemetry,
    Settler,
    SettlingTelemetry,
    ...REALTIME_PROVIDERS,
    ...JOB_PROVIDERS,
    {
      provide: ReportCache,
      inject: [RedisStore, QueryTelemetry],
      useFactory: (redis: RedisStore, telemetry: QueryTelemetry) => {
        const memory = new MemoryReportCache<ReportText>({
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
