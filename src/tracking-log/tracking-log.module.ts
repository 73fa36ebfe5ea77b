// Picks the tracking log's driver by configuration, one per process. The log closes in the last
// phase of shutdown: HTTP has answered its requests and the projector has stopped by then.
import { join } from 'node:path';
import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EmbeddedTrackingLog } from './embedded.tracking-log.js';
import { TrackingLog } from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

/** @throws TrackingLogUnusableError */
export function openTrackingLog(config: Config, telemetry: Telemetry): TrackingLog {
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
    { provide: TrackingLog, inject: [CONFIG, Telemetry], useFactory: openTrackingLog },
    TrackingLogCloser,
  ],
  exports: [TrackingLog],
})
export class TrackingLogModule {}
