// What answers for realtime, wired: one list for the query module.
import type { Provider } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { QuotaDirectory } from '../../auth/quotas/quota.directory.js';
import { Freshness } from '../freshness.js';
import { RealtimeTelemetry } from './realtime.telemetry.js';
import { computeRealtime, RealtimeHandler } from './run-realtime.query.js';
import { RealtimeSnapshots } from './snapshots.js';
import { WatcherRights } from './watcher-rights.js';
import { RealtimeWatchers, type WatchersDeps } from './watchers.js';

type SnapshotsInputs = [Pool, Config, Freshness, RealtimeTelemetry, SiteDirectory, QuotaDirectory];

export const REALTIME_PROVIDERS: readonly Provider[] = [
  RealtimeHandler,
  RealtimeTelemetry,
  WatcherRights,
  {
    provide: RealtimeSnapshots,
    inject: [Pool, CONFIG, Freshness, RealtimeTelemetry, SiteDirectory, QuotaDirectory],
    useFactory: (...[pool, config, freshness, telemetry, sites, quotas]: SnapshotsInputs) => {
      const excessesOf = (site: string) => quotas.excessesOf(sites.find(site)?.merchant ?? '');
      const source = { pool, config, freshness, telemetry, excessesOf };
      return new RealtimeSnapshots((site) => computeRealtime(source, site));
    },
  },
  {
    provide: RealtimeWatchers,
    inject: [CONFIG, RealtimeSnapshots, WatcherRights, RealtimeTelemetry],
    useFactory: (
      ...[config, snapshots, rights, telemetry]: [Config, RealtimeSnapshots, WatcherRights, RealtimeTelemetry]
    ) => {
      const limits: WatchersDeps['limits'] = {
        streamsMax: config.REALTIME_STREAMS_MAX,
        streamsPerKeyMax: config.REALTIME_STREAMS_PER_KEY_MAX,
      };
      return new RealtimeWatchers({ snapshots, limits, rights, telemetry });
    },
  },
];
