// Reads the event store a page at a time, in the order in which things happened: the one order that both
// drivers have. (EventStoreDB could be read backwards only through everything else that the server holds,
// the tracking log included.) The cursor is the place of a page's last event.
import { Inject, Injectable } from '@nestjs/common';
import { EventStore, type RecordedEvent } from '../../../event-store/event-store.js';
import { cursorOf, cursorRefused, textOfCursor } from '../page.js';
import { type AuditEntry, auditEntry } from './audit-entry.js';

export interface AuditRequest {
  /** Undefined: all of them. */
  readonly stream: string | undefined;
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** Of a position over all streams, whichever driver gave it. */
const POSITION = /^\d{1,18}(\/\d{1,18})?$/;
const REVISION = /^\d{1,9}$/;

@Injectable()
export class AuditTrail {
  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  /** @throws Problem when the cursor is none that was given out. */
  async page({ stream, cursor, limit }: AuditRequest): Promise<AuditPage> {
    const after = cursor === undefined ? undefined : textOfCursor(cursor);
    if (after !== undefined && !(stream === undefined ? POSITION : REVISION).test(after))
      throw cursorRefused();
    const events =
      stream === undefined
        ? this.eventStore.readAll(after ?? null)
        : this.eventStore.readStream(stream, after === undefined ? undefined : Number(after));
    // One more than asked for tells whether there is a next page.
    const found = await first(limit + 1, events).catch((error: unknown) => {
      // A cursor of the other driver.
      throw error instanceof SyntaxError ? cursorRefused() : error;
    });
    const last = found.length > limit ? found[limit - 1] : undefined;
    return {
      entries: found.slice(0, limit).map(auditEntry),
      nextCursor: last ? cursorOf(stream === undefined ? last.position : String(last.revision)) : null,
    };
  }
}

async function first(count: number, events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const event of events) {
    found.push(event);
    if (found.length === count) break;
  }
  return found;
}
