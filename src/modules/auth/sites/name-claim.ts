// One domain, one site, and so for tracking ids, whatever the event store: the name's own stream is claimed
// before the site has it, and released after the site gave it up. A process may die in between, so a claim
// whose site is gone, never came or has no such name can be taken over; a site that was merely
// slow is then kept from storing what it had decided on (ADR 33).
import type { EventStore, RecordedEvent, Revision } from '../../../event-store/event-store.js';
import type { SiteName, SiteNameEvent } from '../../../events/site.events.js';
import { type Fold, load } from '../aggregate.js';
import { bySystem, type Origin } from '../origin.js';
import { deleteSite, namesOf, siteFold, siteStream, touchSite } from './site.aggregate.js';

/** Long after any command that claimed the name has ended, one way or the other. */
const ABANDONED_AFTER_MS = 30_000;

export interface NameClaim {
  readonly site: string;
  readonly claimedAt: Date;
}

export interface Claimant {
  readonly site: string;
  /** Whoever asks. */
  readonly origin: Origin;
}

/** As it was when it was looked at: whoever claimed the name since is not released from it. */
export interface HeldClaim {
  readonly name: SiteName;
  readonly revision: Revision;
}

export interface NameTaken {
  readonly outcome: 'name-taken';
  readonly name: SiteName;
}

export type ClaimOutcome =
  /** `claims`: without those that the site had before, which another request may count on. */
  { readonly outcome: 'claimed'; readonly claims: readonly HeldClaim[] } | NameTaken;

export const nameStream = (name: SiteName): string =>
  'domain' in name ? `domain-${name.domain}` : `trackingid-${name.trackingId}`;

const claimOf = (name: SiteName, site: string): SiteNameEvent =>
  'domain' in name
    ? { type: 'DomainClaimed', data: { ...name, site } }
    : { type: 'TrackingIdClaimed', data: { ...name, site } };

const releaseOf = (name: SiteName, site: string): SiteNameEvent =>
  'domain' in name
    ? { type: 'DomainReleased', data: { ...name, site } }
    : { type: 'TrackingIdReleased', data: { ...name, site } };

export const nameClaimFold: Fold<NameClaim | 'free'> = {
  initial: 'free',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & SiteNameEvent;
    switch (event.type) {
      case 'DomainClaimed':
      case 'TrackingIdClaimed':
        return { site: event.data.site, claimedAt: event.recordedAt };
      case 'DomainReleased':
      case 'TrackingIdReleased':
        return 'free';
      default:
        return state;
    }
  },
};

/** All of them or none. */
export async function claimNames(
  eventStore: EventStore,
  names: readonly SiteName[],
  claimant: Claimant,
): Promise<ClaimOutcome> {
  const claims: HeldClaim[] = [];
  for (const name of names) {
    const claim = await claimName(eventStore, name, claimant);
    if (claim === 'taken') {
      await releaseClaims(eventStore, claims, claimant);
      return { outcome: 'name-taken', name };
    }
    if (claim.isNew) claims.push(claim);
  }
  return { outcome: 'claimed', claims };
}

/** Those of the names that the site has claimed. */
export async function claimsHeld(
  eventStore: EventStore,
  names: readonly SiteName[],
  { site }: Claimant,
): Promise<readonly HeldClaim[]> {
  const claims: HeldClaim[] = [];
  for (const name of names) {
    const { state, revision } = await load(eventStore, nameStream(name), nameClaimFold);
    if (state !== 'free' && state.site === site) claims.push({ name, revision: revision as Revision });
  }
  return claims;
}

/** Leaves alone what was claimed anew since. */
export async function releaseClaims(
  eventStore: EventStore,
  claims: readonly HeldClaim[],
  { site, origin }: Claimant,
): Promise<void> {
  for (const { name, revision } of claims) {
    const event = { ...releaseOf(name, site), metadata: origin };
    await eventStore.append(nameStream(name), [event], revision);
  }
}

/** A claim of the site's own is renewed, so that whoever is about to release it no longer does. */
async function claimName(
  eventStore: EventStore,
  name: SiteName,
  { site, origin }: Claimant,
): Promise<(HeldClaim & { readonly isNew: boolean }) | 'taken'> {
  const { state, revision } = await load(eventStore, nameStream(name), nameClaimFold);
  const isOwn = state !== 'free' && state.site === site;
  const isFree = state === 'free' || isOwn || (await isAbandoned(eventStore, name, { ...state, origin }));
  if (!isFree) return 'taken';
  const event = { ...claimOf(name, site), metadata: origin };
  const claimed = await eventStore.append(nameStream(name), [event], revision);
  return claimed.outcome === 'stored' ? { name, revision: claimed.revision, isNew: !isOwn } : 'taken';
}

/** Makes sure of it: whoever claimed the name, were they merely slow, now meets a conflict. */
async function isAbandoned(
  eventStore: EventStore,
  name: SiteName,
  { site, claimedAt, origin }: NameClaim & Claimant,
): Promise<boolean> {
  const { state, revision } = await load(eventStore, siteStream(site), siteFold);
  if (state === 'deleted') return true;
  if (state !== 'absent' && namesOf(state).map(nameStream).includes(nameStream(name))) return false;
  if (Date.now() - claimedAt.getTime() < ABANDONED_AFTER_MS) return false;
  const event = state === 'absent' ? deleteSite(site) : touchSite(site);
  // Who claims the name is said in its own stream: of the site's owner they are nobody's concern.
  const metadata = { ...bySystem('domain claims'), ...(origin.request && { request: origin.request }) };
  const fenced = await eventStore.append(siteStream(site), [{ ...event, metadata }], revision);
  return fenced.outcome === 'stored';
}
