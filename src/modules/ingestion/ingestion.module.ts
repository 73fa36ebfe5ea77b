// Puts ingestion together: the pipeline with its lookups, the batcher before the tracking log, the
// salts. Ready to receive when started; drains what it took in before the log is closed.
import { hash } from 'node:crypto';
import { Inject, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { RedisModule } from '../../redis/redis.module.js';
import { RedisStore } from '../../redis/redis-store.js';
import { TrackingLog } from '../../tracking-log/tracking-log.js';
import { AuthModule } from '../auth/auth.module.js';
import { SiteDirectory } from '../auth/directories/site.directory.js';
import { canonicalAddress } from './addresses.js';
import { AppendBatcher } from './append-batcher.js';
import { IngestionTelemetry } from './ingestion.telemetry.js';
import { Intake } from './intake.js';
import { IntakeSites } from './intake-sites.js';
import { compileFieldCheck } from './native-event.schema.js';
import { pipeline } from './pipeline.js';
import { Places } from './places.js';
import { RecentIds } from './recent-ids.js';
import { SaltCopies } from './salt-copies.js';
import { SaltRegister } from './salt-register.js';
import { Salts } from './salts.js';
import { UnsettledIds } from './unsettled-ids.js';
import { allowEveryOrigin } from './wire/cross-origin.js';
import { NativeController } from './wire/native.controller.js';

@Module({
  imports: [AuthModule, RedisModule],
  controllers: [NativeController],
  providers: [
    IngestionTelemetry,
    Places,
    {
      provide: Salts,
      inject: [Pool, RedisStore, IngestionTelemetry],
      useFactory: (pool: Pool, redis: RedisStore, telemetry: IngestionTelemetry) =>
        new Salts({
          register: new SaltRegister(pool),
          copies: new SaltCopies(redis),
          telemetry,
          now: () => Date.now(),
        }),
    },
    {
      provide: AppendBatcher,
      inject: [TrackingLog, IngestionTelemetry, CONFIG],
      useFactory: (log: TrackingLog, telemetry: IngestionTelemetry, config: Config) =>
        new AppendBatcher(log, telemetry, config.INTAKE_QUEUE_BYTES_MAX),
    },
    {
      provide: Intake,
      inject: [CONFIG, TrackingLog, SiteDirectory, Places, Salts, AppendBatcher, IngestionTelemetry],
      useFactory: (
        config: Config,
        log: TrackingLog,
        sites: SiteDirectory,
        places: Places,
        salts: Salts,
        batcher: AppendBatcher,
        telemetry: IngestionTelemetry,
      ) => {
        const intakeSites = new IntakeSites(sites);
        return new Intake({
          steps: pipeline({
            findSite: (idOrDomain, caller) => intakeSites.find(idOrDomain, caller),
            checkInput: compileFieldCheck(),
            addressOf: canonicalAddress,
            allowedQueryParameters: config.ALLOWED_QUERY_PARAMETERS,
            placeOf: (address) => places.of(address),
            hash: (text) => hash('sha256', text),
            partitions: log.partitions,
            spreadAt: (site, time) => sites.spreadAt(site, time),
          }),
          salts,
          batcher,
          recentIds: new RecentIds(),
          unsettledIds: new UnsettledIds(),
          telemetry,
        });
      },
    },
  ],
})
export class IngestionModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(Salts) private readonly salts: Salts,
    @Inject(AppendBatcher) private readonly batcher: AppendBatcher,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
  ) {
    // Here, because routes are registered right after the modules are made.
    allowEveryOrigin(host.httpAdapter.getInstance());
  }

  async onModuleInit(): Promise<void> {
    await this.salts.start();
  }

  /** The process's own time limit bounds the wait. */
  async onModuleDestroy(): Promise<void> {
    this.salts.stop();
    await this.batcher.drain();
  }
}
