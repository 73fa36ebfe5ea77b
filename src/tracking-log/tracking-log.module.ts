// Picks the tracking log's driver by configuration, one per process. The log closes in the last
// phase of shutdown: HTTP has answered its requests and the projector has stopped by then.
import { join } from 'node:path';
import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AwaitedTrackingLog } from './awaited.tracking-log.js';
import { EmbeddedTrackingLog } from './embedded.tracking-log.js';
import { KafkaTrackingLog } from './kafka.tracking-log.js';
import { SpoolTelemetry } from './spool.telemetry.js';
import { SpoolingTrackingLog } from './spooling.tracking-log.js';
import { TrackingLog } from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

export type TrackingLogDriver = NonNullable<Config['TRACKING_LOG']>;

export function trackingLogDriver(config: Config): TrackingLogDriver {
  const { TRACKING_LOG, KAFKA_BROKERS, EVENTSTORE_URL } = config;
  return TRACKING_LOG ?? (KAFKA_BROKERS ? 'kafka' : EVENTSTORE_URL ? 'eventstoredb' : 'embedded');
}

/** @throws ConfigError, EventStoreDbUnusableError, TrackingLogUnusableError; TrackingLogUnreachableError, which may pass */
export async function openTrackingLog(config: Config, telemetry: Telemetry): Promise<TrackingLog> {
  switch (trackingLogDriver(config)) {
    case 'kafka':
      return KafkaTrackingLog.open({ config, telemetry });
    case 'eventstoredb': {
      // Loading the client takes most of a second, which those who do without it are spared.
      const { EventStoreDbTrackingLog } = await import('./eventstoredb.tracking-log.js');
      return EventStoreDbTrackingLog.open({ config, telemetry });
    }
    default:
      return openEmbedded(config, telemetry);
  }
}

/** Where this process receives events for a log on other machines: with a spool before it, and so even without it. */
async function openWithSpool(config: Config, telemetry: Telemetry): Promise<TrackingLog> {
  const open = (): Promise<TrackingLog> => openTrackingLog(config, telemetry);
  const isRemote = trackingLogDriver(config) !== 'embedded';
  if (!isRemote || !config.ROLE.includes('ingest') || config.SPOOL_BYTES_MAX === 0) return open();
  const log = await AwaitedTrackingLog.open({
    open,
    partitions: config.TRACKING_LOG_PARTITIONS,
    telemetry,
    onUnusable: (error) => {
      telemetry.log.fatal({ err: error }, 'The tracking log answers and cannot be used; the process ends');
      process.exit(1);
    },
  });
  try {
    return await SpoolingTrackingLog.open(log, {
      directory: join(config.DATA_DIR, 'spool'),
      bytesMax: config.SPOOL_BYTES_MAX,
      telemetry: new SpoolTelemetry(telemetry),
      onDiskFailure: (error) => {
        telemetry.log.fatal({ err: error }, 'The spool cannot be relied on; the process ends');
        process.exit(1);
      },
    });
  } catch (error) {
    await log.close();
    throw error;
  }
}

function openEmbedded(config: Config, telemetry: Telemetry): TrackingLog {
  return new EmbeddedTrackingLog({
    directory: join(config.DATA_DIR, 'tracking-log'),
    partitions: config.TRACKING_LOG_PARTITIONS,
    bytesMax: config.TRACKING_LOG_BYTES_MAX,
    telemetry: new TrackingLogTelemetry(telemetry.registry),
    onDiskFailure: (error) => {
      telemetry.log.fatal({ err: error }, 'The disk failed under the tracking log; the process ends');
      process.exit(1);
    },
  });
}

@Injectable()
class TrackingLogCloser implements OnApplicationShutdown {
  constructor(@Inject(TrackingLog) private readonly log: TrackingLog) {}

  async onApplicationShutdown(): Promise<void> {
    await this.log.close();
  }
}

@Global()
@Module({
  providers: [
    { provide: TrackingLog, inject: [CONFIG, Telemetry], useFactory: openWithSpool },
    TrackingLogCloser,
  ],
  exports: [TrackingLog],
})
export class TrackingLogModule {}
