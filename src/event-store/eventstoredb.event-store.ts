// The event store on EventStoreDB: a stream there for each stream here, and its order over all streams
// ($all) as ours. Other streams of the server, the tracking log's among them, are passed over there.
// A subscriber reads on by catch-up subscriptions that end when the server says that it is caught up,
// so that "nothing is missing" is the server's word and no guess.
import {
  jsonEvent,
  NO_STREAM,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import type { Telemetry } from '../telemetry/telemetry.js';
import { checkAppendSize } from './append-size.js';
import {
  EventStore,
  type ExpectedRevision,
  type GlobalPosition,
  type NewEvent,
  type RecordedEvent,
  type Revision,
  type StoreOutcome,
  type Subscription,
} from './event-store.js';
import { EventStoreTelemetry } from './event-store.telemetry.js';
import { EventStoreUnavailableError } from './event-store-unavailable.error.js';
import { AllStreams } from './eventstoredb.all-streams.js';
import { EventStoreDbConnection, type EventStoreDbConfig, isOutage } from './eventstoredb.connection.js';
import { received } from './eventstoredb.received.js';
import { comparePositions, positionText, recordedEvent } from './eventstoredb.recorded-event.js';
import { Subscribers } from './subscribers.js';

const PAGE_EVENTS_MAX = 500;

export class EventStoreDbEventStore extends EventStore {
  readonly #subscribers: Subscribers;
  readonly #telemetry: EventStoreTelemetry;
  readonly #prefix: string;

  private constructor(
    private readonly connection: EventStoreDbConnection,
    telemetry: Telemetry,
  ) {
    super();
    // No prefix has a dot, so none is the beginning of another's streams, or of the tracking log's.
    this.#prefix = `${connection.streamPrefix}.store-`;
    this.#telemetry = new EventStoreTelemetry(telemetry, () => this.#subscribers.oldestFreshAt());
    this.#subscribers = new Subscribers((listening) => this.#allStreams().listen(listening), this.#telemetry);
  }

  /** @throws ConfigError or EventStoreDbUnusableError, with a message for the operator. */
  static async open(config: EventStoreDbConfig, telemetry: Telemetry): Promise<EventStoreDbEventStore> {
    return new EventStoreDbEventStore(await EventStoreDbConnection.open(config), telemetry);
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<StoreOutcome> {
    checkAppendSize(stream, events);
    try {
      const outcome = await this.#append(stream, events, expected);
      this.#telemetry.appended(outcome.outcome);
      return outcome;
    } catch (error) {
      this.#telemetry.appended('failed');
      throw unavailable(error);
    }
  }

  async *readStream(stream: string, after: Revision = -1): AsyncIterable<RecordedEvent> {
    const { client, timeoutMs } = this.connection;
    const fromRevision = after < 0 ? START : BigInt(after + 1);
    const call = client.readStream(this.#prefix + stream, { fromRevision, requiresLeader: true });
    try {
      for await (const { event } of received(call, { silenceMsMax: timeoutMs })) {
        if (event) yield recordedEvent(event, this.#prefix);
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw unavailable(error);
    }
  }

  async *readAll(after: GlobalPosition | null): AsyncIterable<RecordedEvent> {
    const streams = this.#allStreams();
    try {
      const end = await this.end();
      if (end === null) return;
      let page: readonly RecordedEvent[];
      let last = after;
      do {
        page = await streams.readAfter(last, PAGE_EVENTS_MAX);
        for (const event of page) {
          if (comparePositions(event.position, end) > 0) return;
          yield event;
          last = event.position;
        }
      } while (page.length === PAGE_EVENTS_MAX);
    } catch (error) {
      throw unavailable(error);
    }
  }

  async end(): Promise<GlobalPosition | null> {
    try {
      const newest = await this.connection.end();
      return newest && positionText(newest);
    } catch (error) {
      throw unavailable(error);
    }
  }

  async subscribeAll(
    after: GlobalPosition | null,
    handle: (event: RecordedEvent) => void | Promise<void>,
  ): Promise<Subscription> {
    const streams = this.#allStreams();
    return this.#subscribers.add(after, {
      readAfter: (position, limit) => streams.readAfter(position, limit),
      handle,
    });
  }

  /** Ends the subscriptions. Requests that are still being answered can read and append. */
  async close(): Promise<void> {
    await this.#subscribers.close();
  }

  #allStreams(): AllStreams {
    return new AllStreams(this.connection, this.#prefix);
  }

  async #append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<StoreOutcome> {
    // What is no JSON must fail here: inside the client it would be nobody's rejection, and end the process.
    JSON.stringify(events);
    const proposed = events.map((event) => jsonEvent(event));
    const { client, appendOptions } = this.connection;
    const expectedRevision =
      expected === 'none' ? NO_STREAM : expected === 'any' ? expected : BigInt(expected);
    try {
      const result = await this.connection.inTime(
        client.appendToStream(this.#prefix + stream, proposed, { ...appendOptions, expectedRevision }),
      );
      return { outcome: 'stored', revision: Number(result.nextExpectedRevision) };
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      const { actualVersion } = error;
      return {
        outcome: 'conflict',
        actual: typeof actualVersion === 'bigint' ? Number(actualVersion) : 'none',
      };
    }
  }
}

const unavailable = (error: unknown): unknown =>
  isOutage(error) ? new EventStoreUnavailableError(error) : error;
