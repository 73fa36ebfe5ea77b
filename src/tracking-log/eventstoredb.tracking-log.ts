// The tracking log on EventStoreDB: a stream for each partition, an event there for each batch, and a
// revision is a position. Acknowledged when the server has committed it, which with a cluster means a
// majority. How many partitions there are stands in a stream of its own.
import { jsonEvent, NO_STREAM, StreamNotFoundError, WrongExpectedVersionError } from '@eventstore/db-client';
import type { Config } from '../config/config.js';
import {
  EventStoreDbConnection,
  EventStoreDbUnreachableError,
  isOutage,
} from '../event-store/eventstoredb.connection.js';
import { received } from '../event-store/eventstoredb.received.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { encodeBatch, type EncodedEvent, stampOf } from './batch-codec.js';
import { PartitionAppender } from './eventstoredb.appender.js';
import { PartitionReader } from './eventstoredb.partition-reader.js';
import { EventStoreDbLogTelemetry } from './eventstoredb.telemetry.js';
import { LogGate, type SizedBatch } from './log-gate.js';
import { numberOf } from './position-number.js';
import {
  type AppendOutcome,
  type EncodedBatch,
  type Partition,
  type Position,
  type ReadEncodedOptions,
  TrackingLog,
  TrackingLogUnreachableError,
  TrackingLogUnusableError,
} from './tracking-log.js';
import { TrackingLogTelemetry } from './tracking-log.telemetry.js';

const LOG_CREATED = 'tracking-log-created';

export interface EventStoreDbTrackingLogOptions {
  readonly config: Config;
  readonly telemetry: Telemetry;
}

export class EventStoreDbTrackingLog extends TrackingLog {
  readonly #gate: LogGate;
  readonly #serverTelemetry: EventStoreDbLogTelemetry;
  readonly #appenders: readonly PartitionAppender[];
  /** The latest stamp of this process, by partition: its clock may go back. */
  readonly #stamps = new Map<Partition, number>();

  private constructor(
    private readonly connection: EventStoreDbConnection,
    readonly partitions: number,
    telemetry: Telemetry,
  ) {
    super();
    const logTelemetry = new TrackingLogTelemetry(telemetry.registry);
    this.#gate = new LogGate(partitions, logTelemetry);
    this.#serverTelemetry = new EventStoreDbLogTelemetry(telemetry);
    this.#appenders = Array.from(
      { length: partitions },
      (_, partition) =>
        new PartitionAppender({
          connection,
          stream: this.#stream(partition),
          telemetry: logTelemetry,
          serverTelemetry: this.#serverTelemetry,
        }),
    );
  }

  /**
   * @throws TrackingLogUnusableError, ConfigError or EventStoreDbUnusableError, for the operator; and
   * TrackingLogUnreachableError where time may mend it
   */
  static async open({ config, telemetry }: EventStoreDbTrackingLogOptions): Promise<EventStoreDbTrackingLog> {
    const partitions = config.TRACKING_LOG_PARTITIONS;
    const connection = await EventStoreDbConnection.open(config).catch((error: unknown) => {
      throw error instanceof EventStoreDbUnreachableError ? unreachable(error) : error;
    });
    const existing = await describe(connection, partitions).catch((error: unknown) => {
      throw isOutage(error) ? unreachable(error) : error;
    });
    if (existing !== partitions) {
      throw new TrackingLogUnusableError(
        `The tracking log ${connection.streamPrefix} in EventStoreDB has ${existing} partitions and cannot be opened ` +
          `with ${partitions}: set TRACKING_LOG_PARTITIONS=${existing}, or another EVENTSTORE_STREAM_PREFIX for a new log.`,
      );
    }
    return new EventStoreDbTrackingLog(connection, partitions, telemetry);
  }

  override appendEncoded(partition: Partition, batch: readonly EncodedEvent[]): Promise<AppendOutcome> {
    return this.#gate.append(partition, batch, (sized) => {
      const data = encodeBatch(batch, this.#stamp(sized), Buffer.allocUnsafe(sized.bytes));
      return this.#appenders[partition]!.append({ data, bytes: sized.bytes });
    });
  }

  override async *readEncoded(
    partition: Partition,
    after: Position | null,
    { follow, signal }: ReadEncodedOptions,
  ): AsyncGenerator<EncodedBatch, void, undefined> {
    this.#gate.mustRead(partition);
    const stop = AbortSignal.any([this.#gate.closing, ...(signal ? [signal] : [])]);
    const revision = after === null ? null : numberOf(after);
    const reading = { after: revision, follow, signal: stop };
    for await (const batch of this.#reader(partition).read(reading)) {
      if (stop.aborted) break;
      yield batch;
    }
    if (!follow && !signal?.aborted) this.#gate.mustRead(partition);
  }

  override async findByTime(partition: Partition, time: Date): Promise<Position | null> {
    this.#gate.mustRead(partition);
    const revision = await this.#reader(partition).newestBefore(time.getTime());
    return revision === null ? null : String(revision);
  }

  override async end(partition: Partition): Promise<Position | null> {
    this.#gate.mustRead(partition);
    const revision = await this.#reader(partition).end();
    return revision === null ? null : String(revision);
  }

  override compare(a: Position, b: Position): number {
    return numberOf(a) - numberOf(b);
  }

  override async close(): Promise<void> {
    this.#gate.close();
    await Promise.all(this.#appenders.map((appender) => appender.idle()));
  }

  #stamp({ partition, events }: SizedBatch): number {
    const stamp = stampOf(events, this.#stamps.get(partition));
    this.#stamps.set(partition, stamp);
    return stamp;
  }

  #reader(partition: Partition): PartitionReader {
    return new PartitionReader({
      connection: this.connection,
      stream: this.#stream(partition),
      partition,
      telemetry: this.#serverTelemetry,
    });
  }

  #stream(partition: Partition): string {
    return `${descriptionStream(this.connection)}-${partition}`;
  }
}

const unreachable = (cause: unknown): TrackingLogUnreachableError =>
  new TrackingLogUnreachableError((cause as Error).message, { cause });

const descriptionStream = ({ streamPrefix }: EventStoreDbConnection): string => `${streamPrefix}.log`;

/** How many partitions the log has: as many as it was made with, by whichever process came first. */
async function describe(connection: EventStoreDbConnection, partitions: number): Promise<number> {
  const described = await readDescription(connection);
  if (described !== null) return described;
  const { client, appendOptions } = connection;
  const created = jsonEvent({ type: LOG_CREATED, data: { partitions } });
  const options = { ...appendOptions, expectedRevision: NO_STREAM } as const;
  try {
    await connection.inTime(client.appendToStream(descriptionStream(connection), created, options));
    return partitions;
  } catch (error) {
    if (!(error instanceof WrongExpectedVersionError)) throw error;
    return (await readDescription(connection))!;
  }
}

async function readDescription(connection: EventStoreDbConnection): Promise<number | null> {
  const { client, timeoutMs } = connection;
  const call = client.readStream(descriptionStream(connection), { maxCount: 1, requiresLeader: true });
  try {
    for await (const { event } of received(call, { silenceMsMax: timeoutMs })) {
      if (event?.type === LOG_CREATED) return (event.data as { partitions: number }).partitions;
    }
    return null;
  } catch (error) {
    if (error instanceof StreamNotFoundError) return null;
    throw error;
  }
}
