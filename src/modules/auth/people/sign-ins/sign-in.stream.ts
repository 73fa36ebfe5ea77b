// A sign-in in the event store: that it began and that it ended. Pure.
import type { RecordedEvent } from '../../../../event-store/event-store.js';
import type { SignInEvent } from '../../../../events/person.events.js';
import type { Fold } from '../../aggregate.js';

export const signInStream = (id: string): string => `sign-in-${id}`;

export const signInFold: Fold<'open' | 'ended'> = {
  initial: 'open',
  evolve: (state, recorded) => {
    const { type } = recorded as unknown as RecordedEvent & SignInEvent;
    return type === 'SignedOut' || type === 'RefreshTokenReused' ? 'ended' : state;
  },
};
