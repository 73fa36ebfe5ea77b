// Receives the partitions that the transport assigns to this process and projects them, each into
// every version of the read models that is kept current, and into the archive.
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { PartitionArchiver } from '../../archive/archiver.js';
import { DEFINITIONS } from './catalog/catalog.js';
import { type FedVersion, fedVersions } from './fed-versions.js';
import { Feeder } from './feeder.js';
import { ReadModelsDirectory } from './lifecycle/read-models.directory.js';
import { LogEnds } from './log-ends.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { type AssignedPartition, PARTITION_PATTERN } from './tracking-log.strategy.js';

interface Feeding {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

@Controller()
export class PartitionController {
  constructor(
    @Inject(ReadModelsDirectory) private readonly directory: Pick<ReadModelsDirectory, 'state' | 'onChange'>,
    @Inject(Feeder) private readonly feeder: Pick<Feeder, 'feed'>,
    @Inject(LogEnds) private readonly logEnds: Pick<LogEnds, 'tell'>,
    @Inject(PartitionArchiver) private readonly archiver: Pick<PartitionArchiver, 'follow'> | null,
    private readonly telemetry: ProjectionsTelemetry,
  ) {}

  /** Until the signal. Follows what versions come and go meanwhile. */
  @MessagePattern(PARTITION_PATTERN)
  async project(@Payload() { partition, signal, recheck }: AssignedPartition): Promise<void> {
    const running = new Map<number, Feeding>();
    const start = (fed: FedVersion, before: Promise<void> | undefined) => {
      const stop = new AbortController();
      const ended = (before ?? Promise.resolve()).then(() =>
        this.feeder.feed({ partition, fed, recheck, signal: stop.signal }),
      );
      running.set(fed.version, { stop, ended });
    };
    const follow = () => {
      const { fed, unknown } = fedVersions(this.directory.state, DEFINITIONS);
      for (const version of unknown) this.telemetry.versionNotFed(version);
      for (const [version, { stop }] of running) {
        if (!fed.some((wanted) => wanted.version === version)) stop.abort();
      }
      for (const wanted of fed) {
        const known = running.get(wanted.version);
        // One that was paused may still be ending.
        if (known === undefined || known.stop.signal.aborted) start(wanted, known?.ended);
      }
    };
    const unfollow = this.directory.onChange(follow);
    follow();
    const archiving = this.archiver?.follow(partition, signal);
    await this.logEnds.tell(partition, signal);
    unfollow();
    for (const { stop } of running.values()) stop.abort();
    await Promise.all([archiving, ...[...running.values()].map(({ ended }) => ended)]);
  }
}
