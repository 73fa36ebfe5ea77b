// Whether a stream that was opened rightly may go on: its key could be revoked, its watcher be no member any
// more and its site deleted since.
import { Injectable } from '@nestjs/common';
import { type Caller, reaches } from '../../auth/access.js';
import { CallerStanding } from '../../auth/caller-standing.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';

export interface Watcher {
  /** Id. */
  readonly site: string;
  readonly caller: Caller;
}

@Injectable()
export class WatcherRights {
  constructor(
    private readonly standing: CallerStanding,
    private readonly sites: SiteDirectory,
  ) {}

  allow({ site: id, caller }: Watcher): boolean {
    const site = this.sites.find(id);
    return site !== undefined && reaches(caller, site) && this.standing.holds(caller);
  }
}
