// Where a state that was derived from the event store ends, so exactly that a store which was put back to an earlier
// day is told from the one that it was derived from.
import type { EventStore, GlobalPosition, Revision } from '../../../event-store/event-store.js';

/** The last event that a state contains. */
export interface Mark {
  readonly position: GlobalPosition;
  readonly stream: string;
  readonly revision: Revision;
  readonly recordedAt: Date;
}

/** A store that was put back has another event there, or none. */
export async function contains(
  eventStore: EventStore,
  { stream, revision, recordedAt }: Mark,
): Promise<boolean> {
  for await (const event of eventStore.readStream(stream, revision - 1)) {
    return event.recordedAt.getTime() === recordedAt.getTime();
  }
  return false;
}
