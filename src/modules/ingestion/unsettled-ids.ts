// Ids the server made for events whose request could not be acknowledged, although some of them may
// be in the log: part of the request went to a partition that took it, or the log answered that it
// does not know. The client will send them again without ids; a repeat gets the same id again, so
// that readers drop it. Bounded memory, this process only: a client that must be counted exactly
// once whatever happens sends ids of its own.
import type { TrackedEvent } from '../../events/tracked-event.js';

const IDS_MAX = 50_000;

export class UnsettledIds {
  private readonly idsByContent = new Map<string, string[]>();
  private count = 0;

  /** @param json the event as it went to the log */
  remember(json: string): void {
    const event = JSON.parse(json) as TrackedEvent;
    const content = contentOf(event);
    const ids = this.idsByContent.get(content);
    if (ids === undefined) this.idsByContent.set(content, [event.id]);
    else ids.push(event.id);
    this.count++;
    while (this.count > IDS_MAX) this.forgetOldest();
  }

  /** The id an event of the same content was given before, once. */
  take(event: TrackedEvent): string | undefined {
    if (this.count === 0) return undefined;
    const content = contentOf(event);
    const ids = this.idsByContent.get(content);
    const id = ids?.shift();
    if (id === undefined) return undefined;
    this.count--;
    if (ids!.length === 0) this.idsByContent.delete(content);
    return id;
  }

  private forgetOldest(): void {
    const [content, ids] = this.idsByContent.entries().next().value!;
    this.idsByContent.delete(content);
    this.count -= ids.length;
  }
}

/** What a repetition has in common: all but the id, the receipt, and a time taken from the receipt. */
function contentOf(event: TrackedEvent): string {
  const ownTime = event.timeReplaced || event.occurredAt === event.receivedAt ? undefined : event.occurredAt;
  return JSON.stringify({ ...event, id: undefined, receivedAt: undefined, occurredAt: ownTime });
}
