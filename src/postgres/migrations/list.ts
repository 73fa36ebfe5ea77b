// Every migration, run at boot by src/postgres/migrate.ts, each in its own transaction. Add
// yours at the end. The number in a class's name orders them; what has been released is never
// edited or removed, and must leave the tables usable by the release before it.
import type { MigrationInterface } from 'typeorm';
import { EventStore1795219200000 } from './1795219200000-event-store.js';
import { Checkpoints1795219200100 } from './1795219200100-checkpoints.js';
import { Salts1795219200200 } from './1795219200200-salts.js';
import { SaltFingerprints1795219200300 } from './1795219200300-salt-fingerprints.js';
import { PartitionLeases1795219200400 } from './1795219200400-partition-leases.js';
import { RebuildPartitions1795219200500 } from './1795219200500-rebuild-partitions.js';
import { Archive1795219200600 } from './1795219200600-archive.js';
import { DeadLetterBytes1795219200700 } from './1795219200700-dead-letter-bytes.js';
import { RebuildBounds1795219200800 } from './1795219200800-rebuild-bounds.js';
import { Jobs1795219200900 } from './1795219200900-jobs.js';
import { People1795219201000 } from './1795219201000-people.js';
import { ClusteredDays1795219201050 } from './1795219201050-clustered-days.js';
import { ControlReadModels1795219201100 } from './1795219201100-control-read-models.js';
import { KeysAndRepeats1795219201200 } from './1795219201200-keys-and-repeats.js';
import { DirectorySnapshots1795219201500 } from './1795219201500-directory-snapshots.js';
import { EventUsage1795219201600 } from './1795219201600-event-usage.js';
import { Erasures1795219201700 } from './1795219201700-erasures.js';
import { AuditTrail1795219202000 } from './1795219202000-audit-trail.js';
import { Deletions1795219202100 } from './1795219202100-deletions.js';
import { UsageBeyondQuota1795219202200 } from './1795219202200-usage-beyond-quota.js';

export const MIGRATIONS: (new () => MigrationInterface)[] = [
  EventStore1795219200000,
  Checkpoints1795219200100,
  Salts1795219200200,
  SaltFingerprints1795219200300,
  PartitionLeases1795219200400,
  RebuildPartitions1795219200500,
  Archive1795219200600,
  DeadLetterBytes1795219200700,
  RebuildBounds1795219200800,
  Jobs1795219200900,
  People1795219201000,
  ClusteredDays1795219201050,
  ControlReadModels1795219201100,
  KeysAndRepeats1795219201200,
  DirectorySnapshots1795219201500,
  EventUsage1795219201600,
  Erasures1795219201700,
  AuditTrail1795219202000,
  Deletions1795219202100,
  UsageBeyondQuota1795219202200,
];
