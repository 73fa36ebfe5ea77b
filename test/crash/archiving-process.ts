// A process to be killed: archives every partition of the log that its environment names. With KILL_AT=n it
// kills itself at the n-th step at which the store or the manifest is about to change or has just changed.
import { Pool } from 'pg';
import { Archive } from '../../src/archive/archive.js';
import { ArchiveStore } from '../../src/archive/archive-store.js';
import { ArchiveTelemetry } from '../../src/archive/archive.telemetry.js';
import { PartitionArchiver } from '../../src/archive/archiver.js';
import { Manifests } from '../../src/archive/manifest.js';
import { openArchiveStore } from '../../src/archive/open-archive-store.js';
import { readConfig } from '../../src/config/config.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { openTrackingLog } from '../../src/tracking-log/tracking-log.module.js';

let stepsLeft = Number(process.env['KILL_AT'] ?? 'Infinity');

function step(): void {
  if (stepsLeft-- <= 0) process.kill(process.pid, 'SIGKILL');
}

class MortalStore extends ArchiveStore {
  constructor(private readonly within: ArchiveStore) {
    super();
  }

  override async put(name: string, bytes: Uint8Array): Promise<void> {
    step();
    await this.within.put(name, bytes);
    step();
  }

  override get(name: string): Promise<Uint8Array> {
    return this.within.get(name);
  }

  override list(prefix: string): AsyncIterable<string> {
    return this.within.list(prefix);
  }

  override async delete(name: string): Promise<void> {
    step();
    await this.within.delete(name);
    step();
  }
}

const config = readConfig();
const telemetry = new Telemetry('warn');
const pool = new Pool({ connectionString: config.DATABASE_URL });
const log = await openTrackingLog(config, telemetry);
const manifests = new Manifests(pool);
const change = manifests.change.bind(manifests);
manifests.change = async (...changed) => {
  step();
  const outcome = await change(...changed);
  step();
  return outcome;
};
const archiver = new PartitionArchiver({
  archive: new Archive({
    store: new MortalStore(await openArchiveStore(config.ARCHIVE_URL!, config)),
    manifests,
  }),
  log,
  telemetry: new ArchiveTelemetry(telemetry),
  segmentIntervalMs: config.ARCHIVE_SEGMENT_INTERVAL_MS,
  segmentEventsMax: config.ARCHIVE_SEGMENT_EVENTS_MAX,
  retentionDays: config.ARCHIVE_RETENTION_DAYS,
});
const forever = new AbortController().signal;
for (let partition = 0; partition < log.partitions; partition++) void archiver.follow(partition, forever);
process.stdout.write('archiving\n');
