// Every shape a tracked event was ever written in, brought up to today's, on the way out of the
// log: readers know one shape. A shape once shipped stays here for ever, with a golden file in
// test/golden/ that its spec reads. A new shape adds one entry, and a release later, when every reader
// knows it, raises TRACKED_EVENT_SCHEMA, by which it is written.
import type { TrackedEvent } from './tracked-event.js';

type Upcaster = (raw: unknown) => TrackedEvent;

/** By schema number, each straight to today's shape. */
const upcasters: Readonly<Record<number, Upcaster>> = {
  1: (raw) => raw as TrackedEvent,
  // Adds what an event of 1 does not have: client hints, and which database placed it.
  2: (raw) => raw as TrackedEvent,
};

/** Of the shapes that this version reads. */
export const READABLE_SCHEMAS: readonly number[] = Object.keys(upcasters).map(Number);

export class UnknownEventSchemaError extends Error {
  override readonly name = 'UnknownEventSchemaError';
  constructor(readonly schema: number) {
    super(
      `The log holds tracked events of schema ${schema}; this version reads schemas up to ${Math.max(...READABLE_SCHEMAS)}. ` +
        'It was probably written by a newer version: run that one.',
    );
  }
}

/** @throws UnknownEventSchemaError */
export function upcast(schema: number, raw: unknown): TrackedEvent {
  const upcaster = upcasters[schema];
  if (!upcaster) throw new UnknownEventSchemaError(schema);
  return upcaster(raw);
}
