// One domain, one site, whatever the event store: the domain's own stream is claimed before the
// site has it, and released after the site gave it up. A process may die in between, so a claim
// whose site is gone, never came or has no such domain can be taken over; a site that was merely
// slow is then kept from storing what it had decided on (ADR 33).
import type { EventStore, RecordedEvent, Revision } from '../../../event-store/event-store.js';
import type { DomainEvent } from '../../../events/site.events.js';
import { type Fold, load } from '../aggregate.js';
import { deleteSite, domainsOf, siteFold, siteStream, touchSite } from './site.aggregate.js';
import { bySystem, type Origin } from '../origin.js';

/** Long after any command that claimed the domain has ended, one way or the other. */
const ABANDONED_AFTER_MS = 30_000;

export interface DomainClaim {
  readonly site: string;
  readonly claimedAt: Date;
}

export interface Claimant {
  readonly site: string;
  /** Whoever asks. */
  readonly origin: Origin;
}

/** As it was when it was looked at: whoever claimed the domain since is not released from it. */
export interface HeldClaim {
  readonly domain: string;
  readonly revision: Revision;
}

export type ClaimOutcome =
  /** `claims`: without those that the site had before, which another request may count on. */
  | { readonly outcome: 'claimed'; readonly claims: readonly HeldClaim[] }
  | { readonly outcome: 'domain-taken'; readonly domain: string };

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

/** All of them or none. */
export async function claimDomains(
  eventStore: EventStore,
  domains: readonly string[],
  claimant: Claimant,
): Promise<ClaimOutcome> {
  const claims: HeldClaim[] = [];
  for (const domain of domains) {
    const claim = await claimDomain(eventStore, domain, claimant);
    if (claim === 'taken') {
      await releaseClaims(eventStore, claims, claimant);
      return { outcome: 'domain-taken', domain };
    }
    if (claim.isNew) claims.push(claim);
  }
  return { outcome: 'claimed', claims };
}

/** Those of the domains that the site has claimed. */
export async function claimsHeld(
  eventStore: EventStore,
  domains: readonly string[],
  { site }: Claimant,
): Promise<readonly HeldClaim[]> {
  const claims: HeldClaim[] = [];
  for (const domain of domains) {
    const { state, revision } = await load(eventStore, domainStream(domain), domainClaimFold);
    if (state !== 'free' && state.site === site) claims.push({ domain, revision: revision as Revision });
  }
  return claims;
}

/** Leaves alone what was claimed anew since. */
export async function releaseClaims(
  eventStore: EventStore,
  claims: readonly HeldClaim[],
  { site, origin }: Claimant,
): Promise<void> {
  for (const { domain, revision } of claims) {
    const event: DomainEvent = { type: 'DomainReleased', data: { domain, site } };
    await eventStore.append(domainStream(domain), [{ ...event, metadata: origin }], revision);
  }
}

/** A claim of the site's own is renewed, so that whoever is about to release it no longer does. */
async function claimDomain(
  eventStore: EventStore,
  domain: string,
  { site, origin }: Claimant,
): Promise<(HeldClaim & { readonly isNew: boolean }) | 'taken'> {
  const { state, revision } = await load(eventStore, domainStream(domain), domainClaimFold);
  const isOwn = state !== 'free' && state.site === site;
  const isFree = state === 'free' || isOwn || (await isAbandoned(eventStore, domain, { ...state, origin }));
  if (!isFree) return 'taken';
  const event: DomainEvent = { type: 'DomainClaimed', data: { domain, site } };
  const claimed = await eventStore.append(domainStream(domain), [{ ...event, metadata: origin }], revision);
  return claimed.outcome === 'stored' ? { domain, revision: claimed.revision, isNew: !isOwn } : 'taken';
}

/** Makes sure of it: whoever claimed the domain, were they merely slow, now meets a conflict. */
async function isAbandoned(
  eventStore: EventStore,
  domain: string,
  { site, claimedAt, origin }: DomainClaim & Claimant,
): Promise<boolean> {
  const { state, revision } = await load(eventStore, siteStream(site), siteFold);
  if (state === 'deleted') return true;
  if (state !== 'absent' && domainsOf(state).includes(domain)) return false;
  if (Date.now() - claimedAt.getTime() < ABANDONED_AFTER_MS) return false;
  const event = state === 'absent' ? deleteSite(site) : touchSite(site);
  // Who claims the domain is said in its own stream: of the site's owner they are nobody's concern.
  const metadata = { ...bySystem('domain claims'), ...(origin.request && { request: origin.request }) };
  const fenced = await eventStore.append(siteStream(site), [{ ...event, metadata }], revision);
  return fenced.outcome === 'stored';
}
