// One address, one person, whatever the event store: the address's own stream is claimed before somebody
// registers with it or changes to it. A process may die in between. Who registers next goes on where it stopped,
// as the person that the claim names; a change that never came is given up after a while.
import type { EventStore, RecordedEvent } from '../../../event-store/event-store.js';
import type { EmailEvent } from '../../../events/person.events.js';
import { type Fold, load } from '../aggregate.js';
import type { Origin } from '../origin.js';
import { type Person, personFold, personStream } from './person.aggregate.js';

/** Long after any change that claimed the address has ended, one way or the other. */
const ABANDONED_AFTER_MS = 30_000;

interface EmailClaim {
  readonly person: string;
  readonly claimedAt: Date;
}

export interface EmailClaimRequest {
  readonly emailDigest: string;
  readonly person: string;
  readonly origin: Origin;
}

/** Whose an address is: nobody's, of somebody registered, or of somebody who is being registered or will be. */
export type EmailHolder =
  | { readonly is: 'nobody' }
  | { readonly is: 'registered'; readonly person: Person }
  | { readonly is: 'on-its-way'; readonly person: string };

const emailStream = (digest: string): string => `email-${digest}`;

const emailClaimFold: Fold<EmailClaim | 'free'> = {
  initial: 'free',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & EmailEvent;
    switch (event.type) {
      case 'EmailClaimed':
        return { person: event.data.person, claimedAt: event.recordedAt };
      case 'EmailReleased':
        return 'free';
      default:
        return state;
    }
  },
};

/** Reads as many streams whether or not there is somebody, so that time does not tell. */
export async function holderOf(eventStore: EventStore, emailDigest: string): Promise<EmailHolder> {
  const { state: claim } = await load(eventStore, emailStream(emailDigest), emailClaimFold);
  const id = claim === 'free' ? 'nobody' : claim.person;
  const { state: person } = await load(eventStore, personStream(id), personFold);
  // Somebody else who comes with an erased person's address takes the claim over.
  if (claim === 'free' || person === 'erased') return { is: 'nobody' };
  if (person === 'absent') return { is: 'on-its-way', person: claim.person };
  if (person.emailDigest === emailDigest) return { is: 'registered', person };
  const isAbandoned = Date.now() - claim.claimedAt.getTime() >= ABANDONED_AFTER_MS;
  return isAbandoned ? { is: 'nobody' } : { is: 'on-its-way', person: person.id };
}

/** Claimed by the same person before is claimed. */
export async function claimEmail(
  eventStore: EventStore,
  { emailDigest, person, origin }: EmailClaimRequest,
): Promise<'claimed' | 'taken'> {
  const stream = emailStream(emailDigest);
  const { state, revision } = await load(eventStore, stream, emailClaimFold);
  if (state !== 'free' && state.person === person) return 'claimed';
  if (state !== 'free' && (await holderOf(eventStore, emailDigest)).is !== 'nobody') return 'taken';
  const event: EmailEvent = { type: 'EmailClaimed', data: { emailDigest, person } };
  const { outcome } = await eventStore.append(stream, [{ ...event, metadata: origin }], revision);
  return outcome === 'stored' ? 'claimed' : 'taken';
}

/** Does nothing when somebody else has the address by now. */
export async function releaseEmail(
  eventStore: EventStore,
  { emailDigest, person, origin }: EmailClaimRequest,
): Promise<void> {
  const stream = emailStream(emailDigest);
  const { state, revision } = await load(eventStore, stream, emailClaimFold);
  if (state === 'free' || state.person !== person) return;
  const event: EmailEvent = { type: 'EmailReleased', data: { emailDigest, person } };
  await eventStore.append(stream, [{ ...event, metadata: origin }], revision);
}
