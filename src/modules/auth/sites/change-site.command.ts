// Changes a site's settings, if the site is still as whoever asks has seen it. Domains and tracking ids that
// come to it are claimed before, those that it gives up are released after.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type Revision } from '../../../event-store/event-store.js';
import type { SiteName } from '../../../events/site.events.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { claimNames, claimsHeld, nameStream, type NameTaken, releaseClaims } from './name-claim.js';
import { changeSite, namesOf, type Site, type SiteChange, siteFold, siteStream } from './site.aggregate.js';
import { takenTrackingId } from './unclaimed-tracking-ids.js';
import type { Origin } from '../origin.js';

export type ChangeSiteOutcome =
  | { readonly outcome: 'changed'; readonly site: Site }
  | { readonly outcome: 'site-unknown' }
  | { readonly outcome: 'revision-differs'; readonly actual: Revision }
  | NameTaken;

interface ChangeSiteRequest {
  readonly site: string;
  /** Its domains are normalised. */
  readonly change: SiteChange;
  readonly expected: Revision | 'any';
  readonly origin: Origin;
}

export class ChangeSite extends Command<ChangeSiteOutcome> {
  constructor(readonly request: ChangeSiteRequest) {
    super();
  }
}

@CommandHandler(ChangeSite)
export class ChangeSiteHandler implements ICommandHandler<ChangeSite> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly sites: SiteDirectory,
  ) {}

  async execute({ request: { site: id, change, expected, origin } }: ChangeSite): Promise<ChangeSiteOutcome> {
    const stream = siteStream(id);
    const { state: site, revision } = await load(this.eventStore, stream, siteFold);
    if (typeof site === 'string') return { outcome: 'site-unknown' };
    if (expected !== 'any' && expected !== revision) {
      return { outcome: 'revision-differs', actual: site.revision };
    }
    const { trackingIds = [] } = change;
    const taken = await takenTrackingId(this.eventStore, this.sites, { site: id, trackingIds });
    if (taken !== undefined) return taken;
    const event = changeSite(site, change);
    if (event === null) return { outcome: 'changed', site };

    const [before, after] = [namesOf(site), namesOf({ ...site, ...event.data })];
    const claimant = { site: id, origin };
    // Looked up before the change is stored: what is claimed anew after it is not released below.
    const givenUp = await claimsHeld(this.eventStore, without(before, after), claimant);
    const claimed = await claimNames(this.eventStore, without(after, before), claimant);
    if (claimed.outcome === 'name-taken') return claimed;
    const stored = await this.eventStore.append(stream, [{ ...event, metadata: origin }], revision);
    const released = stored.outcome === 'stored' ? givenUp : claimed.claims;
    await releaseClaims(this.eventStore, released, claimant);
    if (stored.outcome === 'conflict') return { outcome: 'revision-differs', actual: Number(stored.actual) };
    await this.directories.settle();
    return { outcome: 'changed', site: { ...site, ...event.data, id, revision: stored.revision } };
  }
}

function without(names: readonly SiteName[], others: readonly SiteName[]): readonly SiteName[] {
  const streams = new Set(others.map(nameStream));
  return names.filter((name) => !streams.has(nameStream(name)));
}
