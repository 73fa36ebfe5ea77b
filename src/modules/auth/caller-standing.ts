// Whether a caller who was let in would still be: for what outlasts a request. While the directories are so old
// that a revocation or removal could have been missed, nobody would.
import { Injectable } from '@nestjs/common';
import type { Caller } from './access.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { KeyDirectory } from './directories/key.directory.js';
import { SignedInCallers } from './people/signed-in-callers.js';
import { LinkSessions } from './shared-links/link-sessions.js';

@Injectable()
export class CallerStanding {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly signedInCallers: SignedInCallers,
    private readonly linkSessions: LinkSessions,
    private readonly follower: DirectoryFollower,
  ) {}

  holds(caller: Caller): boolean {
    if (this.follower.isStale) return false;
    return [this.keys, this.signedInCallers, this.linkSessions].some((callers) => callers.holds(caller));
  }
}
