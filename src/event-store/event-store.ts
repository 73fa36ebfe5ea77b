// What people did to the system: merchants, sites, keys, projection versions.
// Streams with expected revisions (optimistic concurrency) and one ordered subscription to
// all, which every role follows to keep its in-memory directories current.
//
// The laws, checked for every driver by test/contract/event-store.contract.ts.

/** Revisions of a stream count 0, 1, 2 … without gaps. */
export type Revision = number;

/** `none`: the stream must not exist yet. `any`: no check. A number: the stream's last revision. */
export type ExpectedRevision = Revision | 'none' | 'any';

/** Opaque text, ordered over all streams. */
export type GlobalPosition = string;

export interface NewEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Who did it and from where: the audit trail. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: Revision;
  readonly position: GlobalPosition;
  readonly recordedAt: Date;
}

export type StoreOutcome =
  | { readonly outcome: 'stored'; readonly revision: Revision }
  | { readonly outcome: 'conflict'; readonly actual: Revision | 'none' };

export interface Subscription {
  /** Settles when everything that was in the store at the time of the call has been handled. */
  caughtUp(): Promise<void>;
  /** Epoch ms at which the subscription last knew itself to be at the end. */
  readonly freshAt: number;
  close(): Promise<void>;
}

export abstract class EventStore {
  /** All of the events or none, as one write; settles once durable. */
  abstract append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<StoreOutcome>;

  /** A stream's events in order, after `after`; none when there is no such stream. */
  abstract readStream(stream: string, after?: Revision): AsyncIterable<RecordedEvent>;

  /** All streams' events in commit order, after `after`, up to the present end. */
  abstract readAll(after: GlobalPosition | null): AsyncIterable<RecordedEvent>;

  /** Every event stored by now has this position or a lower one; null when there is none. */
  abstract end(): Promise<GlobalPosition | null>;

  /**
   * Calls `handle` with every event after `after`, one at a time, in order, each once, missing
   * none, reconnecting by itself. A handler that throws is called again with the same event.
   */
  abstract subscribeAll(
    after: GlobalPosition | null,
    handle: (event: RecordedEvent) => void | Promise<void>,
  ): Promise<Subscription>;

  abstract close(): Promise<void>;
}
