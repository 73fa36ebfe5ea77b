// The event store on PostgreSQL: one table, appends one after another under an advisory lock held
// until the commit, so that the order of positions is the order of commits and a reader that saw
// position n will never find a lower one it has not seen. Settled means flushed to disk, whatever
// the session's or server's default of synchronous_commit.
import { DatabaseError, type Pool, type PoolClient } from 'pg';
import { failpoint } from '../telemetry/failpoint.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { checkAppendSize } from './append-size.js';
import { EventStoreUnavailableError } from './event-store-unavailable.error.js';
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
import { APPENDS_CHANNEL, postgresNotifications } from './postgres-notifications.js';
import { Subscribers } from './subscribers.js';

const LOCK_TIMEOUT_MS = 5_000;
/** Any constant will do, as long as nothing else in the database locks the same one. */
const APPEND_LOCK = 7_236_021_544_198;
const PAGE_EVENTS_MAX = 500;

/** READ COMMITTED on purpose: the statement after the lock must see what the last holder committed. */
const BEGIN = `
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL synchronous_commit = on;
  SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS};
  SELECT pg_advisory_xact_lock(${APPEND_LOCK});`;

const LAST_REVISION = `SELECT max(revision) AS revision FROM event_store.events WHERE stream = $1`;

const INSERT = `
  INSERT INTO event_store.events (position, stream, revision, type, data, metadata)
  SELECT (SELECT coalesce(max(position), 0) FROM event_store.events) + n, $1, $2::integer + n,
         event->>'type', event->'data', event->'metadata'
  FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS given (event, n)`;

const COLUMNS = `position::text, stream, revision, type, data, metadata, recorded_at AS "recordedAt"`;
const READ_STREAM = `
  SELECT ${COLUMNS} FROM event_store.events
  WHERE stream = $1 AND revision > $2 ORDER BY revision LIMIT $3`;
// By the column: a bare `position` here would be the text above, and 10 would come before 2.
const READ_ALL = `
  SELECT ${COLUMNS} FROM event_store.events WHERE position > $1 ORDER BY events.position LIMIT $2`;
const END = `SELECT max(position)::text AS position FROM event_store.events`;

type EventRow = Omit<RecordedEvent, 'metadata'> & { metadata?: RecordedEvent['metadata'] | null };

export class PostgresEventStore extends EventStore {
  readonly #subscribers: Subscribers;
  readonly #telemetry: EventStoreTelemetry;

  constructor(
    private readonly pool: Pool,
    telemetry: Telemetry,
  ) {
    super();
    this.#telemetry = new EventStoreTelemetry(telemetry, () => this.#subscribers.oldestFreshAt());
    this.#subscribers = new Subscribers(postgresNotifications(pool), this.#telemetry);
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<StoreOutcome> {
    checkAppendSize(stream, events);
    try {
      const outcome = await this.#inTransaction((client) =>
        appendLocked(client, { stream, events, expected }),
      );
      if (outcome.outcome === 'stored') failpoint('event-store.after-append');
      this.#telemetry.appended(outcome.outcome);
      return outcome;
    } catch (error) {
      this.#telemetry.appended('failed');
      throw isOutage(error) ? new EventStoreUnavailableError(error) : error;
    }
  }

  async *readStream(stream: string, after: Revision = -1): AsyncIterable<RecordedEvent> {
    for (let last = after; ;) {
      const page = await this.#read(READ_STREAM, [stream, last, PAGE_EVENTS_MAX]);
      yield* page;
      if (page.length < PAGE_EVENTS_MAX) return;
      last = page.at(-1)!.revision;
    }
  }

  async *readAll(after: GlobalPosition | null): AsyncIterable<RecordedEvent> {
    const end = BigInt((await this.end()) ?? 0);
    for (let last = after; BigInt(last ?? 0) < end;) {
      for (const event of await this.#readAfter(last, PAGE_EVENTS_MAX)) {
        if (BigInt(event.position) > end) return;
        yield event;
        last = event.position;
      }
    }
  }

  async end(): Promise<GlobalPosition | null> {
    return (await this.#query<{ position: string | null }>(END, []))[0]!.position;
  }

  async subscribeAll(
    after: GlobalPosition | null,
    handle: (event: RecordedEvent) => void | Promise<void>,
  ): Promise<Subscription> {
    return this.#subscribers.add(after, {
      readAfter: (position, limit) => this.#readAfter(position, limit),
      handle,
    });
  }

  /** Ends the subscriptions; the pool belongs to whoever made it. */
  async close(): Promise<void> {
    await this.#subscribers.close();
  }

  async #inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      // Dropping the connection rolls back without another round trip, also when the server hangs.
      client.release(true);
      throw error;
    }
  }

  #readAfter(position: GlobalPosition | null, limit: number): Promise<readonly RecordedEvent[]> {
    return this.#read(READ_ALL, [position ?? '0', limit]);
  }

  async #read(sql: string, values: readonly unknown[]): Promise<readonly RecordedEvent[]> {
    const rows = await this.#query<EventRow>(sql, values);
    for (const row of rows) if (row.metadata === null) delete row.metadata;
    return rows as readonly RecordedEvent[];
  }

  async #query<Row extends object>(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.pool.query<Row>(sql, [...values])).rows;
    } catch (error) {
      throw isOutage(error) ? new EventStoreUnavailableError(error) : error;
    }
  }
}

interface Append {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

async function appendLocked(client: PoolClient, { stream, events, expected }: Append): Promise<StoreOutcome> {
  await client.query(BEGIN);
  const tail = await client.query<{ revision: Revision | null }>(LAST_REVISION, [stream]);
  const last = tail.rows[0]?.revision ?? null;
  const actual = last ?? 'none';
  if (expected !== 'any' && expected !== actual) {
    await client.query('ROLLBACK');
    return { outcome: 'conflict', actual };
  }
  // WITH ORDINALITY counts from 1: the first event follows the last one, or is revision 0.
  await client.query(INSERT, [stream, last ?? -1, JSON.stringify(events)]);
  await client.query(`NOTIFY ${APPENDS_CHANNEL}; COMMIT`);
  return { outcome: 'stored', revision: (last ?? -1) + events.length };
}

/** Postgres is away, starting, stopping, failing over, full or held up: not a mistake of ours. */
function isOutage(error: unknown): boolean {
  if (error instanceof DatabaseError) {
    return /^(08|40|53|57|58)/.test(error.code ?? '') || ['25006', '55P03'].includes(error.code ?? '');
  }
  return !(error instanceof TypeError || error instanceof RangeError);
}
