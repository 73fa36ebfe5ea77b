// How a command sees the past: the fold of one stream, and the revision at which it was read, to be
// expected by the append that follows. Deciding and folding are pure functions beside each aggregate.
import type { EventStore, RecordedEvent, Revision } from '../../event-store/event-store.js';

export interface Loaded<State> {
  readonly state: State;
  readonly revision: Revision | 'none';
}

export interface Fold<State> {
  readonly initial: State;
  evolve(state: State, event: RecordedEvent): State;
}

export async function load<State>(
  eventStore: EventStore,
  stream: string,
  fold: Fold<State>,
): Promise<Loaded<State>> {
  let state = fold.initial;
  let revision: Revision | 'none' = 'none';
  for await (const event of eventStore.readStream(stream)) {
    state = fold.evolve(state, event);
    revision = event.revision;
  }
  return { state, revision };
}
