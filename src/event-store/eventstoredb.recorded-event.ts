// An event of EventStoreDB as an event of the port, and its place in the order over all streams as
// text: commit and prepare position, which the server compares in that order.
import type { Position, RecordedEvent as StoredEvent } from '@eventstore/db-client';
import type { GlobalPosition, RecordedEvent } from './event-store.js';

/** `prefix`: what the name of the stream begins with there, and not here. */
export function recordedEvent(event: StoredEvent, prefix: string): RecordedEvent {
  const { streamId, revision, type, data, metadata, created, position } = event;
  return {
    stream: streamId.slice(prefix.length),
    revision: Number(revision),
    position: positionText(position!),
    type,
    data: data as RecordedEvent['data'],
    ...(metadata === undefined ? {} : { metadata: metadata as NonNullable<RecordedEvent['metadata']> }),
    recordedAt: created,
  };
}

export const positionText = ({ commit, prepare }: Position): GlobalPosition => `${commit}/${prepare}`;

export function positionOf(text: GlobalPosition): Position {
  const [commit = '', prepare = ''] = text.split('/');
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
}

/** Negative: `a` comes first. */
export function comparePositions(a: GlobalPosition, b: GlobalPosition): number {
  const [first, second] = [positionOf(a), positionOf(b)];
  const difference = first.commit - second.commit || first.prepare - second.prepare;
  return difference < 0n ? -1 : Number(difference > 0n);
}
