// What the projector passed over: an event that could not be folded, or a whole batch in a shape that
// only a newer version knows. Kept with the reason and with its bytes, so that none disappears, one bad
// event stops nobody else's numbers, and each can be replayed.
import type { TrackedEvent } from '../../../events/tracked-event.js';
import type { Partition, Position, UnknownBatch } from '../../../tracking-log/tracking-log.js';

interface PassedOver {
  readonly projection: string;
  readonly version: number;
  readonly partition: Partition;
  readonly position: Position;
  /** Why, for people. */
  readonly error: string;
}

export interface EventLetter extends PassedOver {
  readonly kind: 'event';
  /** Place within its batch. */
  readonly index: number;
  readonly event: TrackedEvent;
}

export interface BatchLetter extends PassedOver {
  readonly kind: 'batch';
  readonly unknown: UnknownBatch;
}

export type DeadLetter = EventLetter | BatchLetter;

export const eventsIn = (letters: readonly DeadLetter[]): number =>
  letters.reduce((sum, letter) => sum + (letter.kind === 'event' ? 1 : letter.unknown.events), 0);
