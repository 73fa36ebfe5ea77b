// One reader's way along the order over all streams of EventStoreDB, of which it is sent only those
// with our prefix. The server still has to search the others: it is told where the last search ended,
// so that each record is searched once and not again at every look.
import {
  type AllStreamSubscription,
  END,
  type ReadPosition,
  START,
  STREAM_NAME,
} from '@eventstore/db-client';
import type { Listening } from './append-listener.js';
import type { GlobalPosition, RecordedEvent } from './event-store.js';
import type { EventStoreDbConnection } from './eventstoredb.connection.js';
import { CHECKPOINT, received } from './eventstoredb.received.js';
import { comparePositions, positionOf, positionText, recordedEvent } from './eventstoredb.recorded-event.js';

/** Records that the server searches before it says how far it is: one may be a megabyte of somebody else's. */
const RECORDS_PER_CHECKPOINT = 100;

export class AllStreams {
  /** Nothing of ours lies between what was handed out last and here. */
  #searchedTo: GlobalPosition | null = null;

  constructor(
    private readonly connection: EventStoreDbConnection,
    private readonly prefix: string,
  ) {}

  /** Fewer than `limit` only when the server is caught up. */
  async readAfter(position: GlobalPosition | null, limit: number): Promise<readonly RecordedEvent[]> {
    const from = later(position, this.#searchedTo);
    let searchedTo = from;
    const call = this.#subscribe(from === null ? START : positionOf(from), (checkpoint) => {
      searchedTo = checkpoint;
    });
    const page: RecordedEvent[] = [];
    const { timeoutMs } = this.connection;
    try {
      for await (const { event } of received(call, { silenceMsMax: timeoutMs, until: 'caught-up' })) {
        if (!event) continue;
        page.push(recordedEvent(event, this.prefix));
        if (page.length === limit) return page;
      }
    } catch (error) {
      // Else a search that takes longer than its connection lasts would never end.
      if (page.length === 0) this.#searchedTo = searchedTo;
      throw error;
    }
    // Not before: a checkpoint overtakes the events that still wait to be taken.
    this.#searchedTo = searchedTo;
    return page;
  }

  /** Says when something is appended; settles when the connection ends. */
  async listen({ connected, appended, signal }: Listening): Promise<void> {
    const call = this.#subscribe(END, () => undefined);
    call.on('confirmation', connected);
    for await (const _ of received(call, { signal })) appended();
  }

  #subscribe(fromPosition: ReadPosition, searched: (to: GlobalPosition) => void): AllStreamSubscription {
    return this.connection.client.subscribeToAll({
      fromPosition,
      requiresLeader: true,
      filter: {
        filterOn: STREAM_NAME,
        prefixes: [this.prefix],
        maxSearchWindow: RECORDS_PER_CHECKPOINT,
        checkpointInterval: 1,
        checkpointReached: (subscription, position) => {
          searched(positionText(position));
          subscription.emit(CHECKPOINT);
        },
      },
    });
  }
}

function later(a: GlobalPosition | null, b: GlobalPosition | null): GlobalPosition | null {
  if (a === null || b === null) return a ?? b;
  return comparePositions(a, b) > 0 ? a : b;
}
