// Whether a stream that was opened rightly may go on: its key could be revoked and its site deleted since,
// and while that could have been missed nobody may watch, as nobody may ask.
import { Injectable } from '@nestjs/common';
import { type Caller, reaches } from '../../auth/access.js';
import { DirectoryFollower } from '../../auth/directories/directory-follower.js';
import { KeyDirectory } from '../../auth/directories/key.directory.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';

export interface Watcher {
  /** Id. */
  readonly site: string;
  readonly caller: Caller;
}

@Injectable()
export class WatcherRights {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly sites: SiteDirectory,
    private readonly follower: DirectoryFollower,
  ) {}

  allow({ site: id, caller }: Watcher): boolean {
    const site = this.sites.find(id);
    return !this.follower.isStale && this.keys.holds(caller) && site !== undefined && reaches(caller, site);
  }
}
