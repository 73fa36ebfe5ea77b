// The archive of the tracking log, where ARCHIVE_URL names one: what writes it, and the log as far back as
// both reach. Without one, PartitionArchiver is null and ArchivedLog is the log alone.
import { Module } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../config/config.js';
import { TrackingLog } from '../tracking-log/tracking-log.js';
import { Archive } from './archive.js';
import { ArchiveTelemetry } from './archive.telemetry.js';
import { ArchivedLog } from './archived-log.js';
import { PartitionArchiver } from './archiver.js';
import { Manifests } from './manifest.js';
import { openArchiveStore } from './open-archive-store.js';

@Module({
  providers: [
    ArchiveTelemetry,
    {
      provide: Archive,
      inject: [CONFIG, Pool],
      useFactory: async (config: Config, pool: Pool): Promise<Archive | null> => {
        const { ARCHIVE_URL } = config;
        if (ARCHIVE_URL === undefined) return null;
        const store = await openArchiveStore(ARCHIVE_URL, config);
        return new Archive({ store, manifests: new Manifests(pool) });
      },
    },
    {
      provide: PartitionArchiver,
      inject: [CONFIG, Archive, TrackingLog, ArchiveTelemetry],
      useFactory: (
        config: Config,
        archive: Archive | null,
        log: TrackingLog,
        telemetry: ArchiveTelemetry,
      ): PartitionArchiver | null =>
        archive &&
        new PartitionArchiver({
          ...{ archive, log, telemetry },
          segmentIntervalMs: config.ARCHIVE_SEGMENT_INTERVAL_MS,
          segmentEventsMax: config.ARCHIVE_SEGMENT_EVENTS_MAX,
          retentionDays: config.ARCHIVE_RETENTION_DAYS,
        }),
    },
    {
      provide: ArchivedLog,
      inject: [Archive, TrackingLog],
      useFactory: (archive: Archive | null, log: TrackingLog) => new ArchivedLog(archive, log),
    },
  ],
  exports: [PartitionArchiver, ArchivedLog],
})
export class ArchiveModule {}
