import { memberCaller } from '../../auth/access.js';
import { CallerStanding } from '../../auth/caller-standing.js';
import type { Directory } from '../../auth/directories/directory.js';
import type { DirectoryFollower } from '../../auth/directories/directory-follower.js';
import type { KeyDirectory } from '../../auth/directories/key.directory.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { MemberDirectory } from '../../auth/merchants/member.directory.js';
import { PersonDirectory } from '../../auth/people/person.directory.js';
import { SignedInCallers, type SignedInCallersDeps } from '../../auth/people/signed-in-callers.js';
import { createSite, siteStream } from '../../auth/sites/site.aggregate.js';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { WatcherRights } from './watcher-rights.js';

it('lets a member watch as long as they are one and signed in, and nobody after a minute without news', () => {
  const followed: Directory[] = [];
  const follower = {
    isStale: false,
    follow: (directory: Directory) => void followed.push(directory),
  };
  const sites = new SiteDirectory();
  const members = new MemberDirectory(follower as unknown as DirectoryFollower);
  const noKeys = { holds: () => false } as unknown as KeyDirectory;
  const people = new PersonDirectory(follower as unknown as DirectoryFollower);
  const signedInCallers = new SignedInCallers({ members, people } as SignedInCallersDeps);
  const standing = new CallerStanding(noKeys, signedInCallers, follower as unknown as DirectoryFollower);
  const rights = new WatcherRights(standing, sites);
  const tell = (type: string, data: object) => {
    const event = {
      type,
      data,
      stream: siteStream('s1'),
      revision: 0,
      position: '0',
      recordedAt: new Date(),
    };
    for (const directory of followed) directory.apply(event as unknown as RecordedEvent);
    sites.apply(event as unknown as RecordedEvent);
  };
  const draft = { domain: 'a.example', name: 'n', timezone: 'UTC', currency: 'EUR', trackingIds: [] };
  const created = createSite('s1', { ...draft, merchant: 'm1' });
  tell(created.type, created.data);
  const signedIn = { person: 'p1', signIn: 'in1', merchant: 'm1', generation: 0 };
  const watcher = { site: 's1', caller: { ...memberCaller('p1', 'm1', 'viewer'), signedIn } };
  expect(rights.allow(watcher)).toBe(false);
  tell('MemberJoined', { merchant: 'm1', person: 'p1', role: 'viewer' });
  expect(rights.allow(watcher)).toBe(true);
  follower.isStale = true;
  expect(rights.allow(watcher)).toBe(false);
  follower.isStale = false;
  tell('SignedOut', { person: 'p1', signIn: 'in1' });
  expect(rights.allow(watcher)).toBe(false);
  const again = { ...watcher, caller: { ...watcher.caller, signedIn: { ...signedIn, signIn: 'in2' } } };
  expect(rights.allow(again)).toBe(true);
  tell('MemberLeft', { merchant: 'm1', person: 'p1' });
  expect(rights.allow(again)).toBe(false);
});
