// Puts ingestion together: the pipeline with its lookups, the batcher before the tracking log, the
// salts. Ready to receive when started; drains what it took in before the log is closed.
import { hash } from 'node:crypto';
import { Inject, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { RedisModule } from '../../redis/redis.module.js';
import { RedisStore } from '../../redis/redis-store.js';
import { TrackingLog } from '../../tracking-log/tracking-log.js';
import { EventStore } from '../../event-store/event-store.js';
import { AuthModule } from '../auth/auth.module.js';
import { AuthTelemetry } from '../auth/auth.telemetry.js';
import { KeyDirectory } from '../auth/directories/key.directory.js';
import { SiteDirectory } from '../auth/directories/site.directory.js';
import { AddressRates } from '../auth/limits/address-rates.js';
import { SiteRates } from '../auth/limits/site-rates.js';
import { QuotaDirectory } from '../auth/quotas/quota.directory.js';
import { QuotaWarnings } from '../auth/quotas/quota-warnings.js';
import { UsageMeter } from '../auth/quotas/usage-meter.js';
import { UsageTable } from '../auth/quotas/usage-table.js';
import { canonicalAddress } from '../../places/addresses.js';
import { AppendBatcher } from './append-batcher.js';
import { IngestionTelemetry } from './ingestion.telemetry.js';
import { Intake } from './intake.js';
import { IntakeSites } from './intake-sites.js';
import { compileFieldCheck } from './native-event.schema.js';
import { pipeline } from './pipeline.js';
import { Places } from '../../places/places.js';
import { RecentIds } from './recent-ids.js';
import { SaltCopies } from './salt-copies.js';
import { SaltRegister } from './salt-register.js';
import { Salts } from './salts.js';
import { TrackerScripts } from './tracker-scripts.js';
import { UnsettledIds } from './unsettled-ids.js';
import { allowEveryOrigin } from './wire/cross-origin.js';
import { refuseEarly } from './wire/refuse-early.js';
import { NativeController } from './wire/native.controller.js';
import { PixelController } from './wire/pixel.controller.js';
import { TrackerController } from './wire/tracker.controller.js';
import { vendorControllers } from './wire/vendors/vendor-controllers.js';
import { VendorIntake } from './wire/vendors/vendor-intake.js';

@Module({
  imports: [AuthModule, RedisModule],
  controllers: [NativeController, PixelController, TrackerController, ...vendorControllers()],
  providers: [
    IngestionTelemetry,
    TrackerScripts,
    VendorIntake,
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
      provide: UsageMeter,
      inject: [UsageTable, QuotaDirectory, EventStore, AuthTelemetry],
      useFactory: (
        table: UsageTable,
        quotas: QuotaDirectory,
        eventStore: EventStore,
        telemetry: AuthTelemetry,
      ) =>
        new UsageMeter({
          ...{ table, quotas, warnings: new QuotaWarnings(eventStore, quotas) },
          onFailure: (error) => telemetry.usageUnwritten(error),
        }),
    },
    {
      provide: Intake,
      inject: [
        ...[CONFIG, TrackingLog, SiteDirectory, Places, Salts, AppendBatcher, IngestionTelemetry],
        ...[SiteRates, UsageMeter],
      ],
      useFactory: (
        config: Config,
        log: TrackingLog,
        sites: SiteDirectory,
        places: Places,
        salts: Salts,
        batcher: AppendBatcher,
        telemetry: IngestionTelemetry,
        rates: SiteRates,
        usage: UsageMeter,
      ) => {
        const intakeSites = new IntakeSites(sites);
        const perAddress = config.INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX;
        const addresses = perAddress === 0 ? undefined : new AddressRates(perAddress);
        return new Intake({
          steps: pipeline({
            findSite: (name, request) => intakeSites.find(name, request),
            siteWaitSeconds: (site, nowMs) => rates.waitSeconds(site, nowMs),
            quotaWaitSeconds: (merchant, nowMs) => usage.waitSeconds(merchant, nowMs),
            excessFor: (merchant, moments) => usage.excessFor(merchant, moments),
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
          addressStanding: addresses && ((...asked) => addresses.take(...asked)),
          siteStanding: (site, nowMs) => rates.standingAt(site, nowMs),
          onSampledOut: (of, receivedAt) => usage.dropped(of, receivedAt),
          onAppended: (used, receivedAt) => usage.appended(used, receivedAt),
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
    @Inject(UsageMeter) private readonly usage: UsageMeter,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(KeyDirectory) keys: KeyDirectory,
    @Inject(SiteRates) rates: SiteRates,
    @Inject(IngestionTelemetry) telemetry: IngestionTelemetry,
  ) {
    // Here, because routes are registered right after the modules are made.
    const server: FastifyInstance = host.httpAdapter.getInstance();
    allowEveryOrigin(server);
    refuseEarly(server, {
      callerOf: (key) => keys.find(key),
      siteStanding: (site, nowMs) => rates.standingAt(site, nowMs),
      quotaWaitSeconds: (merchant, nowMs) => usage.waitSeconds(merchant, nowMs),
      onRefused: (reason) => telemetry.refusedEarly(reason),
    });
  }

  async onModuleInit(): Promise<void> {
    await this.salts.start();
    this.usage.start();
  }

  /** The process's own time limit bounds the wait. */
  async onModuleDestroy(): Promise<void> {
    this.salts.stop();
    await this.batcher.drain();
    await this.usage.stop();
  }
}
