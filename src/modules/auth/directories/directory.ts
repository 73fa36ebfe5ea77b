// What the follower keeps current: a fold over all events that is too large, or asked too often, to be read from
// a table. Its state can be written down and read back, so that a node need not read all events to know it.
import type { RecordedEvent } from '../../../event-store/event-store.js';

export interface Directory {
  /** Names it in snapshots, for good. */
  readonly name: string;
  /** Of the lines that it writes down; raise it with every change of what they mean or what is kept. */
  readonly format: number;
  apply(event: RecordedEvent): void;
  /** Its state, in lines of text without line breaks. Nothing is applied meanwhile. */
  lines(): Iterable<string>;
  /** One of the lines, in their order, into an empty directory. */
  restore(line: string): void;
  /** To what it was before the first event. */
  clear(): void;
}
