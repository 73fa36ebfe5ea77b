// The way to EventStoreDB, for both logs: opened means reached and admitted; every call has an end.
// Everything is asked of the leader, because a follower may not have yet what the leader
// acknowledged, and a position would then seem to lie beyond the end.
import { setTimeout as delay } from 'node:timers/promises';
import {
  AccessDeniedError,
  BACKWARDS,
  type Credentials,
  END,
  EventStoreDBClient,
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  type Position,
  StreamDeletedError,
} from '@eventstore/db-client';
import { type Config, ConfigError } from '../config/config.js';
import { within } from '../waiting/within.js';
import { received } from './eventstoredb.received.js';

const REACH_TIMEOUT_MS = 10_000;
const REACH_INTERVAL_MS = 250;
/** What making a connection may take beyond the call's own time: the client's deadlines begin after it. */
const CONNECT_MS = 500;
/** A silent connection is given up after both; the client warns of intervals below ten seconds. */
const KEEP_ALIVE = 'keepAliveInterval=10000&keepAliveTimeout=3000';

export type EventStoreDbConfig = Pick<
  Config,
  'EVENTSTORE_URL' | 'EVENTSTORE_STREAM_PREFIX' | 'EVENTSTORE_TIMEOUT_MS'
>;

/** Could not be reached, or did not let us in; the message is for the operator. */
export class EventStoreDbUnusableError extends Error {
  override readonly name: string = 'EventStoreDbUnusableError';
}

/** It does not answer, or not yet: the same settings may open it another time. */
export class EventStoreDbUnreachableError extends EventStoreDbUnusableError {
  override readonly name = 'EventStoreDbUnreachableError';
}

class EventStoreDbTimeoutError extends Error {
  override readonly name = 'EventStoreDbTimeoutError';
}

export interface AppendOptions {
  /**
   * Named in each append so that the client makes one call of each, with a deadline. Without, it would
   * put all appends through one call that has none, and what waits there when the server ends that
   * call is never settled.
   */
  readonly credentials: Credentials;
  readonly deadline: number;
  readonly requiresLeader: true;
}

export class EventStoreDbConnection {
  readonly client: EventStoreDBClient;
  readonly streamPrefix: string;
  readonly timeoutMs: number;
  readonly #credentials: Credentials;

  private constructor(url: string, config: EventStoreDbConfig) {
    this.client = clientOf(url);
    this.streamPrefix = config.EVENTSTORE_STREAM_PREFIX;
    this.timeoutMs = config.EVENTSTORE_TIMEOUT_MS;
    this.#credentials = credentialsOf(url);
  }

  /** @throws ConfigError or EventStoreDbUnusableError, with a message for the operator. */
  static async open(config: EventStoreDbConfig): Promise<EventStoreDbConnection> {
    const { EVENTSTORE_URL: url } = config;
    if (url === undefined)
      throw new ConfigError(['EVENTSTORE_URL: must be given, because EventStoreDB was chosen']);
    const connection = new EventStoreDbConnection(url, config);
    await connection.#reach(placeOf(url));
    return connection;
  }

  get appendOptions(): AppendOptions {
    return { credentials: this.#credentials, deadline: this.timeoutMs, requiresLeader: true };
  }

  /** Rejects when `call` takes longer than a call may, whatever the client still waits for. */
  async inTime<Result extends object>(call: Promise<Result>): Promise<Result> {
    const limitMs = this.timeoutMs + CONNECT_MS;
    const result = await within(limitMs, call);
    if (result === undefined) throw new EventStoreDbTimeoutError(`no answer within ${limitMs} ms`);
    return result;
  }

  /** Of the newest event of all streams, whosever it is; null when there is none. */
  async end(): Promise<Position | null> {
    const options = { fromPosition: END, direction: BACKWARDS, maxCount: 1, requiresLeader: true } as const;
    const call = this.client.readAll(options);
    for await (const { event } of received(call, { silenceMsMax: this.timeoutMs })) {
      if (event) return event.position;
    }
    return null;
  }

  /** Waits for a server that is still starting; gives up at once when it does not let us in. */
  async #reach(place: string): Promise<void> {
    const deadline = Date.now() + REACH_TIMEOUT_MS;
    for (;;) {
      try {
        await this.end();
        return;
      } catch (error) {
        const isLate = Date.now() + REACH_INTERVAL_MS > deadline;
        if (error instanceof AccessDeniedError || isLate) throw unusable(place, error);
      }
      await delay(REACH_INTERVAL_MS);
    }
  }
}

function unusable(place: string, error: unknown): EventStoreDbUnusableError {
  if (error instanceof AccessDeniedError) {
    const message = `EventStoreDB at ${place} refuses the user of EVENTSTORE_URL, or does not let it read $all.`;
    return new EventStoreDbUnusableError(message, { cause: error });
  }
  const Refusal = isOutage(error) ? EventStoreDbUnreachableError : EventStoreDbUnusableError;
  const message =
    `EventStoreDB could not be used at ${place}: ${(error as Error).message}. ` +
    'Check EVENTSTORE_URL (tls=false for a server without TLS) and that the server runs.';
  return new Refusal(message, { cause: error });
}

/** The server is away, hung, electing, or refuses us since lately: not a mistake of ours. */
export function isOutage(error: unknown): boolean {
  return ![TypeError, RangeError, InvalidArgumentError, MaxAppendSizeExceededError, StreamDeletedError].some(
    (mistake) => error instanceof mistake,
  );
}

function clientOf(url: string): EventStoreDBClient {
  const [base, given] = url.replace(/^kurrentdb/, 'esdb').split('?');
  // The last of a name counts. The drivers tell a conflict by the error.
  const options = [KEEP_ALIVE, given, 'throwOnAppendFailure=true'].filter(Boolean).join('&');
  try {
    return EventStoreDBClient.connectionString(`${base}?${options}`);
  } catch (error) {
    // Not the client's message: it may quote the password.
    throw new ConfigError([
      `EVENTSTORE_URL: is not a connection string that the client of EventStoreDB takes (${(error as Error).name})`,
    ]);
  }
}

/** Of no meaning to a server without TLS: the client keeps them to itself there. */
function credentialsOf(url: string): Credentials {
  const [, username = '', password = ''] = /^[^:]+:\/\/([^:@/?]+):([^@]+)@/.exec(url) ?? [];
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** Where, without who and with what password. */
const placeOf = (url: string): string => url.replace(/^[^:]+:\/\/([^@/]*@)?/, '').replace(/[/?].*$/, '');
