// A tracking log that stands before another one, and leaves to it what it does not do in its own way.
import {
  type EncodedBatch,
  type Partition,
  type Position,
  type ReadEncodedOptions,
  TrackingLog,
} from './tracking-log.js';

export abstract class DelegatingTrackingLog extends TrackingLog {
  readonly partitions: number;

  constructor(protected readonly log: TrackingLog) {
    super();
    this.partitions = log.partitions;
  }

  override readEncoded(
    partition: Partition,
    after: Position | null,
    options: ReadEncodedOptions,
  ): AsyncIterable<EncodedBatch> {
    return this.log.readEncoded(partition, after, options);
  }

  override findByTime(partition: Partition, time: Date): Promise<Position | null> {
    return this.log.findByTime(partition, time);
  }

  override end(partition: Partition): Promise<Position | null> {
    return this.log.end(partition);
  }

  override compare(a: Position, b: Position): number {
    return this.log.compare(a, b);
  }
}
