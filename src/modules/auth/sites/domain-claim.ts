// One domain, one site, whatever the event store: the domain's own stream is claimed before the
// site is created, and released after the site is deleted. A process may die in between, so a
// claim whose site is gone, or never came, can be taken over.
import type { EventStore, RecordedEvent } from '../../../event-store/event-store.js';
import type { DomainEvent } from '../../../events/site.events.js';
import { type Fold, load } from '../aggregate.js';
import { deleteSite, siteFold, siteStream } from './site.aggregate.js';

/** Long after any creation that claimed the domain has ended, one way or the other. */
const ABANDONED_AFTER_MS = 30_000;

export interface DomainClaim {
  readonly site: string;
  readonly claimedAt: Date;
}

export interface ClaimRequest {
  readonly domain: string;
  readonly site: string;
  /** Who asks: the id of the key. */
  readonly by: string;
}

export const domainStream = (domain: string): string => `domain-${domain}`;

export const domainClaimFold: Fold<DomainClaim | 'free'> = {
  initial: 'free',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & DomainEvent;
    switch (event.type) {
      case 'DomainClaimed':
        return { site: event.data.site, claimedAt: event.recordedAt };
      case 'DomainReleased':
        return 'free';
      default:
        return state;
    }
  },
};

export async function claimDomain(
  eventStore: EventStore,
  { domain, site, by }: ClaimRequest,
): Promise<'claimed' | 'taken'> {
  const { state, revision } = await load(eventStore, domainStream(domain), domainClaimFold);
  // Claimed when the same request was sent before.
  if (state !== 'free' && state.site === site) return 'claimed';
  if (state !== 'free' && !(await isVacant(eventStore, state, by))) return 'taken';
  const event: DomainEvent = { type: 'DomainClaimed', data: { domain, site } };
  const { outcome } = await eventStore.append(
    domainStream(domain),
    [{ ...event, metadata: { by } }],
    revision,
  );
  return outcome === 'stored' ? 'claimed' : 'taken';
}

/** Does nothing when another site has the domain by now. */
export async function releaseDomain(
  eventStore: EventStore,
  { domain, site, by }: ClaimRequest,
): Promise<void> {
  const { state, revision } = await load(eventStore, domainStream(domain), domainClaimFold);
  if (state === 'free' || state.site !== site) return;
  const event: DomainEvent = { type: 'DomainReleased', data: { domain, site } };
  await eventStore.append(domainStream(domain), [{ ...event, metadata: { by } }], revision);
}

async function isVacant(eventStore: EventStore, claim: DomainClaim, by: string): Promise<boolean> {
  const owner = await load(eventStore, siteStream(claim.site), siteFold);
  if (owner.state === 'deleted') return true;
  if (owner.state !== 'absent' || Date.now() - claim.claimedAt.getTime() < ABANDONED_AFTER_MS) return false;
  // Ends the stream of the site that never came: were its creation merely slow, it now conflicts.
  const ended = await eventStore.append(
    siteStream(claim.site),
    [{ ...deleteSite(claim.site), metadata: { by } }],
    'none',
  );
  return ended.outcome === 'stored';
}
